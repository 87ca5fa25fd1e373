"""The decoder's end with its corruption in one kernel, and whole chains in blocks of rows.

A block's chain is a few short kernels a step, so that starting them would cost as much as running them: many blocks
are replays of one captured CUDA graph. The first block runs eagerly and so compiles and warms up what the second one
captures; rows are numbered from a number in device memory, which is set before each replay.

Decoder end, corruption and encoder start stay two kernels, with x~ between them in the L2 cache (12 MiB for 8192 rows
of 784 in bfloat16). In one kernel, the encoder's 1000 sums for a block of rows stay in registers while the columns of
x~ go by. 64 rows x 1024 float32 are 256 KiB, the whole register file: compiled for sm_90, 688 spills. 32 rows fit, 16
columns at a time (230 registers, 33 KiB of shared memory, no spills on sm_80, sm_90 and sm_100), but each block of 32
rows reads both weights, 3 MiB in bfloat16, for 0.1 GFLOP: 8192 rows would read 0.8 GB from L2, about 0.15 ms at 5.5
TB/s, where the two products take 0.05 ms.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from fastdaae import reference
from fastdaae.draw import PLAIN, SCHEMA, Draw
from fastdaae.kernels.memory import autocast_dtype, wants_gradient, zeros
from fastdaae.kernels.registration import operator
from fastdaae.kernels.triton import corruption

_FEWEST_BLOCKS = 4  # a capture waits for the device and costs some milliseconds


def problem(z: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why the Triton kernels cannot take codes or hidden activations z and a draw, or None."""
    return corruption.problem(z, draw)


def sample_chain_problem(decoder, encoder, z: Tensor, draw: Draw = PLAIN) -> str | None:
    """Why whole chains of two Plans with a draw cannot run here, or None."""
    if z.dim() != 2:
        return f"it takes codes in rows [N, Z], got {list(z.shape)}"
    end = _end_of(decoder)
    if end is None:
        return "the decoder is not one of plain layers that ends in nn.Linear, nn.Sigmoid"
    if draw.kind == "patches" and math.prod(draw.image) != end[1].weight.shape[0]:
        return "patches need the image_shape of what the decoder gives"
    return None


def _launch(h, weight, bias, state, first_row, keep_clean, *fields) -> tuple[Tensor, Tensor]:
    from fastdaae.kernels.triton.jit import linear_sigmoid_corrupt

    return linear_sigmoid_corrupt.linear_sigmoid_corrupt(h, weight, bias, state, first_row, keep_clean, Draw(*fields))


def _fake(h, weight, bias, state, first_row, keep_clean, *fields) -> tuple[Tensor, Tensor]:
    shape = (h.shape[0], weight.shape[0])
    return h.new_empty(shape), h.new_empty(shape if keep_clean else 0)


_linear_sigmoid_corrupt = operator(
    "triton_linear_sigmoid_corrupt(Tensor h, Tensor weight, Tensor? bias, Tensor state, Tensor? first_row, "
    f"bool keep_clean, {SCHEMA}) -> (Tensor, Tensor)",
    _launch,
    _fake,
    "CompositeExplicitAutograd",
)


def linear_sigmoid_corrupt(
    h: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    state: Tensor,
    draw: Draw,
    keep_clean: bool,
    first_row: Tensor | None = None,
) -> tuple[Tensor, Tensor | None]:
    """(x~, x = sigmoid(h W^T + b) or None) [N, D] for h [N, K], in its dtype or autocast's.

    Rows are numbered from row_offset + first_row[0], for first_row int64 [1] on the device. Differentiable in h, weight
    and bias without a first_row, to any order: a gradient needs x, so that then the product and x are PyTorch's.
    """
    if first_row is None and wants_gradient(h, weight, bias):
        x = torch.sigmoid(torch.nn.functional.linear(h, weight, bias))
        return corruption.corrupt(x, None, state, draw, x.dtype)[0], x if keep_clean else None
    dtype = autocast_dtype(h) or h.dtype
    h, weight, bias = h.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    x_tilde, x = _linear_sigmoid_corrupt(h, weight, bias, state, first_row, keep_clean, *draw)
    return x_tilde, x if keep_clean else None


def sample_chain(decoder, encoder, z: Tensor, state: Tensor, draw: Draw, keep: tuple[int, ...]) -> Tensor:
    """The kept x(t) of chains from z [N, Z], [len(keep), N, D]; step t reads the noise `draw.ahead` + t steps later.

    decoder and encoder are Plans without a `sample_chain_problem`. A traced graph, which serves every number of rows,
    takes all rows at once, which bounds no memory. Not differentiable.
    """
    (body, last), rows = _end_of(decoder), reference.CHAIN_ROWS

    def run(z: Tensor, first: int, first_row: Tensor | None = None) -> Tensor:
        return _run(body, last, encoder, z, state, draw._replace(row_offset=draw.row_offset + first), keep, first_row)

    if torch.compiler.is_compiling() or len(z) <= rows:
        return run(z, 0)
    if encoder.capturable and worthwhile(z, rows):
        return replayed(lambda block, first_row: run(block, 0, first_row), z, rows)
    return torch.cat([run(z[start : start + rows], start) for start in range(0, len(z), rows)], dim=1)


def _end_of(decoder):
    """(the decoder up to its last nn.Linear, that layer) where only a sigmoid follows; else None."""
    logits = decoder.logits() if decoder.capturable else None
    split = None if logits is None else logits.split_last()
    return None if split is None else (split[0], split[1].linear)


def _run(body, last, encoder, z, state, draw: Draw, keep, first_row) -> Tensor:
    kept: list = []
    for t in range(keep[-1]):
        ahead, keeps = draw._replace(ahead=draw.ahead + t), t in keep
        x_tilde, x = linear_sigmoid_corrupt(body(z), last.weight, last.bias, state, ahead, keeps, first_row)
        kept += [x] if keeps else []
        z = encoder(x_tilde)
    kept.append(torch.sigmoid(last(body(z))))
    return torch.stack(kept)


def worthwhile(z: Tensor, rows: int) -> bool:
    """Whether chains from z [N, Z] in blocks of `rows` should be replayed from a captured graph, and can be."""
    return z.is_cuda and len(z) >= _FEWEST_BLOCKS * rows and not torch.cuda.is_current_stream_capturing()


def replayed(run: Callable[[Tensor, Tensor], Tensor], z: Tensor, rows: int) -> Tensor:
    """run(z, first row) over blocks of `rows` rows of z [N, Z], one capture for all full blocks: [kept, N, ...].

    `run` must do the same device work for every block, given the block's z and the int64 [1] number of its first row.
    """
    from fastdaae.kernels.triton.jit.launch import on_device

    with on_device(z.device):
        block, first_row = z[:rows].clone(), zeros(1, dtype=torch.int64, device=z.device)
        eager = run(block, first_row)
        out = eager.new_empty((eager.shape[0], len(z), *eager.shape[2:]))
        out[:, :rows] = eager
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            kept = run(block, first_row)
        full = len(z) // rows * rows
        for start in range(rows, full, rows):
            block.copy_(z[start : start + rows])
            first_row.fill_(start)
            graph.replay()
            out[:, start : start + rows] = kept
        if full < len(z):
            first_row.fill_(full)
            out[:, full:] = run(z[full:].clone(), first_row)
    return out
