"""`corrupt`: gather, scaling, addressed noise and M copies in one pass; registered and differentiable."""

import torch
from torch import Tensor

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.corruptions import Corruption, Gaussian, Masking
from fastdaae.kernels import extension
from fastdaae.noise import Noise, Site, require_rows
from fastdaae.ops import checks, second_derivatives

_ADDRESS = "int copies, SymInt row_offset, int site"
_ARGUMENTS = f"Tensor x, Tensor? index, Tensor state, int kind, float a, float low, float high, {_ADDRESS}"
_ADDRESS_NAMES = ("kind", "a", "low", "high", "copies", "row_offset", "site")
_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(f"corrupt({_ARGUMENTS}) -> Tensor")
_library.define(f"corrupt_backward(Tensor grad, {_ARGUMENTS}) -> Tensor")
_library.define(f"triton_corrupt({_ARGUMENTS}, ScalarType dtype) -> Tensor")
_library.define(f"triton_corrupt_backward(Tensor grad, {_ARGUMENTS}) -> Tensor")


def _launch(x, index, state, *address):
    named = dict(zip(_ADDRESS_NAMES, address, strict=True))
    require_rows(named["row_offset"], checks.rows_of(x, index))  # a traced call could not know its rows
    return extension.corrupt(x, index, state, **named, step_offset=0)


def _launch_backward(grad, x, index, state, *address):
    named = dict(zip(_ADDRESS_NAMES, address, strict=True))
    return extension.corrupt_backward(grad, x, index, state, **named, step_offset=0)


def _launch_triton(x, index, state, *address_and_dtype):
    from fastdaae.kernels import triton_corrupt, triton_source

    *address, dtype = address_and_dtype
    require_rows(address[_ADDRESS_NAMES.index("row_offset")], checks.rows_of(x, index))
    return triton_corrupt.corrupt(x, index, state, triton_source.Draw.of(*address), dtype)


def _launch_triton_backward(grad, x, index, state, *address):
    from fastdaae.kernels import triton_corrupt, triton_source

    return triton_corrupt.corrupt_backward(grad, x, index, state, triton_source.Draw.of(*address))


def _fake(x, index, state, kind, a, low, high, copies, row_offset, site, dtype=torch.float32):
    rows = x.shape[0] if index is None else index.shape[0]
    return x.new_empty((copies, rows, x.shape[1]), dtype=dtype)


def _fake_backward(grad, x, *address):
    return grad.new_empty(grad.shape[1:], dtype=torch.float32)


_library.impl("corrupt", _launch, "CPU")
_library.impl("corrupt_backward", _launch_backward, "CPU")
torch.library.register_fake("fastdaae::corrupt", _fake, lib=_library)
torch.library.register_fake("fastdaae::corrupt_backward", _fake_backward, lib=_library)
_library.impl("triton_corrupt", _launch_triton, "CompositeExplicitAutograd")
_library.impl("triton_corrupt_backward", _launch_triton_backward, "CompositeExplicitAutograd")
torch.library.register_fake("fastdaae::triton_corrupt", _fake, lib=_library)
torch.library.register_fake("fastdaae::triton_corrupt_backward", _fake_backward, lib=_library)
_corrupt = torch.ops.fastdaae.corrupt.default
_corrupt_backward = torch.ops.fastdaae.corrupt_backward.default
_triton_corrupt = torch.ops.fastdaae.triton_corrupt.default
_triton_corrupt_backward = torch.ops.fastdaae.triton_corrupt_backward.default


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
        if second_derivatives.are_wanted():
            dx = second_derivatives.gradient_through_corruption(grad, x, index, state, ctx.address, _corrupt)
            return dx, None, None, None
        per_row = _corrupt_backward(grad.contiguous(), x, index, state, *ctx.address)
        if index is not None:
            per_row = torch.zeros_like(x).index_add_(0, index, per_row)
        return per_row, None, None, None


class TritonCorrupt(torch.autograd.Function):
    """x~ [copies, N, D] of x [R, D] by the Triton kernel, in a dtype of its own."""

    @staticmethod
    def forward(ctx, x, index, state, address, dtype):
        """Arguments as the registered operator takes them, the address as a tuple."""
        # the copy of the state is a launch of its own, which sampling need not wait for
        ctx.save_for_backward(x, index, state.clone() if ctx.needs_input_grad[0] else state)
        ctx.address = address
        return _triton_corrupt(x, index, state, *address, dtype)

    @staticmethod
    def backward(ctx, grad):
        """The gradient of x."""
        x, index, state = ctx.saved_tensors
        return triton_input_gradient(grad.contiguous(), x, index, state, ctx.address), None, None, None, None


def triton_input_gradient(grad: Tensor, x: Tensor, index: Tensor | None, state: Tensor, address: tuple) -> Tensor:
    """The gradient by x [R, D], in its dtype, of corrupted copies with the contiguous gradient [copies, N, D]."""
    if second_derivatives.are_wanted():
        return second_derivatives.gradient_through_corruption(grad, x, index, state, address, _noisy_by_triton)
    per_row = _triton_corrupt_backward(grad, x, index, state, *address)
    if index is not None:
        per_row = torch.zeros(x.shape, dtype=per_row.dtype, device=x.device).index_add_(0, index, per_row)
    return per_row.to(x.dtype)


def _noisy_by_triton(x: Tensor, index: Tensor | None, state: Tensor, *address) -> Tensor:
    return _triton_corrupt(x, index, state, *address, torch.float32)


def encoded(corruption: Corruption | None) -> tuple[int, float, float, float]:
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
    return "it computes in float32, and x is float64" if x.dtype == torch.float64 else checks.memory_problem("x", x)


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
    default. Corruption None copies. Differentiable in x, to any order. Raises TypeError or ValueError for arguments
    that do not fit, IndexError for an index outside x (on a device, which is not waited for, such a row becomes NaN),
    RuntimeError for a named backend that cannot run. Source: Creswell and Bharath 2018, Algorithms 1 and 2 (line 3 of
    each).
    """
    checks.require_batch("x", x)
    checks.require_noise(corruption, noise, x)
    index = checks.as_index(index, x)
    rows = checks.rows_of(x, index)
    copies, row_offset, site = checks.as_address(copies, row_offset, site, rows)
    problems = {"cpp": extension_problem(x), "triton": checks.triton_problem(x), "reference": None}
    chosen = backends.choose("corrupt", backend, problems)
    if chosen == "reference":
        return reference.corrupt(
            x, corruption, noise, copies=copies, index=index, row_offset=row_offset, site=site, dtype=dtype
        )
    address = (*encoded(corruption), copies, row_offset, site)
    dtype = dtype or (torch.float32 if x.dtype == torch.uint8 else x.dtype)
    run = _run_triton if chosen == "triton" else _run_cpp
    x_tilde = run(x.flatten(1), index, noise.state, address, dtype)
    return x_tilde if x.dim() == 2 else x_tilde.reshape(copies, rows, *x.shape[1:])


def _run_cpp(x: Tensor, index: Tensor | None, state: Tensor, address: tuple, dtype: torch.dtype) -> Tensor:
    x = (x if x.dtype == torch.uint8 else x.float()).contiguous()
    if x.requires_grad and torch.is_grad_enabled():
        return _Corrupt.apply(x, index, state, address).to(dtype)
    return (_launch if _is_eager(x) else _corrupt)(x, index, state, *address).to(dtype)


def _run_triton(x: Tensor, index: Tensor | None, state: Tensor, address: tuple, dtype: torch.dtype) -> Tensor:
    x, rounded = x.contiguous(), torch.float32 if dtype == torch.float64 else dtype
    if x.requires_grad and torch.is_grad_enabled():
        return TritonCorrupt.apply(x, index, state, address, rounded).to(dtype)
    return (_launch_triton if _is_eager(x) else _triton_corrupt)(x, index, state, *address, rounded).to(dtype)


def _is_eager(x: Tensor) -> bool:
    # nothing traces this call: the launcher itself saves the dispatcher's share of a small one
    return type(x) is Tensor and not torch.compiler.is_compiling()
