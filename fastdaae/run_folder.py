"""A run's folder: the names of its files, atomic writes, and reading that never trusts a damaged file."""

import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from fastdaae.reading import open_regular, require_regular

CONFIG = "config.json"
METRICS = "metrics.jsonl"
CHECKPOINT = "checkpoint.safetensors"
EVALUATION = "evaluation.json"
SAMPLES = "samples.npz"
MODEL_PREFIX = "model/"


class DamagedFile(ValueError):
    """A file of a run that is truncated or altered; the message names it and says what to do."""


def replace_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, then put it in place: a kill leaves the old or the new.

    Where the writing fails, as on a full disk, the temporary file is removed. Raises ValueError where `path` is a
    folder or a device, which must not be replaced.
    """
    if path.exists():
        require_regular(path.stat().st_mode, path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        write(temporary)
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    replace_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: dict) -> None:
    """Write a JSON file atomically."""
    write_text(path, json.dumps(value, indent=1) + "\n")


def read_json(path: Path, purpose: str) -> dict:
    """Read a JSON file; raises FileNotFoundError or DamagedFile, naming the file, what it is for and what to do."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, and {purpose} needs it; is {path.parent} the folder of a run?")
    with open_regular(path) as file:
        content = file.read()
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is not valid JSON ({error}); restore it, or start in another run_dir") from None


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.contiguous().view(torch.uint8).numpy()) if tensor.numel() else 0


def save_tensors(path: Path, tensors: dict[str, Tensor], facts: dict) -> None:
    """Write tensors and facts (JSON) to a safetensors file, atomically, with a checksum for each tensor."""
    from safetensors.torch import save_file

    host = {name: tensor.detach().to("cpu").reshape(-1).contiguous() for name, tensor in tensors.items()}
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    sums = {name: _checksum(tensor) for name, tensor in host.items()}
    metadata = {"facts": json.dumps(facts), "shapes": json.dumps(shapes), "crc32": json.dumps(sums)}
    replace_atomically(path, lambda temporary: save_file(host, temporary, metadata))


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """Read what `save_tensors` wrote, on the CPU; raises FileNotFoundError, or DamagedFile where a checksum differs."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; train first, or is {path.parent} the folder of a run?")
    require_regular(path.stat().st_mode, path)
    advice = "restore it from a copy, or remove it and train again (the other files of the run stay)"
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata()
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        facts, shapes, sums = (json.loads(metadata[key]) for key in ("facts", "shapes", "crc32"))
        altered = [name for name, tensor in tensors.items() if _checksum(tensor) != sums.get(name)]
        tensors = {name: tensor if altered else tensor.reshape(shapes[name]) for name, tensor in tensors.items()}
    except PermissionError:
        raise
    except (SafetensorError, TypeError, KeyError, ValueError, OSError, AttributeError, RuntimeError) as error:
        told = " ".join(str(error).split())
        raise DamagedFile(f"checkpoint {path} cannot be read ({told}); {advice}") from None
    if altered:
        raise DamagedFile(f"checkpoint {path} is damaged: the checksum of {altered[0]} differs; {advice}")
    return tensors, facts
