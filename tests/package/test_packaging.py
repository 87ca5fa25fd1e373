"""setup.py: paths and commands in build.ninja, and the compilers that it chooses."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tools

ROOT = tools.ROOT


@pytest.fixture(scope="module")
def build():
    """setup.py as a module."""
    return tools.load_setup()


def test_ninja_reads_awkward_paths(build, tmp_path):
    folder = tmp_path / "a b:c$d'e"
    folder.mkdir()
    source, output = folder / "in.txt", folder / "out.txt"
    source.write_text("content")
    copy = build.ninja_command([sys.executable, "-c", "import shutil, sys; shutil.copy(*sys.argv[1:])"])
    rule = f"rule copy\n  command = {copy} $in $out\n"
    (tmp_path / "build.ninja").write_text(f"{rule}build {build.ninja_path(output)}: copy {build.ninja_path(source)}\n")
    subprocess.run([build.find_ninja(), "-C", tmp_path], check=True, capture_output=True)
    assert output.read_text() == "content"


def test_ninja_file_names_every_source_once(build, tmp_path):
    text = build.ninja_file(["ccache", "g++"], ["/include dir"], tmp_path, tmp_path / "_cpp.so")
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


def test_cuda_from_path(build, tmp_path, monkeypatch):
    home = toolkit(tmp_path / "elsewhere")
    monkeypatch.setattr(tools.toolchain(), "CUDA_FOLDERS", [tmp_path / "absent"])
    assert build.find_cuda({"PATH": str(home / "bin")}).nvcc == home / "bin" / "nvcc"


def test_no_nvcc_is_told_apart_from_an_nvcc_that_is_refused(build, tmp_path, monkeypatch):
    monkeypatch.setattr(tools.toolchain(), "CUDA_FOLDERS", [])
    absent = build.find_cuda({"PATH": str(tmp_path)})
    assert absent.state == "absent" and "no nvcc was found in CUDA_HOME, /usr/local/cuda* or PATH" in absent.reason
    refused = build.find_cuda({"CUDA_HOME": str(toolkit(tmp_path / "cuda")), "PATH": "", "FASTDAAE_CUDA": "0"})
    assert refused.state == "refused" and "built without CUDA because FASTDAAE_CUDA=0: unset it" in refused.reason


def test_an_nvcc_that_cannot_run_does_not_end_the_install(build, tmp_path):
    nvcc = toolkit(tmp_path / "cuda") / "bin" / "nvcc"
    nvcc.write_bytes(b"\x7fELF of another machine")
    assert build.find_cuda({"CUDA_HOME": str(tmp_path / "cuda"), "PATH": ""}).architectures == ["80", "90", "100"]


@pytest.mark.parametrize(
    ("printed", "error"),
    [
        (
            [
                "ninja: Entering directory `/tmp/build'\n",
                "[1/3] g++ -DNAME=error -c a.cpp\n",
                "a.cpp:3:1: warning: error is an unused variable\n",
                "FAILED: [code=1] b.o \n",
                "g++ -I/error/fatal -c b.cpp -o b.o\n",
                "In file included from b.cpp:1:\n",
                f"{ROOT}/csrc/cuda/b.h:15:8: error: redefinition of ‘struct Search’\n",
                "b.cpp:9:1: error: a later one\n",
                "ninja: build stopped: subcommand failed.\n",
            ],
            "csrc/cuda/b.h:15:8: error: redefinition of ‘struct Search’",
        ),
        (["FAILED: a.o\n", "nvcc a.cu\n", "nvcc fatal   : Unsupported gpu architecture 'compute_7'\n"], None),
        (["FAILED: _cpp.so\n", "g++ a.o\n", "/usr/bin/ld: cannot find -lcudart_static: No such file\n"], None),
        (["FAILED: a.o\n", "nvcc a.cu\n", "\n", "Killed\n", "ninja: build stopped\n"], "Killed"),
        (["FAILED: a.o\n", "nvcc a.cu\n"], "the compiler failed without a word"),
    ],
    ids=["compiler", "nvcc", "linker", "killed", "silent"],
)
def test_the_first_error_is_found_in_what_ninja_prints(build, printed, error):
    assert build.first_error(printed) == (error or printed[2].strip())


def test_ninja_file_with_cuda(build, tmp_path):
    cuda = build.Cuda(Path("/opt/cu da/bin/nvcc"), [Path("/opt/cu da/lib64")], ["80", "90"])
    text = build.ninja_file(["g++"], [], tmp_path, tmp_path / "_cpp.so", cuda)
    for source in build.CUDA_SOURCES:
        assert text.count(f": compile_cuda {build.ninja_path(ROOT / source)}\n") == 1
    for flag in ("compute_80,code=sm_80", "compute_90,code=sm_90", "compute_90,code=compute_90", "--cudart static"):
        assert flag in text
    assert "command = '/opt/cu da/bin/nvcc'" in text and "'-L/opt/cu da/lib64' -lcudart_static" in text
    assert text.count("-DFASTDAAE_CUDA") == 1 and "fast" not in " ".join(build.NVCC_FLAGS)
    without = build.ninja_file(["g++"], [], tmp_path, tmp_path / "_cpp.so")
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
