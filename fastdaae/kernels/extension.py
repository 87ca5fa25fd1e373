"""Launchers of the compiled extension: torch tensors in, pointers and sizes down, torch tensors out."""

import importlib
from types import ModuleType

import torch  # before the extension, which then shares torch's OpenMP threads
from torch import Tensor

from fastdaae import backend
from fastdaae.kernels.memory import empty

_KINDS = ("none", "gaussian", "clipped_gaussian", "masking", "salt_and_pepper")
_compiled = None if backend.EXTENSION_PROBLEM else importlib.import_module("fastdaae._C")


def load() -> ModuleType:
    """The compiled module fastdaae._C; raises RuntimeError, with the reason and what to do, where it is missing."""
    if _compiled is None:
        raise RuntimeError(backend.EXTENSION_PROBLEM)
    return _compiled


def _require(tensor: Tensor, name: str, dtypes: tuple[torch.dtype, ...], dimensions: int) -> None:
    # The extension sees addresses only: what is not as promised would be read as garbage.
    contiguous = tensor.is_contiguous()
    if not (tensor.is_cpu and contiguous and tensor.dtype in dtypes and tensor.ndim == dimensions):
        expected = " or ".join(str(dtype).removeprefix("torch.") for dtype in dtypes)
        given = f"{tensor.ndim}-D {tensor.device.type} tensor of {str(tensor.dtype).removeprefix('torch.')}"
        raise ValueError(
            f"{name} must be a contiguous {dimensions}-D CPU tensor of {expected}, got a "
            f"{'contiguous' if contiguous else 'strided'} {given}; use .contiguous() or .to()"
        )


def _require_state(state: Tensor) -> None:
    _require(state, "state", (torch.int64,), 1)
    if state.numel() != 3:
        raise ValueError(f"state must hold 3 numbers (seed low, seed high, step), got {state.numel()}")


def word(dtype: torch.dtype) -> str:
    """A dtype as the C++ functions name it."""
    return str(dtype).removeprefix("torch.")


def draw(kind: int, amount: float, low: float, high: float, copies: int, row_offset: int, site: int, ahead: int = 0):
    """The argument of the C++ functions that says what is drawn, and where."""
    return (_KINDS[kind], amount, low, high, (), copies, row_offset, site, ahead)


def _source(x: Tensor, index: Tensor | None, state: Tensor) -> tuple[int, tuple[int, str, int, int, int]]:
    """The number of output rows and the arguments (x, type, x_rows, index, state) of the C++ functions."""
    _require(x, "x", (torch.float32, torch.uint8), 2)
    _require_state(state)
    if index is not None:
        _require(index, "index", (torch.int64,), 1)
    rows = len(x) if index is None else len(index)
    pointer = 0 if index is None else index.data_ptr()
    return rows, (x.data_ptr(), word(x.dtype), len(x), pointer, state.data_ptr())


def corrupt(
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    *,
    kind: int,
    a: float,
    low: float,
    high: float,
    copies: int,
    row_offset: int,
    step_offset: int,
    site: int,
) -> Tensor:
    """Corrupts rows of x [R, D] (float32, or uint8 read as value / 255) into float32 [copies, N, D].

    Row i of the result is row index[i] of x (row i without an index); noise is addressed by row_offset + i, the copy,
    site and state[2] + step_offset (`state` int64 [3]: seed low, seed high, step). Kinds: 0 none, 1 Gaussian,
    2 Gaussian clipped to [low, high], 3 masking, 4 salt-and-pepper; `a` is the standard deviation or the probability.
    Raises IndexError for an index outside 0..R-1, ValueError for a tensor of another form, RuntimeError without the
    extension.
    """
    rows, source = _source(x, index, state)
    columns = x.shape[1]
    out = empty(copies, rows, columns, dtype=torch.float32, device=x.device)
    if out.numel():
        drawn = draw(kind, a, low, high, copies, row_offset, site, step_offset)
        load().corrupt(source, rows, columns, drawn, out.data_ptr(), torch.get_num_threads())
    return out


def corrupt_backward(
    grad: Tensor,
    x: Tensor,
    index: Tensor | None,
    state: Tensor,
    *,
    kind: int,
    a: float,
    low: float,
    high: float,
    copies: int,
    row_offset: int,
    step_offset: int,
    site: int,
) -> Tensor:
    """Gradient of `corrupt` per output row: float32 [N, D], the sum over copies of grad [copies, N, D] where x passed.

    The other arguments and errors are those of `corrupt`; with an index the caller adds row i to row index[i] of x.
    """
    rows, source = _source(x, index, state)
    columns = x.shape[1]
    _require(grad, "grad", (torch.float32,), 3)
    if grad.shape != (copies, rows, columns):
        raise ValueError(f"grad must have the shape {(copies, rows, columns)} of the result, got {tuple(grad.shape)}")
    dx = empty(rows, columns, dtype=torch.float32, device=x.device)
    if dx.numel():
        drawn, threads = draw(kind, a, low, high, copies, row_offset, site, step_offset), torch.get_num_threads()
        load().corrupt_backward(grad.data_ptr(), source, rows, columns, drawn, dx.data_ptr(), threads)
    return dx


def noise_words(
    state: Tensor, *, rows: int, columns: int, copies: int, row_offset: int, step_offset: int, site: int
) -> Tensor:
    """The raw words of addressed noise, 0..2^32-1, as int64 [copies, rows, columns]; `state` as in `corrupt`."""
    _require_state(state)
    words = empty(copies, rows, columns, dtype=torch.uint32, device=state.device)
    if words.numel():
        drawn, threads = draw(0, 0.0, 0.0, 0.0, copies, row_offset, site, step_offset), torch.get_num_threads()
        load().noise_words(state.data_ptr(), rows, columns, drawn, words.data_ptr(), threads)
    return words.to(torch.int64)
