"""The encoder's operators: corruption plus first layer, mean over copies, and Algorithm 2 over them."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from fastdaae import backend as backends
from fastdaae import reference
from fastdaae.corruptions import Corruption
from fastdaae.noise import Noise, Site
from fastdaae.ops import checks, engine_layers, network
from fastdaae.ops.corruption import corrupt, encoded, extension_problem
from fastdaae.ops.splitting import is_observed, split_last
from fastdaae.ops.triton_layers import ACTIVATIONS, CorruptedLinear, LinearMean

# layers whose output for one row depends on the other rows of the batch
_BATCH_DEPENDENT = (nn.modules.batchnorm._BatchNorm,)


def corrupted_linear(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int = 1,
    activation: str = "relu",
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.RECONSTRUCTION,
    backend: str = "auto",
) -> Tensor:
    """The first layer on corrupted inputs: activation(x~ W^T + b) for M copies of x [N, ...], as [copies, N, H].

    weight is [H, D] with D the flat size of a row, bias [H] or None; activation "relu", "sigmoid" or "none". The result
    has the dtype of weight, under autocast autocast's. Differentiable in x, weight and bias. Addresses, index and
    errors as `corrupt`. x~ is made on chip and never written, and takes part in the dtype of the result. "cpp" computes
    in float32 or bf16 (sums in float32); "triton" makes float32 products of three TF32 parts.
    """
    checks.require_batch("x", x)
    checks.require_linear(weight, bias, x[:0].flatten(1).shape[1], activation)
    problems = {"cpp": engine_layers.problem(x, weight), "triton": _triton_problem(x, weight), "reference": None}
    chosen = backends.choose("corrupted_linear", backend, problems)
    draw = {"copies": copies, "index": index, "row_offset": row_offset, "site": site}
    if chosen == "reference":
        return _two_kernel(x, weight, bias, corruption, noise, activation=activation, backend=chosen, **draw)
    checks.require_noise(corruption, noise, x)
    index = checks.as_index(index, x)
    address = (*encoded(corruption), *checks.as_address(copies, row_offset, site, checks.rows_of(x, index)))
    if chosen == "cpp":
        return engine_layers.corrupted_linear(x.flatten(1), index, noise.state, weight, bias, activation, address)
    weight, bias = _as_kernel_reads(weight, bias)
    number = ACTIVATIONS.index(activation)
    return CorruptedLinear.apply(x.flatten(1).contiguous(), index, noise.state, weight, bias, number, address)


def _two_kernel(x, weight, bias, corruption, noise, *, activation, backend, **draw) -> Tensor:
    """`corrupted_linear` as a corruption and PyTorch's product: what the fused kernels are measured against."""
    x_tilde = corrupt(x, corruption, noise, dtype=weight.dtype, backend=backend, **draw)
    return reference.activate(nn.functional.linear(x_tilde.flatten(2), weight, bias), activation)


def _triton_problem(x: Tensor, weight: Tensor) -> str | None:
    problem = checks.triton_problem(x)
    if problem is None and weight.device != x.device:
        return f"weight must be on the device of x, {x.device}, got {weight.device}"
    if problem is None and weight.dtype == torch.float64:
        return "it computes in float32, and weight is float64"
    return problem or checks.memory_problem("weight", weight)


def _as_kernel_reads(*tensors: Tensor | None) -> tuple[Tensor | None, ...]:
    """The tensors contiguous, and under autocast in the dtype that PyTorch's own product would take them in."""
    dtype = checks.autocast_dtype(tensors[0])
    return tuple(None if t is None else t.to(dtype or t.dtype).contiguous() for t in tensors)


def linear_mean(
    h: Tensor, weight: Tensor, bias: Tensor | None, *, activation: str = "relu", backend: str = "auto"
) -> Tensor:
    """A layer averaged over copies: the mean over M of activation(h W^T + b) for h [M, N, K], as [N, H].

    Without an activation the mean is taken before the product, where it commutes. Differentiable in h, weight and bias.
    Raises ValueError for shapes that do not fit. Source: Creswell and Bharath 2018, Algorithm 2 (line 8).
    """
    checks.require_batch("h", h, floats_only=True)
    if h.dim() != 3 or h.shape[0] < 1:
        raise ValueError(f"h must have the shape [M, N, K] with M >= 1, got {list(h.shape)}")
    checks.require_linear(weight, bias, h.shape[2], activation)
    problems = {"cpp": _same_dtype_problem(h, weight), "triton": _triton_problem(h, weight), "reference": None}
    chosen = backends.choose("linear_mean", backend, problems)
    if activation == "none" and chosen == "cpp":
        return network.linear(_mean_of_copies(h), weight, bias, activation)
    if activation == "none":
        return nn.functional.linear(_mean_of_copies(h), weight, bias)
    if chosen == "cpp":
        return engine_layers.linear_mean(h, weight, bias, activation)
    if chosen == "triton":
        h, weight, bias = _as_kernel_reads(h, weight, bias)
        if h.dtype != weight.dtype:
            raise TypeError(f"weight must have the dtype of h, {h.dtype}, got {weight.dtype}; convert one of them")
        return LinearMean.apply(h, weight, bias, ACTIVATIONS.index(activation))
    return reference.linear_mean(h, weight, bias, activation=activation)


def _mean_of_copies(h: Tensor) -> Tensor:
    # the mean of one is the one: no pass over it, and no strides that a traced graph has to decide
    return h[0] if h.shape[0] == 1 else h.mean(0)


def _same_dtype_problem(h: Tensor, weight: Tensor) -> str | None:
    if h.dtype != weight.dtype and checks.autocast_dtype(h) is None:
        return f"weight must have the dtype of h, {h.dtype}, got {weight.dtype}"
    return engine_layers.problem(h, weight)


def encode_mean(
    encoder: Callable[[Tensor], Tensor],
    x: Tensor,
    corruption: Corruption | None,
    noise: Noise,
    *,
    copies: int,
    index: Tensor | None = None,
    row_offset: int = 0,
    site: int = Site.MATCHING,
    backend: str = "auto",
) -> Tensor:
    """Algorithm 2: the mean of M encodings of fresh corruptions of x [N, ...], as [N, Z] in the dtype of the encoder.

    The copies go through the encoder as one batch and the mean is taken before a final `nn.Linear` of an
    `nn.Sequential`, both exact; an encoder with batch norm in training mode runs copy by copy. Differentiable in x and
    in the encoder's parameters. Addresses, index and errors as `corrupt`. Source: Creswell and Bharath 2018, Algorithm
    2.
    """
    checks.require_batch("x", x)
    problems = {"cpp": extension_problem(x), "triton": checks.triton_problem(x), "reference": None}
    chosen = backends.choose("encode_mean", backend, problems)
    draw = {"copies": copies, "index": index, "row_offset": row_offset, "site": site, "backend": chosen}
    split = None if _depends_on_batch(encoder) or chosen == "reference" else _split_first(encoder, x)
    if split is not None:
        first, activation, rest = split
        draw["backend"] = _backend_of_layer(chosen, x, first.weight)
        rows = copies * checks.rows_of(x, index)
        if chosen == "cpp" and not network.pays(rows, x, first.weight):
            x_tilde = corrupt(x, corruption, noise, **draw).flatten(2)
            h = network.linear(x_tilde.flatten(0, 1), first.weight, first.bias, activation)
            h = h.unflatten(0, x_tilde.shape[:2])
        else:
            h = corrupted_linear(x, first.weight, first.bias, corruption, noise, activation=activation, **draw)
        return _mean_of_layers(rest, h, chosen)
    x_tilde = corrupt(x, corruption, noise, **draw)
    if _depends_on_batch(encoder):
        return torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0)
    split = split_last(encoder, nn.Linear)
    if split is None:
        return encoder(x_tilde.flatten(0, 1)).unflatten(0, x_tilde.shape[:2]).mean(0)
    body, last = split
    h = body(x_tilde.flatten(0, 1))
    if h.dim() != 2:
        return last(h).unflatten(0, x_tilde.shape[:2]).mean(0)
    ending = "auto" if chosen == "cpp" else "reference"
    return linear_mean(h.unflatten(0, x_tilde.shape[:2]), last.weight, last.bias, activation="none", backend=ending)


def _split_first(encoder: Callable, x: Tensor) -> tuple[nn.Linear, str, list[nn.Module]] | None:
    """(first layer, its activation, the other layers) of a plain `nn.Sequential` that begins with [Flatten,] Linear."""
    if not isinstance(encoder, nn.Sequential) or type(encoder).forward is not nn.Sequential.forward:
        return None
    layers = list(encoder)
    flattens = (
        len(layers) > 0
        and network.is_plain(layers[0], nn.Flatten)
        and (layers[0].start_dim, layers[0].end_dim) == (1, -1)
    )
    layers = layers[1:] if flattens else layers
    if (
        is_observed(encoder)
        or not layers
        or not network.is_plain(layers[0], nn.Linear)
        or not (flattens or x.dim() == 2)
    ):
        return None
    # elsewhere PyTorch's product would raise, or round x~ twice
    own, cast = torch.float32 if x.dtype == torch.uint8 else x.dtype, checks.autocast_dtype(x)
    if (layers[0].weight.dtype != own) if cast is None else own not in (torch.float32, cast):
        return None
    activation = network.activation_of(layers[1]) if len(layers) > 1 else None
    return layers[0], activation or "none", layers[2 if activation else 1 :]


def _backend_of_layer(chosen: str, x: Tensor, weight: Tensor) -> str:
    # what the engine does not compute, such as fp16, is left to PyTorch
    return "reference" if chosen == "cpp" and engine_layers.problem(x, weight) is not None else chosen


def _mean_of_layers(layers: list[nn.Module], h: Tensor, backend: str) -> Tensor:
    """The mean over copies of layers(h) for h [M, N, H]; the last hidden layer averages as it goes.

    The mean moves before a plain last Linear, with which it commutes.
    """
    copies = h.shape[:2]
    commutes = len(layers) > 0 and network.is_plain(layers[-1], nn.Linear)
    inner = layers[:-1] if commutes else layers
    # PyTorch's products on a GPU are as fast as ours for wide layers: there only a last layer averages
    fuses = len(inner) > 1 and network.is_plain(inner[-2], nn.Linear) and (backend == "cpp" or not commutes)
    activation = network.activation_of(inner[-1]) if fuses else None
    body = inner[:-2] if activation else inner
    run = network.run_layers if backend == "cpp" else _call_layers
    if body:
        h = run(body, h.flatten(0, 1))
        if h.dim() != 2:
            return _call_layers(layers[len(body) :], h).unflatten(0, copies).mean(0)
        h = h.unflatten(0, copies)
    if activation:
        ending = inner[-2]
        pays = network.pays(copies[0] * copies[1], h, ending.weight)
        chosen = _backend_of_layer(backend, h, ending.weight) if pays or backend != "cpp" else "reference"
        h = linear_mean(h, ending.weight, ending.bias, activation=activation, backend=chosen)[None]
    if not commutes:
        return _mean_of_copies(h)
    chosen = _backend_of_layer(backend, h, layers[-1].weight)
    return linear_mean(h, layers[-1].weight, layers[-1].bias, activation="none", backend=chosen)


def _call_layers(layers: list[nn.Module], h: Tensor) -> Tensor:
    for layer in layers:
        h = layer(h)
    return h


def _depends_on_batch(encoder: Callable) -> bool:
    modules = encoder.modules() if isinstance(encoder, nn.Module) else ()
    return any(isinstance(module, _BATCH_DEPENDENT) and module.training for module in modules)
