"""`corrupt`: gather, scaling, addressed noise and M copies in one pass; registered and differentiable."""

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.corruptions import Corruption, Gaussian, Masking
from fastdaae.kernels import extension
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks

_ADDRESS = "int copies, int row_offset, int site"
_ARGUMENTS = f"Tensor x, Tensor? index, Tensor state, int kind, float a, float low, float high, {_ADDRESS}"
_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(f"corrupt({_ARGUMENTS}) -> Tensor")
_library.define(f"corrupt_backward(Tensor grad, {_ARGUMENTS}) -> Tensor")


def _launch(x, index, state, kind, a, low, high, copies, row_offset, site):
    return extension.corrupt(
        x,
        index,
        state,
        kind=kind,
        a=a,
        low=low,
        high=high,
        copies=copies,
        row_offset=row_offset,
        step_offset=0,
        site=site,
    )


def _launch_backward(grad, x, index, state, kind, a, low, high, copies, row_offset, site):
    return extension.corrupt_backward(
        grad,
        x,
        index,
        state,
        kind=kind,
        a=a,
        low=low,
        high=high,
        copies=copies,
        row_offset=row_offset,
        step_offset=0,
        site=site,
    )


def _fake(x, index, state, kind, a, low, high, copies, row_offset, site):
    rows = x.shape[0] if index is None else index.shape[0]
    return x.new_empty((copies, rows, x.shape[1]), dtype=torch.float32)


def _fake_backward(grad, x, *address):
    return grad.new_empty(grad.shape[1:])


_library.impl("corrupt", _launch, "CPU")
_library.impl("corrupt_backward", _launch_backward, "CPU")
torch.library.register_fake("fastdaae::corrupt", _fake, lib=_library)
torch.library.register_fake("fastdaae::corrupt_backward", _fake_backward, lib=_library)
_corrupt = torch.ops.fastdaae.corrupt.default
_corrupt_backward = torch.ops.fastdaae.corrupt_backward.default


class _Corrupt(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, index, state, address):
        # the state may have advanced by the time of the backward pass: its noise is that of the forward pass
        ctx.save_for_backward(x, index, state.clone())
        ctx.address = address
        return _corrupt(x, index, state, *address)

    @staticmethod
    def backward(ctx, grad):
        x, index, state = ctx.saved_tensors
        per_row = _corrupt_backward(grad.contiguous(), x, index, state, *ctx.address)
        if index is not None:
            per_row = torch.zeros_like(x).index_add_(0, index, per_row)
        return per_row, None, None, None


def _encoded(corruption: Corruption | None) -> tuple[int, float, float, float]:
    """The kernel's words for a corruption: (kind, its parameter, low, high)."""
    if corruption is None:
        return 0, 0.0, 0.0, 0.0
    if isinstance(corruption, Gaussian):
        clip = corruption.clip
        return (1, float(corruption.sigma), 0.0, 0.0) if clip is None else (2, float(corruption.sigma), *clip)
    if isinstance(corruption, Masking):
        return 3, float(corruption.drop), 0.0, 0.0
    return 4, float(corruption.p), float(corruption.low), float(corruption.high)


def extension_problem(x: Tensor) -> str | None:
    """Why the C++ kernel cannot take x, or None."""
    if backends.EXTENSION_PROBLEM is not None:
        return backends.EXTENSION_PROBLEM
    if x.device.type != "cpu":
        return f"it runs on the CPU, and x is on {x.device}"
    return "it computes in float32, and x is float64" if x.dtype == torch.float64 else None


def corrupt(
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    dtype: torch.dtype | None = None,
    backend: str = "auto",
) -> Tensor:
    """M corrupted copies x~ ~ c(x~ | x) of a batch [N, ...], as [copies, N, ...].

    x is uint8 (value / 255) or floating; `index` [N] gathers rows of x first; the noise of row i is that of row_offset
    + i, so that pieces of a batch equal the whole. The result has `dtype`: float32 for uint8, else the dtype of x, by
    default. Corruption None copies. Differentiable in x. Raises TypeError or ValueError for arguments that do not fit,
    IndexError for an index outside x, RuntimeError for a named backend that cannot run. Source: Creswell and Bharath
    2018, Algorithms 1 and 2 (line 3 of each).
    """
    checks.require_batch("x", x)
    checks.require_noise(corruption, noise, x)
    checks.require_address(copies, row_offset, site)
    checks.require_index(index, x)
    chosen = backends.choose("corrupt", backend, {"cpp": extension_problem(x), "reference": None})
    if chosen == "reference":
        return reference.corrupt(
            x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site, dtype=dtype
        )
    flat = x.flatten(1) if x.dtype == torch.uint8 else x.flatten(1).float()
    address = (*_encoded(corruption), copies, row_offset, site)
    x_tilde = _Corrupt.apply(flat.contiguous(), index, noise.state, address)
    dtype = dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
    return x_tilde.reshape(copies, -1, *x.shape[1:]).to(dtype)
