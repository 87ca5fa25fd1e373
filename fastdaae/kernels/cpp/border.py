"""The border to C++: tensors go down as addresses with their number types, checked, since nothing below sees more."""

import torch
from torch import Tensor

from fastdaae import backend

FLOAT = (torch.float32,)
HALF_OR_FLOAT = (torch.float32, torch.bfloat16)
Numbers = tuple[int, str]  # an address and the word for the numbers there
NOWHERE: Numbers = (0, "float32")
_WORDS = {dtype: str(dtype).removeprefix("torch.") for dtype in (torch.uint8, *HALF_OR_FLOAT, torch.float64)}


def word(dtype: torch.dtype) -> str:
    """A dtype in the word that C++ knows: "uint8", "float32", "float64" or "bfloat16"; others have their own."""
    return _WORDS.get(dtype) or str(dtype).removeprefix("torch.")


def problem(name: str, x: Tensor) -> str | None:
    """Why nothing here can take x, or None."""
    if backend.CPP_PROBLEM is not None:
        return backend.CPP_PROBLEM
    return None if x.device.type == "cpu" else f"it runs on the CPU, and {name} is on {x.device}"


def require(name: str, tensor: Tensor, dtypes: tuple[torch.dtype, ...], dimensions: int) -> None:
    """Raises ValueError unless a tensor is contiguous, on the CPU, of one of the dtypes and of so many dimensions."""
    contiguous = tensor.is_contiguous()
    if not (tensor.is_cpu and contiguous and tensor.dtype in dtypes and tensor.ndim == dimensions):
        given = f"{tensor.ndim}-D {tensor.device.type} tensor of {word(tensor.dtype)}"
        raise ValueError(
            f"{name} must be a contiguous {dimensions}-D CPU tensor of {' or '.join(map(word, dtypes))}, got a "
            f"{'contiguous' if contiguous else 'strided'} {given}; use .contiguous() or .to()"
        )


def require_shape(name: str, tensor: Tensor, shape: tuple[int, ...]) -> None:
    """Raises ValueError unless a tensor has the shape."""
    if tuple(tensor.shape) != shape:
        raise ValueError(f"{name} must have the shape {list(shape)} to fit the others, got {list(tensor.shape)}")


def numbers(name: str, tensor: Tensor | None, dtypes: tuple[torch.dtype, ...], dimensions: int) -> Numbers:
    """A checked tensor as C++ takes it."""
    if tensor is None:
        return NOWHERE
    require(name, tensor, dtypes, dimensions)
    return tensor.data_ptr(), word(tensor.dtype)


def state_address(state: Tensor) -> int:
    """The address of a noise's state [3]: seed low, seed high, step."""
    require("state", state, (torch.int64,), 1)
    if state.numel() != 3:
        raise ValueError(f"state must hold 3 numbers (seed low, seed high, step), got {state.numel()}")
    return state.data_ptr()


def source(x: Tensor, index: Tensor | None, state: Tensor) -> tuple[int, str, int, int, int]:
    """A batch as C++ reads it: rows index[i] of x [R, D] (row i without an index), float32 or uint8."""
    where = numbers("x", x, (torch.float32, torch.uint8), 2)
    if index is not None:
        require("index", index, (torch.int64,), 1)
    return *where, x.shape[0], 0 if index is None else index.data_ptr(), state_address(state)


def layer(weight: Tensor, bias: Tensor | None, inputs: int, activation: str, slope: float) -> tuple:
    """A layer as C++ takes it: weight [H, inputs] float32 or bf16, bias [H] float32 or None."""
    where = numbers("weight", weight, HALF_OR_FLOAT, 2)
    require_shape("weight", weight, (weight.shape[0], inputs))
    shift = numbers("bias", bias, FLOAT, 1)[0]
    if bias is not None:
        require_shape("bias", bias, (weight.shape[0],))
    return where, shift, inputs, weight.shape[0], activation, slope
