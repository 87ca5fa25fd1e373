"""What became of a build: installs without a compiler or a working nvcc, and the record that tells of it."""

import json
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests import tools
from tests.package.test_packaging import toolkit

OURS = ("CXX", "CUDA_HOME", "FASTDAAE_NO_EXT", "FASTDAAE_CUDA", "FASTDAAE_CUDA_ARCHS", "FASTDAAE_PORTABLE")


@pytest.fixture
def tree(tmp_path) -> Path:
    """A copy of the sources that no build has touched."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(tools.ROOT / name, folder / name)
    unbuilt = shutil.ignore_patterns("*.so", "_build.json", "__pycache__")
    for name in ("csrc", "fastdaae"):
        shutil.copytree(tools.ROOT / name, folder / name, ignore=unbuilt)
    return folder


def build(tree: Path, *command: str, **environment: str) -> str:
    """Runs a command of setup.py, build_ext --inplace by default; what it printed."""
    kept = {key: value for key, value in os.environ.items() if key not in OURS}
    command = [sys.executable, "setup.py", *(command or ("build_ext", "--inplace"))]
    done = subprocess.run(command, cwd=tree, env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def recorded(tree: Path) -> dict:
    return json.loads((tree / "fastdaae" / "_build.json").read_text())


def backends(tree: Path) -> list[str]:
    """What the built package says of cpp and cuda."""
    code = """
import sys
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]  # of the package under test
import fastdaae as fd
for name in ("cpp", "cuda"):
    print(fd.backends()[name].detail)
"""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


HALF_BUILT = 'for last; do :; done\necho half > "$last"\necho "x.cpp:1: error: no"; exit 1'


def compiler(folder: Path, body: str) -> str:
    """What CXX is set to for a compiler that does what `body` says."""
    script = folder / "a compiler"
    script.write_text(f"#!/bin/sh\n{body}\n")
    script.chmod(0o755)
    return shlex.quote(str(script))


@pytest.mark.parametrize(
    ("change", "state", "reason"),
    [
        (lambda folder: {"CXX": "/nonexistent/compiler"}, "failed", "CXX names a compiler that was not found"),
        (lambda folder: {"CXX": compiler(folder, HALF_BUILT)}, "failed", "x.cpp:1: error: no: correct that"),
        (lambda folder: {"PATH": ""}, "absent", "no C++ compiler was found: install one (g++)"),
        (lambda folder: {"FASTDAAE_NO_EXT": "1"}, "refused", "FASTDAAE_NO_EXT=1 asks for that: unset it"),
    ],
    ids=["missing", "failing", "absent", "refused"],
)
def test_install_succeeds_without_a_compiler(tree, tmp_path, change, state, reason):
    printed = build(tree, **{"FASTDAAE_CUDA": "0"} | change(tmp_path))
    sentence = next(line for line in printed.splitlines() if line.startswith("fastdaae installs as pure Python"))
    assert reason in sentence and "pip install --force-reinstall --no-deps ." in sentence
    assert not list(tree.rglob("*.so"))
    assert recorded(tree)["cpp"]["state"] == recorded(tree)["cuda"]["state"] == state
    for detail in backends(tree):
        assert detail.startswith("the compiled extension was not built: ") and reason in detail


def test_a_build_that_fails_takes_the_extension_of_an_earlier_one_away(tree):
    from_before = tree / "fastdaae" / ("_cpp" + sysconfig.get_config_var("EXT_SUFFIX"))
    from_before.touch()
    build(tree, FASTDAAE_NO_EXT="1")
    assert not from_before.exists()


def test_the_record_travels_in_wheels_and_editable_installs(tree):
    (tree / "fastdaae" / "_build.json").write_text('{"of": "an earlier build"}')
    build(tree, "bdist_wheel", "--dist-dir", "wheels", FASTDAAE_NO_EXT="1")
    (wheel,) = (tree / "wheels").glob("*.whl")
    inside = json.loads(zipfile.ZipFile(wheel).read("fastdaae/_build.json"))
    assert inside["cuda"]["state"] == "refused"
    build(tree, "editable_wheel", "--dist-dir", "editable", FASTDAAE_NO_EXT="1")
    assert recorded(tree) == inside


def test_the_record_is_never_committed():
    done = subprocess.run(["git", "check-ignore", "-q", "fastdaae/_build.json"], cwd=tools.ROOT)
    assert done.returncode in (0, 128)  # 128: no repository


@pytest.mark.needs_cpp
@pytest.mark.slow
def test_install_succeeds_without_a_working_nvcc(tree, tmp_path):
    """The extension is then built for the CPU; the package says what nvcc said, until a later build succeeds."""
    broken = toolkit(tmp_path / "cuda", 'echo "nvcc: broken" >&2; exit 1')
    quick = {"CXX": compiler(tmp_path, 'exec g++ "$@" -O0'), "FASTDAAE_PORTABLE": "1"}
    printed = build(tree, **quick, CUDA_HOME=str(broken))
    (said,) = [line for line in printed.splitlines() if line.startswith("fastdaae: the CUDA build failed: ")]
    assert "nvcc: broken: correct that (pip install -v . shows it all), or set FASTDAAE_CUDA=0" in said
    cpp, cuda = backends(tree)
    assert cpp.startswith("C++ extension (portable; ") and f"fastdaae: {cuda}" == said
    build(tree, **quick, FASTDAAE_CUDA="0")
    assert recorded(tree)["cpp"] == {"state": "built", "reason": ""}
    assert backends(tree)[1].startswith("the extension was built without CUDA because FASTDAAE_CUDA=0: unset it")
