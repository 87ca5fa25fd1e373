"""Algorithm 2 over a plan: corrupted on the way in, through as one batch, averaged on the way out."""

from types import ModuleType

import torch
from torch import Tensor

from fastdaae.draw import Draw
from fastdaae.kernels import cpp
from fastdaae.kernels.memory import autocast_dtype, rows_of
from fastdaae.ops.network import Dense, Plan


def mean_of_encodings(
    encoder: Plan, x: Tensor, index: Tensor | None, state: Tensor, draw: Draw, room: ModuleType
) -> Tensor:
    """The mean over M copies of encoder(x~) for x [N, ...], [N, Z]; `room` is the kernels' package that corrupts."""
    split = encoder.split_first(x)
    if split is not None and _multiplies(split[0], x, room):
        h = _first_layer(split[0], x.flatten(1), index, state, draw, room)
        return _mean(split[1], h, room)
    dtype = torch.float32 if x.dtype == torch.uint8 else x.dtype
    x_tilde = room.corruption.corrupt(x.flatten(1), index, state, draw, dtype)
    return _mean(encoder, x_tilde.reshape(draw.copies, rows_of(x, index), *x.shape[1:]), room)


def _multiplies(first: Dense, x: Tensor, room: ModuleType) -> bool:
    """Whether the room's kernel gives what PyTorch's product of x~ would: elsewhere that raises, or rounds x~ twice."""
    own, cast = torch.float32 if x.dtype == torch.uint8 else x.dtype, autocast_dtype(x)
    weight = first.linear.weight
    fits = weight.dtype == own if cast is None else own in (torch.float32, cast)
    return fits and room.layers.problem(x, weight) is None


def _first_layer(first: Dense, x: Tensor, index, state: Tensor, draw: Draw, room: ModuleType) -> Tensor:
    """activation(x~ W^T + b) [M, N, H]."""
    weight, bias, rows = first.linear.weight, first.linear.bias, draw.copies * rows_of(x, index)
    if room is cpp and not cpp.products.packing_pays(rows, x, weight):
        x_tilde = cpp.corruption.corrupt(x, index, state, draw, weight.dtype)
        return first(x_tilde.flatten(0, 1)).unflatten(0, x_tilde.shape[:2])
    return room.layers.corrupted_linear(x, index, state, weight, bias, first.activation, draw)


def _mean(rest: Plan, h: Tensor, room: ModuleType) -> Tensor:
    """The mean over copies of rest(h) for h [M, N, ...]; it moves before a plain last layer, with which it commutes."""
    if rest.depends_on_batch:
        return torch.stack([rest(one_copy) for one_copy in h]).mean(0)
    split = rest.split_last()
    inner, last = split or (rest, None)
    # PyTorch's products on a GPU are as fast as ours for wide layers: there only a last layer averages
    stage = inner.stages[-1] if inner.stages and (room is cpp or last is None) else None
    ends_active = isinstance(stage, Dense) and stage.activation.name != "none" and not inner.observed
    ending = stage if isinstance(stage, Dense) and ends_active else None
    body = inner if ending is None else Plan(inner.stages[:-1])
    if body.stages or h.dim() != 3:
        copies, h = h.shape[:2], body(h.flatten(0, 1))
        if h.dim() != 2:
            return Plan(rest.stages[len(body.stages) :])(h).unflatten(0, copies).mean(0)
        h = h.unflatten(0, copies)
    mean = cpp.layers.mean_of_copies(h) if ending is None else _mean_of_layer(ending, h, room)
    return mean if last is None else last(mean)


def _mean_of_layer(dense: Dense, h: Tensor, room: ModuleType) -> Tensor:
    linear = dense.linear
    pays = room is not cpp or cpp.products.packing_pays(h.shape[0] * h.shape[1], h, linear.weight)
    if pays and room.layers.problem(h, linear.weight) is None:
        return room.layers.linear_mean(h, linear.weight, linear.bias, dense.activation)
    return dense(h.flatten(0, 1)).unflatten(0, h.shape[:2]).mean(0)
