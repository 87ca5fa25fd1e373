"""The package as a whole: its imports, its names and its README."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import fastdaae as fd
from tests import nursery

PACKAGE = Path(fd.__file__).parent
ROOT = PACKAGE.parent


def in_fresh_process(code: str, **environment) -> str:
    done = nursery.run(code, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


REFUSE_THE_REST = """
import builtins, sys
original = builtins.__import__
refused = {"sklearn", "scipy", "safetensors", "typer", "rich", "matplotlib", "PIL", "faiss", "triton", "pandas"}
def guarded(name, globals=None, locals=None, fromlist=(), level=0):
    caller = (globals or {}).get("__name__", "")
    if name.split(".")[0] in refused and caller.split(".")[0] == "fastdaae":
        raise ImportError(f"{caller} imports {name}")
    return original(name, globals, locals, fromlist, level)
builtins.__import__ = guarded
import torch
import fastdaae as fd
"""


def test_import_and_operators_need_torch_and_numpy_alone():
    code = """
x = torch.rand(4, 6)
mlp = fd.networks.mlp
model = fd.IDAAE(mlp([6, 3]), mlp([3, 6], output="sigmoid"), mlp([3, 1]), prior=fd.priors.Normal(3),
                 corruption=fd.corruptions.Gaussian(0.5))
step = fd.compile_step
fd.ops.nearest_neighbors(x, 2), fd.ops.parzen_log_density(x, x, [1.0]), model.sample(2, steps=1)
print(fd.backends()["reference"].live, not torch.cuda.is_initialized())
"""
    assert in_fresh_process(REFUSE_THE_REST + code).split() == ["True", "True"]


def test_import_is_fast_beyond_torch_s_own():
    code = """
import time, torch
started = time.perf_counter()
import fastdaae
print(time.perf_counter() - started)
"""
    # from nothing: in the nursery most of what it could import is there already
    command = [sys.executable, "-c", code]
    measured = (float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) for _ in range(3))
    assert any(seconds < 0.2 for seconds in measured)


def test_public_names():
    expected = (
        "AAE DAAE IDAAE IntrinsicDimension Noise ParzenWindow Trainer backends compile_step corruptions data load "
        "models networks ops priors"
    )
    assert set(expected.split()) <= set(fd.__all__) and dir(fd) == fd.__all__
    for name in fd.__all__:
        assert getattr(fd, name).__doc__, name
    with pytest.raises(AttributeError, match="has no attribute 'VAEE'; it has: AAE"):
        fd.VAEE  # noqa: B018


def public_functions():
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield path, node
                for member in node.body:
                    # a setter's property has the words of both
                    setter = any(getattr(one, "attr", "") == "setter" for one in getattr(member, "decorator_list", ()))
                    if isinstance(member, ast.FunctionDef) and not member.name.startswith("_") and not setter:
                        yield path, member


def test_public_classes_and_methods_have_docstrings():
    for path, node in public_functions():
        assert ast.get_docstring(node), f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"


def test_environment_sets_the_default_backend():
    code = """
import fastdaae as fd
from fastdaae import backend
print(backend.choose("corrupt", "auto", {"cpp": None, "reference": None}), backend.choose("x", "auto", {"cuda": None}))
"""
    assert in_fresh_process(code, FASTDAAE_BACKEND="").split() == ["cpp", "cuda"]
    assert in_fresh_process(code, FASTDAAE_BACKEND="reference").split() == ["reference", "cuda"]
    done = nursery.run(code, FASTDAAE_BACKEND="gpu")
    assert "FASTDAAE_BACKEND must be 'auto' or one of" in done.stderr


def test_everything_works_without_the_extension(tmp_path):
    """A process that cannot import fastdaae._cpp runs on the reference and says why."""
    code = """
import sys
sys.modules["fastdaae._cpp"] = None
import torch, fastdaae as fd
status = fd.backends()["cpp"]
assert not status.live and "install a C++ compiler" in status.detail, status
x = torch.rand(4, 6)
print(fd.ops.corrupt(x, fd.corruptions.Gaussian(0.5), fd.Noise(0)).shape == (1, 4, 6))
try:
    fd.ops.corrupt(x, None, fd.Noise(0), backend="cpp")
except RuntimeError as error:
    print("usable here: 'reference'" in str(error))
"""
    assert in_fresh_process(code).split() == ["True", "True"]


def test_readme_code_runs(tmp_path):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S)
    assert len(blocks) >= 2
    code = "import os\nos.chdir(" + repr(str(tmp_path)) + ")\n" + "\n".join(blocks)
    in_fresh_process(code)


def test_readme_commands_exist():
    from typer.testing import CliRunner

    from fastdaae.cli.app import app

    named = set(re.findall(r"^fastdaae (\w+)", (ROOT / "README.md").read_text(), flags=re.M))
    commands = {command.callback.__name__ for command in app.registered_commands}
    assert commands == {
        "demo",
        "train",
        "sample",
        "evaluate",
        "likelihood",
        "compare",
        "dimension",
        "report",
        "doctor",
        "reproduce",
    }
    assert named <= commands and len(named) >= 6
    for command in commands:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
