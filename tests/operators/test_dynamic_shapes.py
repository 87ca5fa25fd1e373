"""One traced graph serves every number of rows: torch.compile(dynamic=True), and torch.export with a dynamic batch."""

import pytest
import torch
from torch import nn
from torch.export import Dim, export

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking
from fastdaae.draw import draw_of
from fastdaae.ops.network import Plan

NOISE, NOISY = fd.Noise(1), Gaussian(0.5)
WEIGHT, BIAS, POINTS = torch.randn(200, 160) / 13, torch.randn(200), torch.randn(40, 5)
INDEX = torch.tensor([1, 0, 1])


class Call(nn.Module):
    """An operator's call as a module, with the networks that it uses: what torch.export takes."""

    columns = 160

    def __init__(self, backend: str):
        super().__init__()
        self.how = {"backend": backend}
        torch.manual_seed(0)
        self.encoder = fd.networks.mlp([160, 160, 160, 6])
        self.decoder = fd.networks.mlp([6, 160, 160], output="sigmoid")


class Corrupt(Call):
    def forward(self, x):
        return fd.ops.corrupt(x, NOISY, NOISE, copies=2, **self.how)


class CorruptImages(Call):
    def forward(self, x):
        return fd.ops.corrupt(x.unflatten(1, (1, 16, 10)), Masking(0.3), NOISE, **self.how)


class Gathered(Call):
    def forward(self, x):
        return fd.ops.corrupted_linear(x, WEIGHT, BIAS, NOISY, NOISE, index=INDEX, **self.how)


class CorruptedLinear(Call):
    def forward(self, x):
        return fd.ops.corrupted_linear(x, WEIGHT, BIAS, NOISY, NOISE, copies=2, **self.how)


class LinearMean(Call):
    def forward(self, x):
        h = torch.stack((x, x.square()))
        means = [fd.ops.linear_mean(h, WEIGHT, BIAS, activation=kind, **self.how) for kind in ("relu", "none")]
        return torch.stack(means)


class LinearSigmoidCorrupt(Call):
    def forward(self, x):
        return fd.ops.linear_sigmoid_corrupt(x, WEIGHT, BIAS, NOISY, NOISE, **self.how).x_tilde


class EncodeMean(Call):
    def forward(self, x):
        return fd.ops.encode_mean(self.encoder, x, NOISY, NOISE, copies=2, **self.how)


class Chain(Call):
    columns = 6

    def forward(self, z):
        return fd.ops.sample_chain(self.decoder, self.encoder, z, NOISY, NOISE, steps=2, keep=(0, 2), **self.how)


class ChainOfOtherLayers(Chain):
    def __init__(self, backend: str):
        super().__init__(backend)
        self.encoder = nn.Sequential(nn.Linear(160, 160), nn.GELU(), nn.Linear(160, 6))


class Neighbors(Call):
    columns = 5

    def forward(self, x):
        own = fd.ops.nearest_neighbors(x, 1, **self.how).distances
        return own + fd.ops.nearest_neighbors(POINTS, 3, x, **self.how).distances


class Parzen(Call):
    columns = 5

    def forward(self, x):
        return fd.ops.parzen_log_density(x, POINTS, [0.5, 1.0], **self.how)


CALLS = [Corrupt, CorruptImages, Gathered, CorruptedLinear, LinearMean, LinearSigmoidCorrupt, EncodeMean]
CALLS += [Chain, ChainOfOtherLayers, Neighbors, Parzen]
# the reference's noise is a thousand traced operators: two calls stand for those that are made of it
QUICK = {Corrupt, Gathered, LinearMean, Neighbors, Parzen}
CASES = [pytest.param(call, "cpp", marks=pytest.mark.needs_cpp, id=f"{call.__name__}-cpp") for call in CALLS]
CASES += [
    pytest.param(
        call, "reference", marks=() if call in QUICK else pytest.mark.exhaustive, id=f"{call.__name__}-reference"
    )
    for call in CALLS
]


@pytest.fixture(autouse=True)
def _nothing_is_compiled_yet():
    torch._dynamo.reset()


@pytest.mark.parametrize(("call", "backend"), CASES)
def test_one_compiled_graph_serves_all_rows(call, backend):
    """Two graphs in fact: PyTorch gives one row a graph of its own, and a ninth graph would be refused."""
    eager = call(backend)
    compiled = torch.compile(eager, dynamic=True, fullgraph=True, backend="eager")
    with torch._dynamo.config.patch(recompile_limit=2):
        for rows in range(2 if call in (Neighbors, Gathered) else 1, 13):
            x = torch.rand(rows, eager.columns)
            assert torch.allclose(compiled(x), eager(x), atol=1e-5), rows


@pytest.mark.parametrize(("call", "backend"), CASES)
def test_an_exported_graph_serves_all_rows(call, backend):
    eager = call(backend)
    exported = export(eager, (torch.rand(4, eager.columns),), dynamic_shapes=({0: Dim("batch")},)).module()
    for rows in (2, 3, 12, 700):
        x = torch.rand(rows, eager.columns)
        assert torch.allclose(exported(x), eager(x), atol=1e-5), rows


@pytest.mark.needs_cpp
@pytest.mark.parametrize("call", [EncodeMean, Chain])
def test_a_strictly_exported_graph_serves_all_rows(call):
    eager = call("cpp")
    given = (torch.rand(4, eager.columns),), {"dynamic_shapes": ({0: Dim("batch")},)}
    exported = export(eager, given[0], strict=True, **given[1]).module()
    x = torch.rand(9, eager.columns)
    assert torch.allclose(exported(x), eager(x), atol=1e-5)


@pytest.mark.needs_cpp
def test_compiled_gradients_serve_all_rows():
    eager = EncodeMean("cpp")
    parameters = list(eager.parameters())[:6]
    compiled = torch.compile(eager, dynamic=True, fullgraph=True, backend="aot_eager")
    with torch._dynamo.config.patch(recompile_limit=1):
        for rows in range(2, 13):
            x = torch.rand(rows, 160)
            found, expected = (torch.autograd.grad(call(x).square().sum(), parameters) for call in (compiled, eager))
            for ours, theirs in zip(found, expected, strict=True):
                assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5 * float(theirs.abs().max())), rows


@pytest.mark.needs_cpp
def test_a_compiled_chain_is_the_engine_s_to_the_bit():
    eager, z = Chain("cpp"), torch.rand(50, 6)
    compiled = torch.compile(eager, dynamic=True, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(z), eager(z))


@pytest.mark.needs_cpp
def test_opcheck_of_the_chain():
    decoder, encoder = (Plan.of(network).layers for network in (Chain("cpp").decoder, Chain("cpp").encoder))
    layers = [*decoder, *encoder]
    parameters = ([one.linear.weight.detach() for one in layers], [one.linear.bias.detach() for one in layers])
    activations = ([one.activation.name for one in layers], [one.activation.slope for one in layers])
    draw = draw_of(Gaussian(0.5), row_offset=5, site=3)
    torch.library.opcheck(
        torch.ops.fastdaae.cpp_sample_chain,
        (torch.rand(3, 6), NOISE.state, *parameters, *activations, len(decoder), False, [0, 2], *draw),
    )


@pytest.mark.needs_cpp
@pytest.mark.parametrize("call", [Corrupt, EncodeMean, LinearSigmoidCorrupt, Chain])
def test_one_compiled_graph_serves_every_offset(call):
    """Batches that are pieces of a whole differ in their first row's number; 0 and 1 get graphs of their own."""
    eager, x = call("cpp"), torch.rand(6, call.columns)

    def at(row_offset: int) -> torch.Tensor:
        eager.how["row_offset"] = row_offset
        return eager(x)

    compiled = torch.compile(at, dynamic=True, fullgraph=True, backend="aot_eager")
    with torch._dynamo.config.patch(recompile_limit=3):
        for row_offset in (0, 1, 2, 3, 1000, 2**31, 2**32 - 6):
            assert torch.allclose(compiled(row_offset), at(row_offset), atol=1e-5), row_offset
        with pytest.raises(ValueError, match=r"row_offset must be at most 2\^32 - rows = 4294967290, got 4294967291"):
            compiled(2**32 - 5)
