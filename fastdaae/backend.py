"""What can run here, and which implementation a call gets."""

import importlib.util
import json
import os
from pathlib import Path
from typing import NamedTuple

import torch

NAMES = ("reference", "cpp", "triton", "cuda")
DEFAULT = os.environ.get("FASTDAAE_BACKEND") or "auto"


class Status(NamedTuple):
    """One backend: whether it is live on this machine, and the reason or the version in words."""

    live: bool
    detail: str


def _build_record() -> dict[str, dict[str, str]]:
    try:
        return json.loads(Path(__file__).with_name("_build.json").read_text())
    except (OSError, ValueError):
        return {}


# what setup.py wrote of its build, {"cpp" | "cuda": {"state", "reason"}}; empty where an extension came without it
BUILD_RECORD = _build_record()
_REINSTALL = "pip install --force-reinstall --no-deps ."


def _recorded(part: str) -> str | None:
    return BUILD_RECORD.get(part, {}).get("reason") or None


def _extension_problem() -> str | None:
    try:
        compiled = importlib.import_module("fastdaae._C")
    except ImportError as error:
        hint = f"install a C++ compiler (g++), then: {_REINSTALL}"
        return _recorded("cpp") or f"the compiled extension cannot be imported ({error}); {hint}"
    isa, usable = os.environ.get("FASTDAAE_ISA"), compiled.build_info()["isas"]
    if isa and isa not in usable:
        raise ValueError(f"FASTDAAE_ISA must be one of {', '.join(map(repr, usable))} on this processor, got {isa!r}")
    if isa:
        compiled.choose_isa(isa)
    return None


# probed once, at import: a probe inside a call could not be traced by torch.compile
CPP_PROBLEM = _extension_problem()


def backends() -> dict[str, Status]:
    """What is live here, and why the rest is not: {backend name: Status(live, detail)}.

    The names are those that every operator's `backend=` takes. Asks for a GPU, which importing fastdaae never does.
    """
    triton, cuda = _triton_problem(), cuda_build_problem() or _gpu_problem()
    return {
        "reference": Status(True, f"plain PyTorch {torch.__version__}: defines what is correct"),
        "cpp": Status(CPP_PROBLEM is None, CPP_PROBLEM or _extension_detail()),
        "triton": Status(triton is None, triton or f"Triton kernels on {torch.cuda.get_device_name()}"),
        "cuda": Status(cuda is None, cuda or f"CUDA kernels on {torch.cuda.get_device_name()}"),
    }


def _extension_detail() -> str:
    info = importlib.import_module("fastdaae._C").build_info()
    threads = f"OpenMP, {torch.get_num_threads()} threads" if info["openmp"] else "one thread, built without OpenMP"
    return f"C++ extension ({info['isa']}; {info['compiler']}; {threads})"


def _triton_problem() -> str | None:
    if importlib.util.find_spec("triton") is None:
        return "triton is not installed; pip install triton"
    return _gpu_problem()


def cuda_build_problem() -> str | None:
    """Why the extension has no CUDA kernels and what to do, or None where it has them; asks for no GPU."""
    if CPP_PROBLEM is not None:
        return CPP_PROBLEM
    if importlib.import_module("fastdaae._C").cuda_built():
        return None
    return _recorded("cuda") or f"the extension was built without CUDA, and no record says why; {_REINSTALL}"


def _gpu_problem() -> str | None:
    if not torch.backends.cuda.is_built():
        return f"PyTorch {torch.__version__} was built without CUDA"
    if not torch.cuda.is_available():
        return "PyTorch sees no CUDA device"
    return None


def choose(operator: str, requested: str, problems: dict[str, str | None]) -> str:
    """The backend that runs this call: the requested one, or for "auto" the first of `problems` without a problem.

    `problems` lists the operator's own backends in order of preference, each with None or the reason why it cannot run
    this call. FASTDAAE_BACKEND replaces "auto" for the operators that have that backend. Raises ValueError for an
    unknown name and RuntimeError, with the reason and the usable ones, for a named backend that cannot run.
    """
    if requested == "auto" and problems.get(DEFAULT, "absent") is None:
        return DEFAULT
    if requested == "auto":
        return next(name for name, problem in problems.items() if problem is None)
    if problems.get(requested, "absent") is None:
        return requested
    listed = ", ".join(repr(name) for name, problem in problems.items() if problem is None)
    if requested not in NAMES:
        raise ValueError(f"backend must be 'auto' or one of {', '.join(map(repr, NAMES))}, got {requested!r}")
    reason = problems.get(requested) or f"{operator} has no {requested} kernel in this version"
    raise RuntimeError(f"backend={requested!r} cannot run {operator}: {reason}; usable here: {listed}")


if DEFAULT not in ("auto", *NAMES):
    raise ValueError(f"FASTDAAE_BACKEND must be 'auto' or one of {', '.join(map(repr, NAMES))}, got {DEFAULT!r}")
