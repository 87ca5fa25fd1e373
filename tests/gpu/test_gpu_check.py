"""gpu-check without a GPU: the commands of every part, the command line, and the machine's line."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest
import record
from gpu_check import __main__ as gpu_check
from gpu_check import groups, launches
from gpu_check.runner import Group

from tests import tools
from tests.gpu_free import run_interpreted

MACHINE = {"architecture": "90"}
OFFLINE = tools.ROOT / "results" / "offline"


def rows(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]


@pytest.mark.parametrize("present", [True, False])
def test_plugins_are_used_where_this_interpreter_has_them(monkeypatch, present):
    monkeypatch.setattr(groups.importlib.util, "find_spec", lambda name: present or None)
    (chain,) = [group.command for group in groups.tests() if group.name == "test_gpu_chain"]
    assert ("-n" in chain) == ("--timeout" in chain) == present
    assert all("-n" not in group.command for group in groups.tests() if group.name == "test_gpu_neighbors")


def test_three_commands_stay_under_ten_minutes():
    for parts in (("facts", "build", "test"), ("bench",), ("profile", "sanitize")):
        assert sum(groups.LIMITS[part] for part in parts) + gpu_check._SECONDS_FOR_FACTS / 2 <= 590


def test_every_gpu_test_and_benchmark_is_in_one_group():
    tested = [group.command[-1] for group in groups.tests()]
    marked = [path for path in tools.ROOT.glob("tests/**/test_gpu_*.py") if "test_gpu_check" not in path.name]
    assert {str(path.relative_to(tools.ROOT)) for path in marked} <= set(tested) and len(set(tested)) == len(tested)
    names = [group.name for group in groups.bench()]
    assert {"corrupt", "corrupted_linear", "parzen", "neighbors", "chain", "training_step"} <= set(names)
    assert len(set(names)) == len(names)


def test_the_build_is_for_this_gpu_and_finds_the_static_runtime(monkeypatch):
    monkeypatch.setattr(groups, "_cuda_libraries", lambda: ["/site/nvidia/cu13/lib"])
    monkeypatch.setenv("LIBRARY_PATH", "/before")
    install, asked = groups.build(MACHINE)
    assert install.environment["FASTDAAE_CUDA_ARCHS"] == "90" and install.limit > 1e9  # the part's, which one may raise
    assert install.environment["LIBRARY_PATH"] == "/site/nvidia/cu13/lib:/before"
    assert {"--no-build-isolation", "--no-deps"} <= set(install.command) and "cuda_build_problem" in asked.command[-1]


def test_operations_are_those_that_are_launched_and_the_pattern_knows_their_kernels():
    assert list(launches.OPERATIONS) == list(groups.OPERATIONS)
    names = re.findall(r'"kernel": "(\w+)"', "".join(path.read_text() for path in OFFLINE.glob("*.json")))
    names += [name.split("<")[0] for name in json.loads((OFFLINE / "cuda.json").read_text())["kernels"]["sm_90"]]
    assert len(set(names)) >= 14 and all(re.match(groups.KERNELS, name) for name in names)
    assert not re.match(groups.KERNELS, "vectorized_elementwise_kernel")


@pytest.mark.needs_triton
def test_the_launches_start_every_triton_kernel():
    run_interpreted("launch_cases")


def test_sanitizers_see_every_allocation_and_the_profiler_leaves_the_clocks():
    for group in groups.sanitize():
        assert group.environment["PYTORCH_NO_CUDA_MEMORY_CACHING"] == "1"
    assert {group.name.split()[0] for group in groups.sanitize()} == {"memcheck", "racecheck"}
    for group in groups.profile():
        assert group.command[group.command.index("--clock-control") + 1] == "none"


def test_parts_and_limits_from_the_command_line(capsys):
    chosen = gpu_check.arguments(["facts", "bench=90", "--out", "there"])
    assert chosen.parts == [("facts", groups.LIMITS["facts"]), ("bench", 90.0)] and str(chosen.out) == "there"
    assert [name for name, _ in gpu_check.arguments([]).parts] == list(groups.LIMITS)
    for bad, message in (("benches", "a part must be one of facts"), ("bench=soon", "limit must be seconds, as in")):
        with pytest.raises(SystemExit):
            gpu_check.arguments([bad])
        assert message in capsys.readouterr().err


def test_a_dry_run_names_every_command(capsys):
    assert gpu_check.main(["--dry-run"]) == 0
    printed = capsys.readouterr().out
    assert all(f"{part}: at most {limit} s" in printed for part, limit in groups.LIMITS.items())
    assert "tests/gpu/test_gpu_chain.py" in printed and "gpu_check.launches parzen small" in printed


def test_without_a_gpu_nothing_runs(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(gpu_check, "machine", lambda: {"machine": {"gpu": None}})
    assert gpu_check.main(["--out", str(tmp_path / "results")]) == 2
    assert "PyTorch sees none here" in capsys.readouterr().out and not (tmp_path / "results").exists()


def printing(name: str) -> Group:
    return Group("part", name, [sys.executable, "-c", "import os; print(os.environ)"], 60)


def test_the_machine_s_line_comes_first_and_a_failed_group_fails_the_check(monkeypatch, tmp_path, capfdbinary):
    monkeypatch.setattr(gpu_check, "machine", lambda: {"machine": {"gpu": "NVIDIA Some"}, "commit": "abc"})
    monkeypatch.setattr(groups, "of_part", lambda part, machine: [printing(part)])
    handler = signal.getsignal(signal.SIGTERM)
    try:
        assert gpu_check.main(["--out", str(tmp_path), "facts", "bench"]) == 0
        assert gpu_check.main(["--out", str(tmp_path), "test=0"]) == 1
    finally:
        signal.signal(signal.SIGTERM, handler)
    written = rows(tmp_path)
    assert written[0]["machine"]["gpu"] == "NVIDIA Some" and written[3]["commit"] == "abc"
    assert [row.get("outcome") for row in written] == [None, "ok", "ok", None, "not started"]
    assert f"'FASTDAAE_GPU_ROWS': '{tmp_path}/rows.jsonl'" in (tmp_path / "log.txt").read_text()


def test_this_machine_s_facts():
    found = gpu_check.machine()
    assert found["machine"]["torch"] and found["machine"]["cores"] == os.cpu_count() and found["commit"]


def test_the_commit_where_there_is_no_git(monkeypatch, tmp_path):
    monkeypatch.setenv("FASTDAAE_COMMIT", "abc1234")
    with monkeypatch.context() as without_git:
        without_git.setenv("PATH", str(tmp_path))
        assert record.commit() == "abc1234"
    monkeypatch.setattr(record, "ROOT", tmp_path)  # no .git; a repository around it does not answer
    assert record.commit() == "abc1234"
    monkeypatch.delenv("FASTDAAE_COMMIT")
    assert record.commit() == "unknown"
