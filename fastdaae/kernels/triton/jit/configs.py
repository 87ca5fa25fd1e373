"""What a launch depends on besides its tensors: the architecture, and how tiles fit it."""

import torch
import triton

from fastdaae.kernels.triton.jit.noise import INTERPRET

_PROCESSORS_WITHOUT_GPU = 4  # so that the interpreter splits small problems as a device splits large ones


def architecture(device: torch.device) -> int:
    """The compute capability of a CUDA device as 10 major + minor; 90 for CPU tensors, which the interpreter takes."""
    if device.type != "cuda":
        return 90
    major, minor = torch.cuda.get_device_capability(device)
    return 10 * major + minor


def shared_memory(device: torch.device) -> int:
    """Shared memory that one thread block may use, in KiB."""
    number = architecture(device)
    return 227 if 90 <= number < 120 else 163 if number in (80, 87) else 99


def processors(device: torch.device) -> int:
    """The multiprocessors of a device."""
    if device.type != "cuda":
        return _PROCESSORS_WITHOUT_GPU
    return torch.cuda.get_device_properties(device).multi_processor_count


def configuration(table: dict[str, dict[str, int]], device: torch.device) -> dict[str, int]:
    """The entry of a table with the keys "sm_80", "sm_90", "sm_100" and "interpreter" for a device."""
    number = architecture(device)
    return table["interpreter" if INTERPRET else "sm_80" if number < 90 else "sm_90" if number < 100 else "sm_100"]


def elementwise_config(rows: int) -> dict[str, int]:
    """A few numbers a thread for training batches, so that all multiprocessors work; then more, for fewer blocks."""
    if rows <= 1024:
        return {"BM": 4, "BK": 64, "num_warps": 2}
    return {"BM": 32, "BK": 64, "num_warps": 4}


# rows of a product up to which a launch counts as a training batch: small tiles, so that all multiprocessors work
_SMALL = 4096
_MULTIPROCESSORS = 132
_STATIONARY_COLUMNS = 1024


def forward_config(outputs: int, hidden: int, columns: int, weight: torch.Tensor) -> dict[str, int] | None:
    """Tiles of the kernel that keeps x~ on chip for `outputs` rows; None where it does not fit.

    For float32 only 16 rows fit, three TF32 parts of larger tiles spill: too few for a large batch, which would read
    the weight once for every 16 rows.
    """
    full = weight.dtype == torch.float32
    fits = 0 < columns <= _STATIONARY_COLUMNS and shared_memory(weight.device) >= 163
    if not fits or (full and outputs > _SMALL):
        return None
    if outputs > _SMALL:
        tile = {"SPLITS": 1, "BM": 64, "BN": 64, "BK": 128, "num_warps": 8, "num_stages": 1}
    else:
        tile = {"BM": 16, "BN": 32, "BK": 64, "num_warps": 8, "num_stages": 1}
        tile = tile if full else {"BM": 16, "BN": 64, "BK": 128, "num_warps": 4, "num_stages": 2}
        splits = max(1, _MULTIPROCESSORS // triton.cdiv(outputs, tile["BM"]))
        tile["SPLITS"] = min(triton.cdiv(hidden, tile["BN"]), splits)
    pieces = triton.cdiv(columns, tile["BK"])
    last = triton.next_power_of_2(columns - tile["BK"] * (pieces - 1))
    return tile | {"PIECES": pieces, "LAST": max(16, last)}


def tiled_config(outputs: int, weight: torch.Tensor) -> dict[str, int]:
    """Tiles [BM, BN] of a product of `outputs` rows, BK columns at a time."""
    full = weight.dtype == torch.float32
    if outputs <= _SMALL:
        return {"BM": 16, "BN": 64, "BK": 32 if full else 64, "num_warps": 4, "num_stages": 2}
    if full:
        return {"BM": 64, "BN": 128, "BK": 32, "num_warps": 8, "num_stages": 2}
    return {"BM": 128, "BN": 128, "BK": 64, "num_warps": 8, "num_stages": 2}


def weight_gradient_config(weight: torch.Tensor, corruption: str) -> dict[str, int]:
    """Tiles [BH, BD] of the gradient of a weight, BR rows of a batch with a kind of corruption at a time."""
    if weight.dtype == torch.float32:
        return {"BH": 64, "BD": 64, "BR": 16, "num_warps": 4, "num_stages": 2}
    # 64 rows with patches spill 110 registers on sm_80
    return {"BH": 64, "BD": 64, "BR": 32 if corruption == "patches" else 64, "num_warps": 8, "num_stages": 2}


def mean_config(rows: int, weight: torch.Tensor) -> dict[str, int]:
    """Tiles [BM, BN] of a layer averaged over copies, which a program does one after the other."""
    if rows <= _SMALL or weight.dtype == torch.float32:
        return {"BM": 16, "BN": 32, "BK": 64, "num_warps": 4, "num_stages": 2}
    return {"BM": 64, "BN": 32, "BK": 64, "num_warps": 8, "num_stages": 2}
