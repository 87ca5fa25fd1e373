"""Builds fastdaae._C with a C++ compiler and ninja, without torch; where that fails, fastdaae is pure Python."""

import os
import shlex
import shutil
import subprocess
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
SOURCES = ["csrc/bindings.cpp", "csrc/cpu/corruption.cpp"]
# Without errno, sqrt is one instruction and vectorises; no other IEEE rule is given up.
COMPILE_FLAGS = ["-O3", "-std=c++17", "-fPIC", "-fvisibility=hidden", "-fopenmp", "-fno-math-errno"]
# libgomp is linked by its plain name: torch, imported first, has loaded it, and there is one pool of threads.
LINK_FLAGS = ["-shared", "-fopenmp", "-Wl,--exclude-libs,ALL", "-s"]
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


def ninja_path(path) -> str:
    """A path as ninja reads it in a build line."""
    return str(path).replace("$", "$$").replace(":", "$:").replace(" ", "$ ")


def ninja_command(arguments) -> str:
    """A command line as ninja hands it to the shell."""
    return shlex.join(map(str, arguments)).replace("$", "$$")


def ninja_file(compiler: list[str], includes: list[str], build_folder: Path, output: Path) -> str:
    """The text of build.ninja: one object per source, then the link."""
    compile_command = ninja_command([*compiler, *COMPILE_FLAGS, *(f"-I{folder}" for folder in includes)])
    lines = [
        "rule compile",
        f"  command = {compile_command} -MMD -MF $out.d -c $in -o $out",
        "  depfile = $out.d",
        "  deps = gcc",
        "rule link",
        f"  command = {ninja_command(compiler)} $in {ninja_command(LINK_FLAGS)} -o $out",
    ]
    objects = []
    for source in SOURCES:
        objects.append(ninja_path(build_folder / f"{Path(source).stem}.o"))
        lines.append(f"build {objects[-1]}: compile {ninja_path(ROOT / source)}")
    lines.append(f"build {ninja_path(output)}: link {' '.join(objects)}")
    return "\n".join(lines) + "\n"


def compile_extension(build_folder: Path, output: Path) -> None:
    """Builds the shared object at output, or raises ExtensionUnavailable."""
    if os.environ.get("FASTDAAE_NO_EXT") == "1":
        raise ExtensionUnavailable("FASTDAAE_NO_EXT=1 asks for that: unset it")
    text = ninja_file(find_compiler(os.environ), include_folders(), build_folder, output)
    build_folder.mkdir(parents=True, exist_ok=True)
    output.parent.mkdir(parents=True, exist_ok=True)
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
    headers = [str(path.relative_to(ROOT)) for path in sorted((ROOT / "csrc").rglob("*.h"))]  # for source archives
    extension = Extension("fastdaae._C", SOURCES, depends=headers, optional=True)
    setup(ext_modules=[extension], cmdclass={"build_ext": NinjaBuild})
