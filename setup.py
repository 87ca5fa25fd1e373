"""Builds fastdaae._C with a C++ compiler and ninja, without torch; where that fails, fastdaae is pure Python."""

import os
import platform
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import NamedTuple

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
BINDINGS = [
    f"csrc/python/{name}.cpp" for name in ("chain", "corruption", "cuda", "layers", "module", "neighbors", "parzen")
]
SOURCES = [*BINDINGS, "csrc/cpu/engine.cpp", "csrc/cpu/machine.cpp"]
KERNELS = [
    f"csrc/cpu/{name}.cpp"
    for name in (
        "chain/chain",
        "layers/layers",
        "neighbors/neighbors",
        "noise/corruption",
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
PRODUCTS_ONLY = {"avx512_bf16": ("layers", "chain", "parzen", "neighbors")}
CUDA_SOURCES = [f"csrc/cuda/{name}.cu" for name in ("intrinsic_dimension", "nearest_neighbors", "runtime")]
CUDA_FOLDERS = [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
CUDA_ARCHITECTURES = ("80", "90", "100")
# Without errno, sqrt is one instruction and vectorises; no other IEEE rule is given up.
COMPILE_FLAGS = ["-O3", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-fopenmp", "-fno-math-errno"]
# libgomp is linked by its plain name: torch, imported first, has loaded it, and there is one pool of threads.
LINK_FLAGS = ["-shared", "-fopenmp", "-Wl,--exclude-libs,ALL", "-s"]
NVCC_FLAGS = ["-O3", "-std=c++17", "--threads", "4", "--cudart", "static", "-Xcompiler", "-fPIC,-fvisibility=hidden"]
CUDA_LINK_FLAGS = ["-lcudart_static", "-lpthread", "-ldl", "-lrt"]
REINSTALL = "then reinstall: pip install --force-reinstall --no-deps ."


class ExtensionUnavailable(Exception):
    """The compiled extension cannot be built here; the message says why and what to do."""


def find_compiler(environment) -> list[str]:
    """The C++ compiler's command: CXX, else the first of g++, c++ and clang++ on PATH."""
    if environment.get("CXX"):
        command = shlex.split(environment["CXX"])
        if not shutil.which(command[0], path=environment.get("PATH")):
            raise ExtensionUnavailable(f"CXX names a compiler that was not found ({command[0]}): correct or unset CXX")
        return command
    for name in ("g++", "c++", "clang++"):
        if shutil.which(name, path=environment.get("PATH")):
            return [name]
    raise ExtensionUnavailable("no C++ compiler was found: install one (g++)")


def find_ninja() -> str:
    """The ninja executable: the build environment's package, else the one on PATH."""
    try:
        import ninja
    except ImportError:
        found = shutil.which("ninja")
    else:
        found = shutil.which("ninja", path=ninja.BIN_DIR) or shutil.which("ninja")
    if not found:
        raise ExtensionUnavailable("ninja was not found: pip install ninja")
    return found


def include_folders() -> list[str]:
    """Header folders of pybind11 and of this Python."""
    try:
        import pybind11
    except ImportError as error:
        raise ExtensionUnavailable("pybind11 was not found: pip install pybind11") from error
    paths = sysconfig.get_paths()
    return list(dict.fromkeys([pybind11.get_include(), paths["include"], paths["platinclude"]]))


class Cuda(NamedTuple):
    """A CUDA toolkit: its compiler, the folders of its static runtime, and the architectures to build for."""

    nvcc: Path
    library_folders: list[Path]
    architectures: list[str]


def find_cuda(environment) -> Cuda | None:
    """The toolkit in CUDA_HOME, else in /usr/local/cuda*, else around the nvcc on PATH; None with FASTDAAE_CUDA=0."""
    if environment.get("FASTDAAE_CUDA") == "0":
        return None
    home = environment.get("CUDA_HOME")
    folders = ([Path(home)] if home else []) + CUDA_FOLDERS
    on_path = shutil.which("nvcc", path=environment.get("PATH"))
    compilers = [folder / "bin" / "nvcc" for folder in folders] + ([Path(on_path)] if on_path else [])
    nvcc = next((path for path in compilers if path.is_file() and os.access(path, os.X_OK)), None)
    if nvcc is None:
        return None
    root = nvcc.resolve().parents[1]
    libraries = [root / name for name in ("lib64", "lib", f"targets/{os.uname().machine}-linux/lib")]
    named = environment.get("FASTDAAE_CUDA_ARCHS", "").replace(";", ",").split(",")
    return Cuda(nvcc, [folder for folder in libraries if folder.is_dir()], list(filter(None, named)) or known_to(nvcc))


def known_to(nvcc: Path) -> list[str]:
    """Those of our architectures that this compiler knows; all of them where it does not say."""
    listed = subprocess.run([nvcc, "--list-gpu-arch"], capture_output=True, text=True).stdout.split()
    return [one for one in CUDA_ARCHITECTURES if f"compute_{one}" in listed] or list(CUDA_ARCHITECTURES)


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
        flags = [*flags, "-DFASTDAAE_CUDA"] if cuda and source in BINDINGS else flags
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


def compile_extension(build_folder: Path, output: Path) -> None:
    """Builds the shared object at output, without CUDA where that fails, or raises ExtensionUnavailable."""
    if os.environ.get("FASTDAAE_NO_EXT") == "1":
        raise ExtensionUnavailable("FASTDAAE_NO_EXT=1 asks for that: unset it")
    tools = find_compiler(os.environ), include_folders()
    build_folder.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    cuda = find_cuda(os.environ)
    if cuda:
        try:
            return run_ninja(ninja_file(*tools, build_folder, output, cuda), build_folder)
        except ExtensionUnavailable:
            reason = f"the build with {cuda.nvcc} failed (its messages are above): correct what they name"
            print(f"fastdaae is built without its CUDA kernels, because {reason} or set FASTDAAE_CUDA=0, {REINSTALL}")
    run_ninja(ninja_file(*tools, build_folder, output), build_folder)


def run_ninja(text: str, build_folder: Path) -> None:
    (build_folder / "build.ninja").write_text(text)
    jobs = ["-j", os.environ["MAX_JOBS"]] if os.environ.get("MAX_JOBS") else []
    try:
        subprocess.run([find_ninja(), "-C", str(build_folder), *jobs], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ExtensionUnavailable("the compiler failed (its messages are above): correct what they name") from error


class NinjaBuild(build_ext):
    """Builds the extension with ninja; a failure leaves a pure Python package instead of ending the install."""

    def build_extension(self, ext):
        output = Path(self.get_ext_fullpath(ext.name)).resolve()
        try:
            compile_extension(Path(self.build_temp).resolve(), output)
        except ExtensionUnavailable as reason:
            leftovers = [output, ROOT / "fastdaae" / output.name] if self.editable_mode else [output]
            for stale in leftovers:
                stale.unlink(missing_ok=True)
            print(f"fastdaae installs as pure Python, without its compiled extension, because {reason}, {REINSTALL}")


if __name__ == "__main__":
    csrc = sorted((ROOT / "csrc").rglob("*"))
    others = [str(path.relative_to(ROOT)) for path in csrc if path.suffix in (".h", ".cu")]  # for source archives
    extension = Extension("fastdaae._C", SOURCES + KERNELS, depends=others, optional=True)
    setup(ext_modules=[extension], cmdclass={"build_ext": NinjaBuild})
