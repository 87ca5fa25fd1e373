"""Networks, chains and distances of one case beside float64."""

import copy

import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae import reference
from tests.differential.draw import HALVES, Draw
from tests.differential.layers import backend_for, exact, require_close


def _network(draw: Draw, sizes: list[int], ending: list[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for inputs, outputs in zip(sizes, sizes[1:], strict=False):
        weight, _ = draw.layer(inputs, outputs, torch.float32)
        linear = nn.Linear(inputs, outputs, bias=draw.one_of(True, False), dtype=torch.float32, device="cpu")
        linear.weight.data = weight.clone()
        layers += [linear, draw.one_of(nn.ReLU(), nn.ReLU(), nn.Sigmoid(), nn.Tanh(), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers[:-1], *ending)


def _in_float64(network: nn.Sequential) -> tuple[nn.Sequential, list[Tensor]]:
    """A copy in float64, and a list that receives how close its rectifiers come to their kinks."""
    wide, closest = copy.deepcopy(network).double(), []
    for layer in wide:
        if isinstance(layer, nn.ReLU | nn.LeakyReLU):
            layer.register_forward_pre_hook(lambda _, inputs: closest.append(inputs[0].detach().abs().flatten()))
    return wide, closest


def encode_mean(draw: Draw) -> None:
    rows, columns = draw.count(30), draw.count(180)
    encoder = _network(draw, [columns, draw.count(180), *([draw.count(160)] * draw.count(2, 0)), 5], [])
    x = draw.pixels((rows, columns), draw.one_of(torch.uint8, torch.float32))
    corruption, noise = draw.corruption(), draw.noise()
    address = {"copies": draw.count(4), "index": draw.index(rows), **draw.address()}
    backend = backend_for(draw, x)
    with draw.surroundings():
        ours = fd.ops.encode_mean(encoder, x, corruption, noise, backend=backend, **address)
    wide, closest = _in_float64(encoder)
    expected = reference.encode_mean(wide, exact(x), corruption, noise, **address)
    scale = 1.0 + float(expected.detach().abs().max()) if expected.numel() else 1.0
    require_close(ours, expected, torch.tensor(4e-6 * scale, dtype=torch.float64), "z")
    if closest and expected.numel() and float(torch.cat(closest).min()) < 2e-5:
        return  # rounding decides whether a rectifier passes the gradient
    grad = draw.normal(*ours.shape)
    with draw.surroundings():
        found = torch.autograd.grad(ours, list(encoder.parameters()), grad)
    wanted = torch.autograd.grad(expected, list(wide.parameters()), grad.double())
    for gradient, value in zip(found, wanted, strict=True):
        require_close(gradient, value, 6e-6 * (1.0 + value.abs().max()), "gradient")


def sample_chain(draw: Draw) -> None:
    rows, columns, codes = draw.count(30, 0), draw.count(90), draw.count(12)
    decoder = _network(draw, [codes, draw.count(150), columns], [nn.Sigmoid()])
    encoder = _network(draw, [columns, draw.count(150), codes], [])
    z, corruption, noise = draw.strided(draw.normal(rows, codes)), draw.corruption(), draw.noise()
    steps = draw.count(3, 0)
    keep = draw.one_of(None, tuple(sorted({0, steps})))
    address, backend = draw.address(), backend_for(draw, z)
    with draw.surroundings():
        ours = fd.ops.sample_chain(
            decoder, encoder, z, corruption, noise, steps=steps, keep=keep, backend=backend, **address
        )
    wide = [_in_float64(network)[0] for network in (decoder, encoder)]
    expected = reference.sample_chain(*wide, z.double(), corruption, noise, steps=steps, keep=keep, **address)
    require_close(ours, expected, torch.tensor(4e-6 * 3.0**steps, dtype=torch.float64), "x")


def _points(draw: Draw, rows: int, columns: int, dtype: torch.dtype) -> Tensor:
    points = draw.pixels((rows, columns), dtype)
    if dtype == torch.uint8 or dtype in HALVES:
        return points
    moved = points * draw.one_of(1.0, 1e-3, 50.0) + draw.one_of(0.0, 0.0, 1.0, -300.0)
    repeated = torch.randint(0, rows, (rows,), generator=draw.generator)
    return draw.strided(draw.one_of(moved, moved[repeated]).to(dtype))


def _squared(queries: Tensor, points: Tensor) -> Tensor:
    """[Q, N] by direct differences in float64; of bytes in whole numbers."""
    if queries.dtype == points.dtype == torch.uint8:
        return (queries.long()[:, None] - points.long()).square().sum(2).double() / 255**2
    return (exact(queries)[:, None] - exact(points)).square().sum(2)


def parzen_log_density(draw: Draw) -> None:
    dtype = draw.one_of(torch.uint8, torch.float32, torch.float64, *HALVES)
    columns, rows = draw.count(300), draw.count(60)
    samples = _points(draw, rows, columns, dtype)
    queries = _points(draw, draw.count(25), columns, draw.one_of(dtype, torch.float32))
    bandwidths = draw.one_of([0.05], [2.0, 0.05, 0.3], [0.1, 1.0])
    backend = draw.one_of("auto", "reference", "cpp")
    with draw.surroundings():
        ours = fd.ops.parzen_log_density(queries, samples, bandwidths, backend=backend)
    h = torch.tensor(bandwidths, dtype=torch.float64)[:, None, None]
    expected = torch.logsumexp(-_squared(queries, samples) / (2 * h**2), 2)
    expected -= torch.log(torch.tensor(float(rows))).double() + columns * torch.log(h[:, :, 0] * (2 * torch.pi) ** 0.5)
    assert ours.dtype == torch.float64
    require_close(ours, expected, 1e-3 + 1e-6 * expected.abs(), "log density")


def nearest_neighbors(draw: Draw) -> None:
    dtype = draw.one_of(torch.uint8, torch.float32, torch.float64, *HALVES)
    columns, rows = draw.count(100), draw.count(150, 2)
    points = _points(draw, rows, columns, dtype)
    queries = draw.one_of(None, _points(draw, draw.count(40), columns, dtype))
    k = draw.count(rows - 1 if queries is None else rows)
    backend = draw.one_of("auto", "reference", "cpp")
    with draw.surroundings():
        ours = fd.ops.nearest_neighbors(points, k, queries, backend=backend)
    squared = _squared(points if queries is None else queries, points)
    if queries is None:
        squared.fill_diagonal_(torch.inf)
    wanted = squared.sort(dim=1, stable=True)
    unit = 1e-12 if dtype == torch.float64 else 1e-7
    expected = wanted.values[:, :k].sqrt()
    require_close(ours.distances, expected, unit * expected, "distances")
    # the distances of the named points are the smallest ones; equal ones, told apart by whole numbers, by lower index
    require_close(squared.gather(1, ours.indices).sqrt(), expected, 1e-12 * expected, "distances of the indices")
    if dtype == torch.uint8:
        assert torch.equal(ours.indices, wanted.indices[:, :k]), "indices"
    assert all(len(set(row)) == k for row in ours.indices.tolist()), "an index twice"
