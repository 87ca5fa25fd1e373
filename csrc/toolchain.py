"""What the extension can be built with on a machine: the compilers, and what they say when they fail."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
CUDA_FOLDERS = [Path("/usr/local/cuda"), *sorted(Path("/usr/local").glob("cuda-*"), reverse=True)]
CUDA_ARCHITECTURES = ("80", "90", "100")
REINSTALL = "then reinstall: pip install --force-reinstall --no-deps ."
WITHOUT_CUDA = "the extension was built without CUDA"


class Outcome(NamedTuple):
    """What became of the C++ or the CUDA half of the extension, and in words why it is not there and what to do.

    state: "built"; "failed"; "absent", for want of a tool; or "refused", because the environment asks for that.
    """

    state: str
    reason: str = ""


class ExtensionUnavailable(Exception):
    """The compiled extension cannot be built here: the state of its Outcome, and why and what to do."""

    def __init__(self, state: str, reason: str):
        super().__init__(reason)
        self.state = state


def find_compiler(environment) -> list[str]:
    """The C++ compiler's command: CXX, else the first of g++, c++ and clang++ on PATH."""
    if environment.get("CXX"):
        command = shlex.split(environment["CXX"])
        if not shutil.which(command[0], path=environment.get("PATH")):
            problem = f"CXX names a compiler that was not found ({command[0]}): correct or unset CXX"
            raise ExtensionUnavailable("failed", problem)
        return command
    for name in ("g++", "c++", "clang++"):
        if shutil.which(name, path=environment.get("PATH")):
            return [name]
    raise ExtensionUnavailable("absent", "no C++ compiler was found: install one (g++)")


def find_ninja() -> str:
    """The ninja executable: the build environment's package, else the one on PATH."""
    try:
        import ninja
    except ImportError:
        found = shutil.which("ninja")
    else:
        found = shutil.which("ninja", path=ninja.BIN_DIR) or shutil.which("ninja")
    if not found:
        raise ExtensionUnavailable("absent", "ninja was not found: pip install ninja")
    return found


class Cuda(NamedTuple):
    """A CUDA toolkit: its compiler, the folders of its static runtime, and the architectures to build for."""

    nvcc: Path
    library_folders: list[Path]
    architectures: list[str]


def find_nvcc(environment) -> Path | None:
    """nvcc of CUDA_HOME, else of /usr/local/cuda*, else the one on PATH."""
    home = environment.get("CUDA_HOME")
    folders = ([Path(home)] if home else []) + CUDA_FOLDERS
    on_path = shutil.which("nvcc", path=environment.get("PATH"))
    compilers = [folder / "bin" / "nvcc" for folder in folders] + ([Path(on_path)] if on_path else [])
    return next((path for path in compilers if path.is_file() and os.access(path, os.X_OK)), None)


def find_cuda(environment) -> Cuda | Outcome:
    """The toolkit around nvcc, or why there is none to build with."""
    if environment.get("FASTDAAE_CUDA") == "0":
        return Outcome("refused", f"{WITHOUT_CUDA} because FASTDAAE_CUDA=0: unset it, {REINSTALL}")
    nvcc = find_nvcc(environment)
    if nvcc is None:
        looked = "no nvcc was found in CUDA_HOME, /usr/local/cuda* or PATH"
        return Outcome("absent", f"{WITHOUT_CUDA} because {looked}: install the CUDA toolkit, {REINSTALL}")
    root = nvcc.resolve().parents[1]
    libraries = [root / name for name in ("lib64", "lib", f"targets/{os.uname().machine}-linux/lib")]
    named = environment.get("FASTDAAE_CUDA_ARCHS", "").replace(";", ",").split(",")
    return Cuda(nvcc, [folder for folder in libraries if folder.is_dir()], list(filter(None, named)) or known_to(nvcc))


def known_to(nvcc: Path) -> list[str]:
    """Those of our architectures that this compiler knows; all of them where it does not say."""
    try:
        listed = subprocess.run([nvcc, "--list-gpu-arch"], capture_output=True, text=True).stdout.split()
    except OSError:  # the build then fails, and says so
        listed = []
    return [one for one in CUDA_ARCHITECTURES if f"compute_{one}" in listed] or list(CUDA_ARCHITECTURES)


def first_error(printed: list[str]) -> str:
    """The first error of a compiler or linker in what ninja printed; source files are named from this folder on."""
    said, after = [], None  # after: lines since the command that failed was named
    for line in printed:
        if line.startswith("FAILED: "):
            after = 0
        elif re.match(r"\[\d+/\d+\] |ninja: ", line):
            after = None
        elif after is not None:
            after += 1
            if after > 1 and line.strip():  # the first is the command itself
                said.append(line.strip().replace(f"{ROOT}/", ""))
    names_one = re.compile(r"\b(error|fatal|cannot find|undefined reference|not found)\b", re.IGNORECASE)
    return next(filter(names_one.search, said), said[0] if said else "the compiler failed without a word")
