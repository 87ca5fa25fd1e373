"""Chained sampling: the decoder's end with its corruption, and the decode-corrupt-encode Markov chain."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.arguments import whole
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, engine_chain
from fastdaae.ops.corruption import corrupt, encoded, extension_problem
from fastdaae.ops.network import linear
from fastdaae.ops.splitting import is_observed, split_last

PRECISIONS = ("fp32", "bf16")
_ROWS = 8192  # chains that advance together: bounds the memory of one step

# layers of which a CUDA graph can be captured: no state, no random numbers, nothing that waits for the device
_PLAIN = (nn.Sequential, nn.Flatten, nn.Identity, nn.Linear, nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid)

_library = torch.library.Library("fastdaae", "FRAGMENT")
_library.define(
    "triton_linear_sigmoid_corrupt(Tensor h, Tensor weight, Tensor? bias, Tensor state, Tensor? first_row, int kind, "
    "float a, float low, float high, bool keep_clean, SymInt row_offset, int site, int ahead) -> (Tensor, Tensor)"
)


def _launch(*arguments) -> tuple[Tensor, Tensor]:
    from fastdaae.kernels import triton_linear_sigmoid_corrupt

    return triton_linear_sigmoid_corrupt.linear_sigmoid_corrupt(*arguments)


def _fake(
    h, weight, bias, state, first_row, kind, a, low, high, keep_clean, row_offset, site, ahead
) -> tuple[Tensor, Tensor]:
    shape = (h.shape[0], weight.shape[0])
    return h.new_empty(shape), h.new_empty(shape if keep_clean else 0)


_library.impl("triton_linear_sigmoid_corrupt", _launch, "CompositeExplicitAutograd")
torch.library.register_fake("fastdaae::triton_linear_sigmoid_corrupt", _fake, lib=_library)


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    keep_clean: bool = False,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    backend: str = "auto",
) -> reference.Corrupted:
    """The decoder's last layer and the next corruption: x = sigmoid(h W^T + b), x~ ~ c(x~ | x), for h [N, K].

    Returns Corrupted(x_tilde [N, D], x [N, D] or None unless `keep_clean`), in the dtype of h, pixels in [0, 1] before
    the corruption. Differentiable in h, weight and bias. Addresses and errors as `corrupt`. With "triton" and no
    gradient asked for, one kernel does it all; a gradient needs x, so that then the product and x are PyTorch's.
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 2:
        raise ValueError(f"h must have the shape [N, K], got {list(h.shape)}")
    checks.require_linear(weight, bias, h.shape[1], "sigmoid")
    checks.require_noise(corruption, noise, h)
    _, row_offset, site = checks.as_address(1, row_offset, site, h.shape[0])
    problems = {"triton": checks.triton_problem(h), "cpp": extension_problem(h), "reference": None}
    chosen = backends.choose("linear_sigmoid_corrupt", backend, problems)
    if chosen == "triton" and not _wants_gradient(h, weight, bias):
        return _fused(h, weight, bias, corruption, noise, keep_clean, row_offset, None, site, 0)
    x = linear(h, weight, bias, "sigmoid") if chosen == "cpp" else _sigmoid_layer(h, weight, bias)
    x_tilde = corrupt(x, corruption, noise, row_offset=row_offset, site=site, backend=chosen)[0]
    return reference.Corrupted(x_tilde, x if keep_clean else None)


def _sigmoid_layer(h: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    return torch.sigmoid(torch.nn.functional.linear(h, weight, bias))


def _wants_gradient(*tensors: Tensor | None) -> bool:
    return torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors)


def _fused(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    keep_clean: bool,
    row_offset: int,
    first_row: Tensor | None,
    site: int,
    ahead: int,
) -> reference.Corrupted:
    """The kernel with the noise of `ahead` steps later; under autocast in its dtype, as a linear layer would be."""
    kind = h.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else h.dtype
    h, weight = h.to(dtype), weight.to(dtype)
    bias = None if bias is None else bias.to(dtype)
    address = (keep_clean, row_offset, site, ahead)
    x_tilde, x = torch.ops.fastdaae.triton_linear_sigmoid_corrupt.default(
        h, weight, bias, noise.state, first_row, *encoded(corruption), *address
    )
    return reference.Corrupted(x_tilde, x if keep_clean else None)


@torch.no_grad()
def sample_chain(
    decoder: Callable[[Tensor], Tensor],
    encoder: Callable[[Tensor], Tensor],
    z: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    steps: int,
    keep: tuple[int, ...] | None = None,
    row_offset: int = 0,
    site: int = Site.CHAIN,
    precision: str = "fp32",
    backend: str = "auto",
) -> Tensor:
    """The Markov chain z(t+1) = E(C(R(z(t)))) from z [N, Z]: the kept x(t) = R(z(t)), [len(keep), N, ...].

    `keep` lists steps in 0..steps, ascending; (steps,) by default; x(0) = R(z) is not corrupted. Step t reads the noise
    of step `noise.step + t`, row i that of row_offset + i, so that chains may be run in pieces. precision "bf16" rounds
    the factors of every product and changes no dtype (after ten steps of an MNIST model 5e-4 a pixel on average, 1.4e-2
    for 99.9 % of them, 0.05 nats of likelihood). Not differentiable. With "cpp", plain float32 networks
    (`nn.Sequential` of Flatten, Linear, ReLU, Sigmoid) run whole chains in blocks of rows that stay in one core's
    cache. With "triton", an `nn.Sequential` of plain layers that ends in `nn.Linear`, `nn.Sigmoid` corrupts in that
    layer's own kernel, and many rows replay a CUDA graph. A traced graph runs other networks with all rows at once,
    which bounds no memory. Raises ValueError for keep outside 0..steps or another precision. Source: Creswell and
    Bharath 2018, equation 3 and Theorem 1.
    """
    checks.require_batch("z", z, floats_only=True)
    checks.require_noise(corruption, noise, z)
    _, row_offset, site = checks.as_address(1, row_offset, site, z.shape[0])
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {', '.join(map(repr, PRECISIONS))}, got {precision!r}")
    keep = check_keep(steps, keep)
    problems = {"triton": checks.triton_problem(z), "cpp": extension_problem(z), "reference": None}
    chosen = backends.choose("sample_chain", backend, problems)
    address = {"keep": keep, "row_offset": row_offset, "site": site}
    networks = engine_chain.networks_for(decoder, encoder, z) if chosen == "cpp" else None
    if networks is not None:
        return engine_chain.sample_chain(networks, z, noise.state, corruption, half=precision == "bf16", **address)
    if precision == "fp32":
        return _run_in_pieces(decoder, encoder, z, corruption, noise, backend=chosen, **address)
    with torch.autocast(z.device.type, dtype=torch.bfloat16):
        return _run_in_pieces(decoder, encoder, z, corruption, noise, backend=chosen, **address).to(z.dtype)


def _run_in_pieces(decoder, encoder, z, corruption, noise, *, keep, row_offset, site, backend) -> Tensor:
    end = _decoder_end(decoder) if backend == "triton" and z.dim() == 2 else None
    if end is not None and not torch.compiler.is_compiling() and _is_plain(encoder):
        from fastdaae.kernels import triton_chain

        if triton_chain.worthwhile(z, _ROWS):
            return triton_chain.replayed(
                lambda rows, first: _run_fused(end, encoder, rows, corruption, noise, keep, row_offset, first, site),
                z,
                _ROWS,
            )

    def run(rows: Tensor, first: int) -> Tensor:
        if end is not None:
            return _run_fused(end, encoder, rows, corruption, noise, keep, first, None, site)
        return _run(decoder, encoder, rows, corruption, noise, keep, first, site, backend)

    if torch.compiler.is_compiling() or len(z) <= _ROWS:
        # a traced loop over blocks would fix the number of rows
        return run(z, row_offset)
    starts = range(0, len(z), _ROWS)
    return torch.cat([run(z[start : start + _ROWS], row_offset + start) for start in starts], dim=1)


def check_keep(steps: int, keep: tuple[int, ...] | None) -> tuple[int, ...]:
    """The steps to keep as an ascending tuple; raises ValueError where they do not fit 0..steps."""
    steps = whole("steps", steps)
    if steps < 0:
        raise ValueError(f"steps must be >= 0, got {steps}")
    keep = (steps,) if keep is None else tuple(whole("keep", step) for step in keep)
    if not keep or list(keep) != sorted(set(keep)) or keep[0] < 0 or keep[-1] > steps:
        raise ValueError(f"keep must be ascending steps in 0..steps = {steps}, got {keep}; raise steps or lower keep")
    return keep


def _run(decoder, encoder, z, corruption, noise, keep, row_offset, site, backend) -> Tensor:
    kept = []
    for t in range(keep[-1] + 1):
        x = decoder(z)
        if t in keep:
            kept.append(x)
        if t < keep[-1]:
            ahead = noise.ahead(t)
            z = encoder(corrupt(x, corruption, ahead, row_offset=row_offset, site=site, backend=backend)[0])
    return torch.stack(kept)


def _is_plain(network: Callable) -> bool:
    modules = list(network.modules()) if isinstance(network, nn.Module) else []
    return len(modules) > 0 and all(type(m) in _PLAIN and not is_observed(m) for m in modules)


def _decoder_end(decoder: Callable) -> tuple[Callable[[Tensor], Tensor], nn.Linear] | None:
    """A decoder of plain layers up to its last `nn.Linear`, and that layer, where only a sigmoid follows; else None."""
    split = split_last(decoder, nn.Sigmoid) if _is_plain(decoder) else None
    return None if split is None else split_last(decoder[:-1], nn.Linear)


def _run_fused(end, encoder, z, corruption, noise, keep, row_offset, first_row, site) -> Tensor:
    body, last = end
    kept = []
    for t in range(keep[-1]):
        h, keeps = body(z), t in keep
        x_tilde, x = _fused(h, last.weight, last.bias, corruption, noise, keeps, row_offset, first_row, site, t)
        kept += [x] if keeps else []
        z = encoder(x_tilde)
    kept.append(torch.sigmoid(last(body(z))))
    return torch.stack(kept)
