"""What a type checker sees of the package: every public name annotated, also where it is installed in editable mode."""

import ast
import importlib
import inspect
import shutil
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

import fastdaae as fd
from tests import nursery, tools

PUBLIC = ("", ".ops", ".models", ".evaluation", ".data", ".training", ".networks", ".priors", ".corruptions", ".noise")
USER = """
import numpy as np
import torch

import fastdaae as fd

noise, corruption, prior = fd.Noise(seed=0), fd.corruptions.Gaussian(0.5), fd.priors.Normal(10)
encoder, decoder = fd.networks.mlp([64, 32, 10]), fd.networks.mlp([10, 32, 64], output="sigmoid")
model = fd.IDAAE(encoder, decoder, fd.networks.mlp([10, 1]), prior=prior, corruption=corruption, copies=3)
data = fd.data.load("digits")
history = fd.Trainer(model, epochs=1, lr=1e-3, run_dir="run").fit(data)
optimizers = {name: torch.optim.Adam(group) for name, group in model.parameter_groups().items()}
step = fd.compile_step(model, optimizers, seed=0)
x, rows = torch.rand(4, 64), np.zeros((4, 2))
window = fd.ParzenWindow(bandwidth=0.2).fit(rows, validation=rows)
dimension = fd.IntrinsicDimension(k=10).fit(rows)
measures = fd.evaluation.evaluate(model, data, samples=100)
"""
TENSOR, FLOATS = "torch._tensor.Tensor", "numpy.ndarray[tuple[Any, ...], numpy.dtype[numpy.float64]]"
ESTIMATE = "tuple[float, float, fallback=fastdaae.evaluation.estimate.Estimate]"
# what a user's expressions are
REVEALED = {
    "encoder": "torch.nn.modules.container.Sequential",
    "data.train.images": TENSOR,
    "data.classes": "tuple[str, ...] | None",
    'history[-1]["losses"]': "dict[str, float]",
    "model": "fastdaae.models.adversarial.IDAAE",
    "model.sample(5, steps=2, keep=(0, 2))": TENSOR,
    "model.encode(x)": TENSOR,
    "model.reconstruct(x, noise)": TENSOR,
    "step(x)": "dict[str, torch._tensor.Tensor]",
    'fd.load("run")': "fastdaae.models.autoencoder.Autoencoder",
    'fd.load("run", networks={"encoder": encoder}).sample(3)': TENSOR,
    'fd.load("run", model)': "fastdaae.models.adversarial.IDAAE",
    "window.bandwidth_": "float",
    "window.score_samples(rows)": FLOATS,
    "window.mean_log_likelihood(rows)": ESTIMATE,
    "dimension.dimension_": "float",
    "dimension.dimension_per_k_": FLOATS,
    "measures[0]": "fastdaae.evaluation.measure.Measure",
    "fd.evaluation.compare(rows, rows, rows)": ESTIMATE,
    "fd.evaluation.reconstruction_error(model, x).mean": "float",
    "fd.ops.corrupt(x, corruption, noise, copies=2)": TENSOR,
    "fd.ops.encode_mean(encoder, x, corruption, noise, copies=2)": TENSOR,
    "fd.ops.sample_chain(decoder, encoder, x, corruption, noise, steps=2)": TENSOR,
    "fd.ops.parzen_log_density(x, x, [0.1, 0.2])": TENSOR,
    "fd.ops.nearest_neighbors(x, 2).indices": TENSOR,
    'fd.backends()["cpp"].live': "bool",
    "prior.sample(3, noise)": TENSOR,
    'fd.report("run", data=data)': "pathlib.Path",
    "fd.__version__": "str",
}


def public_functions():
    """(name, function) of all that the public modules list: functions, and the methods of their classes."""
    for module in (importlib.import_module(f"fastdaae{name}") for name in PUBLIC):
        for name in getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]:
            value = getattr(module, name)
            if inspect.isfunction(value) and value.__module__.startswith(module.__name__):
                yield f"{module.__name__}.{name}", value
            elif inspect.isclass(value) and value.__module__.startswith("fastdaae"):
                yield from public_methods(f"{module.__name__}.{name}", value)


def public_methods(name: str, value: type):
    for member, found in inspect.getmembers_static(value):
        found = getattr(found, "fget", None) or getattr(found, "__func__", found)
        ours = inspect.isfunction(found) and found.__module__.startswith("fastdaae")
        if ours and (not member.startswith("_") or member in ("__init__", "__call__")):
            yield f"{name}.{member}", found


def test_every_public_function_is_annotated():
    checked = dict(public_functions())
    assert len(checked) > 60
    for name, function in checked.items():
        signature = inspect.signature(function)
        parameters = [p for p in signature.parameters.values() if p.name not in ("self", "cls")]
        bare = [p.name for p in parameters if p.annotation is inspect.Parameter.empty]
        # a constructor's result is known
        returns = signature.return_annotation is not inspect.Signature.empty or name.endswith("__init__")
        assert not bare and returns, f"{name}: {', '.join(bare) or 'its result'}"


def test_names_for_type_checkers_are_those_that_run():
    tree = ast.parse(Path(fd.__file__).read_text())
    told = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert told - {"TYPE_CHECKING", "Any"} == set(fd.__all__)


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with a copy of the project, and its wheels: installed as they are, and in editable mode; pure Python."""
    folder = tmp_path_factory.mktemp("project")
    ignore = shutil.ignore_patterns("*.so", "__pycache__", "_build.json")
    for name in ("fastdaae", "csrc"):
        shutil.copytree(tools.ROOT / name, folder / name, ignore=ignore)
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(tools.ROOT / name, folder / name)
    code = "from setuptools import build_meta as b; b.build_editable('editable'); b.build_wheel('wheel')"
    done = nursery.run(code, folder=folder, FASTDAAE_NO_EXT="1")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def python(built, tmp_path_factory) -> Path:
    """The Python of an environment with the editable install, and with the packages of this one."""
    environment = tmp_path_factory.mktemp("environment")
    venv.create(environment, with_pip=False)
    [packages] = environment.glob("lib/python*/site-packages")
    [wheel] = (built / "editable").glob("*.whl")
    shutil.unpack_archive(wheel, packages, "zip")
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return environment / "bin" / "python"


def test_the_wheel_says_that_it_is_typed(built):
    [wheel] = (built / "wheel").glob("*.whl")
    assert {"fastdaae/py.typed", "fastdaae/ops/__init__.py"} <= set(zipfile.ZipFile(wheel).namelist())


@pytest.mark.slow
def test_a_user_s_program_is_strictly_typed_in_an_editable_install(python, tmp_path):
    pytest.importorskip("mypy")
    lines = [*USER.splitlines(), *(f"reveal_type({expression})" for expression in REVEALED)]
    (tmp_path / "program.py").write_text("\n".join(lines) + "\n")
    # kept in the checkout, so that torch is read once for all runs
    cache = tools.ROOT / ".mypy_cache" / "strict"
    options = ["--strict", "--python-executable", str(python), "--cache-dir", str(cache), "program.py"]
    code = (
        f"import sys; from mypy import api; out, err, status = api.run({options!r}); print(out, err); sys.exit(status)"
    )
    done = nursery.run(code, folder=tmp_path, PYTHONPATH="", MYPYPATH="")
    revealed = [line.split('"', 1)[1][:-1] for line in done.stdout.splitlines() if "Revealed type is" in line]
    assert "error:" not in done.stdout and done.returncode == 0, done.stdout + done.stderr
    assert dict(zip(REVEALED, revealed, strict=True)) == REVEALED
