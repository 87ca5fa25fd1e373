"""Builds fastdaae._cpp with a C++ compiler and ninja, without torch; where that fails, fastdaae is pure Python.

What became of the build is written beside the extension, in fastdaae/_build.json, for fd.backends() and for the tests.
"""

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "csrc"))

from toolchain import (  # noqa: E402
    REINSTALL,
    Cuda,
    ExtensionUnavailable,
    Outcome,
    find_compiler,
    find_cuda,
    find_ninja,
    first_error,
)

BINDINGS = [
    f"csrc/python/{name}.cpp"
    for name in ("chain", "corruption", "cuda", "layers", "module", "neighbors", "parzen", "random")
]
CUDA_BINDINGS = "csrc/python/cuda.cpp"
SOURCES = [*BINDINGS, "csrc/cpu/engine.cpp", "csrc/cpu/machine.cpp", "csrc/cpu/progress.cpp"]
KERNELS = [
    f"csrc/cpu/{name}.cpp"
    for name in (
        "chain/chain",
        "layers/layers",
        "neighbors/neighbors",
        "noise/corruption",
        "noise/random",
        "parzen/parzen",
        "tile/ceiling",
    )
]
# Every kernel is compiled once for each, and the engine chooses when it is loaded. The portable ones are linked first:
# of a template that several files share the linker keeps the first copy, which every processor must be able to run.
AVX2 = ["-mavx2", "-mfma"]
AVX512 = [*AVX2, *(f"-mavx512{part}" for part in ("f", "bw", "dq", "vl")), "-mprefer-vector-width=512"]
AVX512_BF16 = [*AVX512, "-mavx512bf16", "-mavx512vnni"]
INSTRUCTION_SETS = {"portable": [], "avx2": AVX2, "avx512": AVX512, "avx512_bf16": AVX512_BF16}
# kernels without products in bf16 or of bytes are those of avx512
PRODUCTS_ONLY = {"avx512_bf16": ("layers", "chain", "parzen", "neighbors", "tile")}
CUDA_SOURCES = [f"csrc/cuda/{name}.cu" for name in ("intrinsic_dimension", "nearest_neighbors", "runtime")]
# Without errno, sqrt is one instruction and vectorises; no other IEEE rule is given up.
COMPILE_FLAGS = ["-O3", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-fopenmp", "-fno-math-errno"]
# libgomp is linked by its plain name: torch, imported first, has loaded it, and there is one pool of threads.
LINK_FLAGS = ["-shared", "-fopenmp", "-Wl,--exclude-libs,ALL", "-s"]
NVCC_FLAGS = ["-O3", "-std=c++17", "--threads", "4", "--cudart", "static", "-Xcompiler", "-fPIC,-fvisibility=hidden"]
CUDA_LINK_FLAGS = ["-lcudart_static", "-lpthread", "-ldl", "-lrt"]
RECORD = "_build.json"


def include_folders() -> list[str]:
    """Header folders of pybind11 and of this Python."""
    try:
        import pybind11
    except ImportError as error:
        raise ExtensionUnavailable("absent", "pybind11 was not found: pip install pybind11") from error
    paths = sysconfig.get_paths()
    return list(dict.fromkeys([pybind11.get_include(), paths["include"], paths["platinclude"]]))


def nvcc_command(cuda: Cuda) -> list[str]:
    """Machine code for every architecture, and PTX of the last for those to come."""
    codes = [f"-gencode=arch=compute_{one},code=sm_{one}" for one in cuda.architectures]
    last = cuda.architectures[-1]
    return [str(cuda.nvcc), *NVCC_FLAGS, *codes, f"-gencode=arch=compute_{last},code=compute_{last}"]


def ninja_path(path) -> str:
    """A path as ninja reads it in a build line."""
    return str(path).replace("$", "$$").replace(":", "$:").replace(" ", "$ ")


def ninja_command(arguments) -> str:
    """A command line as ninja hands it to the shell."""
    return shlex.join(map(str, arguments)).replace("$", "$$")


def kernel_objects(machine: str) -> list[tuple[str, str, list[str]]]:
    """(source, instruction set, its flags) of every kernel object for a processor family, the portable ones first.

    FASTDAAE_PORTABLE=1 builds these alone: a quarter of the time, and of the speed.
    """
    every = machine in ("x86_64", "AMD64") and os.environ.get("FASTDAAE_PORTABLE") != "1"
    sets = INSTRUCTION_SETS if every else {"portable": []}
    return [
        (source, name, flags)
        for name, flags in sets.items()
        for source in KERNELS
        if name not in PRODUCTS_ONLY or source.split("/")[2] in PRODUCTS_ONLY[name]
    ]


def object_name(source: str) -> str:
    """csrc/cpu/noise/corruption.cpp -> cpu_noise_corruption: unlike for equal names in two folders."""
    return "_".join(Path(source).with_suffix("").parts[1:])


def ninja_file(
    compiler: list[str], includes: list[str], build_folder: Path, output: Path, cuda: Cuda | None = None
) -> str:
    """The text of build.ninja: one object per source, then the link."""
    compile_command = ninja_command([*compiler, *COMPILE_FLAGS, *(f"-I{folder}" for folder in includes)])
    link_flags = [*LINK_FLAGS, *([f"-L{folder}" for folder in cuda.library_folders] + CUDA_LINK_FLAGS if cuda else [])]
    lines = [
        *ninja_rule("compile", f"{compile_command} $flags"),
        "rule link",
        f"  command = {ninja_command(compiler)} $in {ninja_command(link_flags)} -o $out",
    ]
    if cuda:
        lines += ninja_rule("compile_cuda", ninja_command(nvcc_command(cuda)))
    kernels = kernel_objects(platform.machine())
    x86 = ["-DFASTDAAE_WITH_X86"] if any(name != "portable" for _, name, _ in kernels) else []
    jobs = [(source, object_name(source), x86) for source in SOURCES]
    jobs += [
        (source, f"{object_name(source)}_{name}", [f"-DFASTDAAE_ISA={name}", *flags]) for source, name, flags in kernels
    ]
    jobs += [(source, object_name(source), []) for source in (CUDA_SOURCES if cuda else [])]
    objects = []
    for source, stem, flags in jobs:
        objects.append(ninja_path(build_folder / f"{stem}.o"))
        rule = "compile_cuda" if source.endswith(".cu") else "compile"
        lines.append(f"build {objects[-1]}: {rule} {ninja_path(ROOT / source)}")
        flags = [*flags, "-DFASTDAAE_CUDA"] if cuda and source == CUDA_BINDINGS else flags
        if flags:
            lines.append(f"  flags = {ninja_command(flags)}")
    lines.append(f"build {ninja_path(output)}: link {' '.join(objects)}")
    return "\n".join(lines) + "\n"


def ninja_rule(name: str, command: str) -> list[str]:
    """A rule that compiles one source and lists the headers it read."""
    return [
        f"rule {name}",
        f"  command = {command} -MMD -MF $out.d -c $in -o $out",
        "  depfile = $out.d",
        "  deps = gcc",
    ]


def compile_extension(build_folder: Path, output: Path) -> Outcome:
    """Builds the shared object at output and says what became of its CUDA half; may raise ExtensionUnavailable."""
    if os.environ.get("FASTDAAE_NO_EXT") == "1":
        raise ExtensionUnavailable("refused", "FASTDAAE_NO_EXT=1 asks for that: unset it")
    tools = find_compiler(os.environ), include_folders()
    build_folder.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    cuda = find_cuda(os.environ)
    if isinstance(cuda, Cuda):
        try:
            run_ninja(ninja_file(*tools, build_folder, output, cuda), build_folder)
            return Outcome("built")
        except ExtensionUnavailable as error:
            cuda = Outcome("failed", f"the CUDA build failed: {error}, or set FASTDAAE_CUDA=0, {REINSTALL}")
    run_ninja(ninja_file(*tools, build_folder, output), build_folder)
    return cuda


def run_ninja(text: str, build_folder: Path) -> None:
    """Runs ninja over a build.ninja of this text and passes on what it prints; ExtensionUnavailable names its error."""
    (build_folder / "build.ninja").write_text(text)
    jobs = ["-j", os.environ["MAX_JOBS"]] if os.environ.get("MAX_JOBS") else []
    command = [find_ninja(), "-C", str(build_folder), *jobs]
    printed = []
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace") as ninja:
            for line in ninja.stdout:
                print(line, end="", flush=True)
                printed.append(line)
    except OSError as error:
        raise ExtensionUnavailable("failed", f"ninja cannot run ({error}): pip install ninja") from error
    if ninja.returncode:
        raise ExtensionUnavailable("failed", f"{first_error(printed)}: correct that (pip install -v . shows it all)")


class NinjaBuild(build_ext):
    """Builds the extension with ninja; a failure leaves a pure Python package instead of ending the install."""

    def build_extension(self, ext):
        output = Path(self.get_ext_fullpath(ext.name)).resolve()
        try:
            cpp, cuda = Outcome("built"), compile_extension(Path(self.build_temp).resolve(), output)
            if cuda.state != "built":
                print(f"fastdaae: {cuda.reason}")
        except ExtensionUnavailable as problem:
            output.unlink(missing_ok=True)
            print(f"fastdaae installs as pure Python, without its compiled extension, because {problem}, {REINSTALL}")
            cpp = cuda = Outcome(problem.state, f"the compiled extension was not built: {problem}, {REINSTALL}")
        output.parent.mkdir(parents=True, exist_ok=True)
        record = {"cpp": cpp._asdict(), "cuda": cuda._asdict()}
        (output.parent / RECORD).write_text(json.dumps(record, indent=1) + "\n")

    def copy_extensions_to_source(self):
        """Brings the record beside the sources too, and takes away an extension that this build could not renew."""
        super().copy_extensions_to_source()
        for ext in self.extensions:
            in_place, built = map(Path, self._get_inplace_equivalent(self.get_finalized_command("build_py"), ext))
            if not built.exists():
                in_place.unlink(missing_ok=True)
            shutil.copy(built.with_name(RECORD), in_place.with_name(RECORD))


if __name__ == "__main__":
    csrc = sorted((ROOT / "csrc").rglob("*"))
    # for source archives
    others = [str(path.relative_to(ROOT)) for path in csrc if path.suffix in (".h", ".cu", ".py")]
    extension = Extension("fastdaae._cpp", SOURCES + KERNELS, depends=others, optional=True)
    setup(ext_modules=[extension], cmdclass={"build_ext": NinjaBuild})
