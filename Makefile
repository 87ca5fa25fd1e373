PYTHON ?= python3
BIN := .venv/bin
SOURCES := $(shell find csrc -type f)

.PHONY: setup demo test test-all bench lint sanitize fuzz gpu-check clean

setup: .venv/.installed

.venv/.installed: pyproject.toml setup.py constraints.txt $(SOURCES)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "PYTHON must be Python 3.11 or newer, got $(PYTHON) = $$($(PYTHON) --version 2>&1); use make PYTHON=python3.11"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[test,bench]"
	@$(BIN)/python -c 'from fastdaae import backend as b; print("C++ kernels:", b.CPP_PROBLEM or "built")'
	@$(BIN)/python -c 'from fastdaae import backend as b; print("CUDA kernels:", b.cuda_build_problem() or "built")'
	@touch $@

demo: setup
	$(BIN)/fastdaae demo

test: setup
	$(BIN)/python -m pytest

# the tests that take minutes too
test-all: setup
	$(BIN)/python -m pytest -m "exhaustive or not exhaustive"

bench: setup
	$(BIN)/python -m pytest benchmarks/ --benchmark-only

# no virtual environment and no network there: the packages that the machine has
gpu-check:
	PYTHONPATH=benchmarks $(PYTHON) -m gpu_check $(if $(OUT),--out "$(OUT)") $(PARTS)

# the C++ kernels, every operator and instruction set, under AddressSanitizer and UndefinedBehaviourSanitizer
sanitize: setup
	$(BIN)/python tests/sanitize/run.py build/sanitize

# everything that reads a file, and the command line: damaged and odd inputs; make fuzz FUZZ_SECONDS=3600
FUZZ_SECONDS ?= 300
fuzz: setup
	$(BIN)/python -m tests.fuzz.run --seconds $(FUZZ_SECONDS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv build dist *.egg-info .benchmarks .pytest_cache .ruff_cache .mypy_cache .hypothesis __pycache__
	rm -f fastdaae/_cpp*.so fastdaae/_build.json
	find fastdaae tests benchmarks -name __pycache__ -prune -exec rm -rf {} +
