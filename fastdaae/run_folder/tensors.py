"""Tensors and facts in a safetensors file: shared tensors once, a checksum for everything, nothing ever unpickled."""

import json
import math
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

from fastdaae.reading import require_regular
from fastdaae.run_folder.atomic import replace_atomically
from fastdaae.run_folder.errors import DamagedFile

_ADVICE = "restore it from a copy, or remove it and train again"


def save_tensors(path: Path, tensors: dict[str, Tensor], facts: dict) -> None:
    """Write tensors and facts (JSON) to a safetensors file, atomically, with checksums.

    A tensor under several names is written once, and `load_tensors` gives one tensor under all of them.
    """
    from safetensors.torch import save

    owners = shared_names(tensors)
    kept = {name: tensor for name, tensor in tensors.items() if name not in owners}
    host = _flat_on_host(kept)
    described = {"facts": facts, "shapes": {name: list(t.shape) for name, t in kept.items()}, "shared": owners}
    described["crc32"] = {name: _checksum(tensor) for name, tensor in host.items()}
    metadata = {key: json.dumps(value) for key, value in described.items()}
    metadata["metadata_crc32"] = str(_metadata_checksum(metadata))
    # bytes, since safetensors' own writer leaves temporary files behind when it is killed
    replace_atomically(path, lambda temporary: temporary.write_bytes(save(host, metadata)))


def _flat_on_host(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    flat, storages = {}, set()
    for name, tensor in tensors.items():
        row = tensor.detach().to("cpu").reshape(-1).contiguous()
        storage = row.untyped_storage().data_ptr()
        # safetensors refuses tensors that share a storage, such as two views of a buffer
        flat[name] = row.clone() if storage in storages else row
        storages.add(storage)
    return flat


def shared_names(tensors: dict[str, Tensor]) -> dict[str, str]:
    """{name: the first name of the same tensor} for every further name of a tensor that has several."""
    first: dict[tuple, str] = {}
    owners = {}
    for name, tensor in tensors.items():
        place = (tensor.device, tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride())
        # what is empty, or is planned only, has no memory to share
        if tensor.data_ptr() and first.setdefault(place, name) != name:
            owners[name] = first[place]
    return owners


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict]:
    """(tensors on the CPU, facts) of what `save_tensors` wrote; a tensor saved under several names is one tensor.

    Raises FileNotFoundError, or DamagedFile where a checksum differs.
    """
    with _opened(path) as (file, metadata):
        flat = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name, tensor in flat.items():
        _require_checksum(path, name, _checksum(tensor), metadata["crc32"].get(name))
    tensors = {name: _shaped(path, name, tensor, metadata) for name, tensor in flat.items()}
    owners = metadata.get("shared", {})
    lost = [name for name, owner in owners.items() if not isinstance(owner, str) or owner not in tensors]
    if lost:
        raise DamagedFile(f"checkpoint {path} lacks the tensor that {lost[0]} shares; {_ADVICE}")
    return tensors | {name: tensors[owner] for name, owner in owners.items()}, metadata["facts"]


def read_facts(path: Path) -> dict:
    """The facts of a tensor file, read without its tensors; errors as `load_tensors`."""
    with _opened(path) as (_, metadata):
        return metadata["facts"]


def read_tensor(path: Path, name: str) -> Tensor | None:
    """One tensor of a tensor file, read alone; None where it has none of that name; errors as `load_tensors`."""
    with _opened(path) as (file, metadata):
        if name not in file.keys():  # noqa: SIM118
            return None
        flat = file.get_tensor(name)
    _require_checksum(path, name, _checksum(flat), metadata["crc32"].get(name))
    return _shaped(path, name, flat, metadata)


def _shaped(path: Path, name: str, flat: Tensor, metadata: dict) -> Tensor:
    shape = metadata["shapes"].get(name)
    whole = isinstance(shape, list) and all(isinstance(size, int) and size >= 0 for size in shape)
    if not whole or math.prod(shape) != flat.numel():
        raise DamagedFile(f"checkpoint {path} holds {flat.numel()} numbers of {name}, of shape {shape}; {_ADVICE}")
    return flat.reshape(shape)


@contextmanager
def _opened(path: Path) -> Iterator[tuple]:
    """(open safetensors file, its metadata with the JSON read)."""
    from safetensors import SafetensorError, safe_open

    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; train first, or is {path.parent} the folder of a run?")
    require_regular(path.stat().st_mode, path)
    try:
        with safe_open(path, framework="pt") as file:
            raw = dict(file.metadata() or {})
            sum_of_metadata = raw.pop("metadata_crc32", None)  # earlier versions wrote none
            if sum_of_metadata is not None:
                _require_checksum(path, "the metadata", str(_metadata_checksum(raw)), sum_of_metadata)
            metadata = {key: _object(key, value) for key, value in raw.items()}
            missing = {"facts", "shapes", "crc32"} - metadata.keys()
            if missing:
                raise ValueError(f"no {min(missing)} in its metadata")
            yield file, metadata
    except (DamagedFile, PermissionError):
        raise
    except (SafetensorError, TypeError, KeyError, ValueError, OSError, AttributeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DamagedFile(f"checkpoint {path} cannot be read ({reason}); {_ADVICE}") from None


def _object(key: str, text: str) -> dict:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(f"{key} in its metadata is not an object")
    return value


def _require_checksum(path: Path, what: str, found, expected) -> None:
    if found != expected:
        raise DamagedFile(f"checkpoint {path} is damaged: the checksum of {what} differs; {_ADVICE}")


def _checksum(tensor: Tensor) -> int:
    return zlib.crc32(tensor.reshape(-1).contiguous().view(torch.uint8).numpy().data) if tensor.numel() else 0


def _metadata_checksum(metadata: dict[str, str]) -> int:
    return zlib.crc32(json.dumps(metadata, sort_keys=True).encode())
