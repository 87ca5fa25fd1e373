"""setup.py: paths in build.ninja, the compiler's choice, and installs without a compiler."""

import importlib.util
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
    kernels = build.kernel_objects(platform.machine())
    assert {source for source, name, _ in kernels if name == "portable"} == set(build.KERNELS)
    for source, name, flags in kernels:
        flags = " ".join([f"-DFASTDAAE_ISA={name}", *flags])
        assert text.count(f": compile {build.ninja_path(ROOT / source)}\n  flags = {flags}\n") == 1
    linked = text[text.index(": link ") :].split()
    portable = [i for i, name in enumerate(linked) if "_portable" in name]
    assert max(portable) < min((i for i, name in enumerate(linked) if "_avx" in name), default=len(linked))
    assert "-ffast-math" not in text and "-march" not in text


def test_portable_alone(build, monkeypatch):
    monkeypatch.setenv("FASTDAAE_PORTABLE", "1")
    assert {name for _, name, _ in build.kernel_objects("x86_64")} == {"portable"}
    monkeypatch.delenv("FASTDAAE_PORTABLE")
    assert {name for _, name, _ in build.kernel_objects("x86_64")} == set(build.INSTRUCTION_SETS)
    assert {name for _, name, _ in build.kernel_objects("aarch64")} == {"portable"}


def test_every_source_file_is_built(build):
    for ending, sources in (("cpp", build.SOURCES + build.KERNELS), ("cu", build.CUDA_SOURCES)):
        assert {str(path.relative_to(ROOT)) for path in (ROOT / "csrc").rglob(f"*.{ending}")} == set(sources)


def toolkit(folder: Path, body: str = "") -> Path:
    """A folder with an nvcc that knows two architectures and otherwise does what `body` says."""
    (folder / "bin").mkdir(parents=True)
    (folder / "lib64").mkdir()
    nvcc = folder / "bin" / "nvcc"
    nvcc.write_text(f'#!/bin/sh\nif [ "$1" = --list-gpu-arch ]; then echo compute_80 compute_90; exit; fi\n{body}\n')
    nvcc.chmod(0o755)
    return folder


def test_cuda_from_its_home_and_architectures_from_the_compiler(build, tmp_path):
    home = toolkit(tmp_path / "cuda home")
    found = build.find_cuda({"CUDA_HOME": str(home), "PATH": ""})
    assert found == (home / "bin" / "nvcc", [home / "lib64"], ["80", "90"])
    named = build.find_cuda({"CUDA_HOME": str(home), "PATH": "", "FASTDAAE_CUDA_ARCHS": "86;120"})
    assert named.architectures == ["86", "120"]
    assert build.find_cuda({"CUDA_HOME": str(home), "PATH": "", "FASTDAAE_CUDA": "0"}) is None


def test_cuda_from_path(build, tmp_path, monkeypatch):
    home = toolkit(tmp_path / "elsewhere")
    monkeypatch.setattr(build, "CUDA_FOLDERS", [tmp_path / "absent"])
    assert build.find_cuda({"PATH": str(home / "bin")}).nvcc == home / "bin" / "nvcc"
    assert build.find_cuda({"PATH": str(tmp_path)}) is None


def test_ninja_file_with_cuda(build, tmp_path):
    cuda = build.Cuda(Path("/opt/cu da/bin/nvcc"), [Path("/opt/cu da/lib64")], ["80", "90"])
    text = build.ninja_file(["g++"], [], tmp_path, tmp_path / "_C.so", cuda)
    for source in build.CUDA_SOURCES:
        assert text.count(f": compile_cuda {build.ninja_path(ROOT / source)}\n") == 1
    for flag in ("compute_80,code=sm_80", "compute_90,code=sm_90", "compute_90,code=compute_90", "--cudart static"):
        assert flag in text
    assert "command = '/opt/cu da/bin/nvcc'" in text and "'-L/opt/cu da/lib64' -lcudart_static" in text
    assert text.count("-DFASTDAAE_CUDA") == len(build.BINDINGS) and "fast" not in " ".join(build.NVCC_FLAGS)
    without = build.ninja_file(["g++"], [], tmp_path, tmp_path / "_C.so")
    assert "nvcc" not in without and "cudart" not in without and "FASTDAAE_CUDA" not in without


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


def install(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess:
    """Builds a copy of the sources into tmp_path / "lib"."""
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree / name)
    shutil.copytree(ROOT / "csrc", tree / "csrc")
    shutil.copytree(ROOT / "fastdaae", tree / "fastdaae", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    folders = ["--build-lib", tmp_path / "lib", "--build-temp", tmp_path / "temp"]
    ours = ("CXX", "CUDA_HOME", "FASTDAAE_NO_EXT", "FASTDAAE_CUDA", "FASTDAAE_CUDA_ARCHS")
    kept = {key: value for key, value in os.environ.items() if key not in ours}
    command = [sys.executable, "setup.py", "build_ext", *folders]
    done = subprocess.run(command, cwd=tree, env=kept | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


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
    done = install(tmp_path, **{"FASTDAAE_CUDA": "0"} | change(tmp_path))
    sentence = next(line for line in done.stdout.splitlines() if line.startswith("fastdaae installs as pure Python"))
    assert reason in sentence and "pip install --force-reinstall --no-deps ." in sentence
    assert not list(tmp_path.rglob("*.so"))


@pytest.mark.needs_cpp
@pytest.mark.slow
def test_install_succeeds_without_a_working_nvcc(tmp_path):
    """The extension is then built for the CPU, and one sentence says why."""
    broken = toolkit(tmp_path / "cuda", 'echo "nvcc: broken" >&2; exit 1')
    done = install(tmp_path, CUDA_HOME=str(broken), FASTDAAE_PORTABLE="1")
    said = [line for line in done.stdout.splitlines() if line.startswith("fastdaae is built without its CUDA kernels")]
    assert len(said) == 1 and f"the build with {broken / 'bin' / 'nvcc'} failed" in said[0]
    (built,) = tmp_path.rglob("*.so")
    code = (
        "import importlib.util, sys, torch; spec = importlib.util.spec_from_file_location('fastdaae._C', sys.argv[1]);"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "print(module.cuda_built(), module.device_count())"
    )
    shown = subprocess.run([sys.executable, "-c", code, built], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "0"]
