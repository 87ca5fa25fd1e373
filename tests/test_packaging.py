"""setup.py: paths in build.ninja, the compiler's choice, and installs without a compiler."""

import importlib.util
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def build():
    """setup.py as a module."""
    pytest.importorskip("setuptools")
    spec = importlib.util.spec_from_file_location("fastdaae_setup", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_ninja_reads_awkward_paths(build, tmp_path):
    ninja = pytest.importorskip("ninja")
    folder = tmp_path / "a b:c$d'e"
    folder.mkdir()
    source, output = folder / "in.txt", folder / "out.txt"
    source.write_text("content")
    copy = build.ninja_command([sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])"])
    rule = f"rule copy\n  command = {copy} $in $out\n"
    (tmp_path / "build.ninja").write_text(f"{rule}build {build.ninja_path(output)}: copy {build.ninja_path(source)}\n")
    subprocess.run([Path(ninja.BIN_DIR) / "ninja", "-C", tmp_path], check=True, capture_output=True)
    assert output.read_text() == "content"


def test_ninja_file_names_every_source_once(build, tmp_path):
    text = build.ninja_file(["ccache", "g++"], ["/include dir"], tmp_path, tmp_path / "_C.so")
    assert "command = ccache g++ -O3" in text and "'-I/include dir'" in text
    for source in build.SOURCES:
        assert text.count(f": compile {build.ninja_path(ROOT / source)}\n") == 1
    assert "-ffast-math" not in text and "-march" not in text


def test_every_cpp_file_is_built(build):
    assert {str(path.relative_to(ROOT)) for path in (ROOT / "csrc").rglob("*.cpp")} == set(build.SOURCES)


def test_compiler_from_cxx_then_from_path(build, tmp_path):
    for name in ("clang++", "c++"):
        (tmp_path / name).touch(mode=0o755)
    path = str(tmp_path)
    assert build.find_compiler({"PATH": path}) == ["c++"]
    assert build.find_compiler({"PATH": path, "CXX": "clang++ -v"}) == ["clang++", "-v"]
    with pytest.raises(build.ExtensionUnavailable, match="CXX names a compiler that was not found"):
        build.find_compiler({"PATH": path, "CXX": "g++"})
    with pytest.raises(build.ExtensionUnavailable, match=r"no C\+\+ compiler was found"):
        build.find_compiler({"PATH": str(tmp_path / "empty")})


def failing_compiler(tmp_path):
    """A compiler that leaves a half-built file behind and fails."""
    script = tmp_path / "broken compiler"
    script.write_text('#!/bin/sh\nfor last; do :; done\necho half > "$last"\nexit 1\n')
    script.chmod(0o755)
    return shlex.quote(str(script))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda folder: {"CXX": "/nonexistent/compiler"}, "CXX names a compiler that was not found"),
        (lambda folder: {"CXX": failing_compiler(folder)}, "the compiler failed"),
        (lambda folder: {"FASTDAAE_NO_EXT": "1"}, "FASTDAAE_NO_EXT=1 asks for that"),
    ],
    ids=["missing", "failing", "refused"],
)
def test_install_succeeds_without_a_compiler(tmp_path, change, reason):
    tree = tmp_path / "tree"
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        tree.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    shutil.copytree(ROOT / "csrc", tree / "csrc")
    shutil.copytree(ROOT / "fastdaae", tree / "fastdaae", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    command = [
        sys.executable,
        "setup.py",
        "build_ext",
        "--build-lib",
        tmp_path / "lib",
        "--build-temp",
        tmp_path / "temp",
    ]
    environment = {key: value for key, value in os.environ.items() if key not in ("CXX", "FASTDAAE_NO_EXT")}
    done = subprocess.run(command, cwd=tree, env=environment | change(tmp_path), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sentence = next(line for line in done.stdout.splitlines() if line.startswith("fastdaae installs as pure Python"))
    assert reason in sentence and "pip install --force-reinstall --no-deps ." in sentence
    assert not list(tmp_path.rglob("*.so"))
