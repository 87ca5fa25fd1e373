"""A network's plan: what it reads, what it runs on the kernels, and what everything that asks it is told."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.activation import Activation
from fastdaae.kernels import cpp
from fastdaae.ops.network import Dense, Plan

BETWEEN = {
    "leaky relu": nn.LeakyReLU(0.2),
    "tanh": nn.Tanh(),
    "dropout": nn.Dropout(0.0),
    "batch norm": nn.BatchNorm1d(150),
    "own module": nn.Softsign(),
    "identity": nn.Identity(),
}


def with_between(module: nn.Module) -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(140, 150), module, nn.Sequential(nn.Linear(150, 160), nn.ReLU()))


@pytest.fixture
def launched(monkeypatch) -> list[tuple[int, ...]]:
    """The shapes of the weights that C++ multiplies."""
    shapes, own = [], cpp.layers.corrupted_linear
    monkeypatch.setattr(cpp.layers, "corrupted_linear", lambda *a: shapes.append(tuple(a[3].shape)) or own(*a))
    return shapes


@pytest.mark.needs_cpp
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("shape", [(40, 140), (40, 1, 14, 10)])
def test_whatever_stands_between_dense_stages_they_stay_on_the_kernels(launched, between, shape):
    network, x = with_between(BETWEEN[between]), torch.rand(shape).requires_grad_()
    leaves = [x, *network.parameters()]
    ours = Plan.of(network)(x)
    assert launched == [(150, 140), (160, 150)]
    expected = network(x)
    assert torch.allclose(ours, expected, atol=2e-6)
    both = [torch.autograd.grad(y.square().sum(), leaves) for y in (ours, expected)]
    for a, b in zip(*both, strict=True):
        assert float((a - b).abs().max()) <= 2e-5 * max(1.0, float(b.abs().max()))


NETWORKS = {
    "mlp": lambda: fd.networks.mlp([12, 160, 150, 3], output="sigmoid"),
    "activation first": lambda: nn.Sequential(
        nn.ReLU(), nn.Linear(12, 130, bias=False), nn.Sigmoid(), nn.Linear(130, 140), nn.ReLU()
    ),
    "flatten last": lambda: nn.Sequential(nn.Linear(12, 40), nn.Identity(), nn.Flatten()),
    "other layers": lambda: nn.Sequential(nn.Linear(12, 40), nn.Softsign()),
    "no sequence": lambda: nn.Linear(12, 40),
}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("rows", [0, 3, 40])
def test_a_plan_computes_what_the_network_does(kind, rows):
    model, x = NETWORKS[kind](), torch.rand(rows, 12).requires_grad_()
    leaves = [x, *model.parameters()]
    ours, expected = Plan.of(model)(x), model(x)
    assert ours.shape == expected.shape and torch.allclose(ours, expected, atol=2e-6)
    both = [torch.autograd.grad(y.square().sum(), leaves) for y in (ours, expected)]
    assert all(torch.allclose(a, b, atol=1e-4, rtol=1e-4) for a, b in zip(*both, strict=True))


@pytest.mark.needs_cpp
def test_wide_layers_run_on_the_kernels(monkeypatch):
    """In training and without: so that the tests above compare two implementations."""
    calls, own = [], cpp.layers.corrupted_linear
    monkeypatch.setattr(cpp.layers, "corrupted_linear", lambda *a: calls.append(a[5].name) or own(*a))
    Plan.of(NETWORKS["mlp"]())(torch.rand(40, 12))
    assert calls == ["relu"]
    with torch.no_grad():
        Plan.of(NETWORKS["mlp"]())(torch.rand(40, 12))
    assert calls == ["relu"] * 3


@pytest.mark.needs_cpp
def test_what_the_kernels_do_not_take_is_pytorch_s():
    model, x, calls = fd.networks.mlp([12, 60, 50]), torch.rand(40, 12), []
    assert Plan.of(model.double())(x.double()).dtype == torch.float64
    model.float()[1].register_forward_hook(lambda *_: calls.append(1))
    Plan.of(model)(x)
    assert calls == [1]
    with pytest.raises(RuntimeError, match="dtype|type"):
        Plan.of(fd.networks.mlp([12, 60]))(x.double())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        plain = fd.networks.mlp([12, 160, 150])
        assert Plan.of(plain)(x).dtype == torch.bfloat16
        assert torch.allclose(Plan.of(plain)(x), plain(x), atol=2e-2)


def test_stages_are_read_through_nested_sequences_and_without_identities():
    plan = Plan.of(with_between(nn.LeakyReLU(0.2)))
    kinds = [(s.linear.out_features, s.activation) if isinstance(s, Dense) else type(s) for s in plan.stages]
    assert kinds == [nn.Flatten, (150, Activation("leaky_relu", 0.2)), (160, Activation("relu"))]
    assert plan.dense and plan.rowwise and plan.capturable and len(plan.layers) == 2
    assert Plan.of(plan) is plan
    assert len(Plan.of(nn.Sequential(nn.Identity(), nn.Linear(3, 2), nn.Identity())).stages) == 1
    rising = Plan.of(nn.Sequential(nn.Linear(3, 2), nn.LeakyReLU(-0.1)))
    assert rising.stages[0].activation == Activation("none") and not rising.dense, "its gradient hides in no output"


@pytest.mark.parametrize(
    ("network", "dense", "rowwise", "capturable"),
    [
        (nn.Sequential(nn.Linear(3, 2), nn.Dropout()), False, True, False),
        (nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)), False, False, False),
        (nn.Sequential(nn.Linear(3, 2), nn.Flatten(0)), False, False, True),
        (nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), False, True, True),
        (nn.Sequential(nn.Linear(3, 2), nn.Conv1d(1, 1, 1)), False, False, False),
        (nn.Linear(3, 2), True, True, True),
        (lambda x: x, False, False, False),
        (nn.Sequential(), False, True, True),
    ],
)
def test_what_a_plan_says(network, dense, rowwise, capturable):
    plan = Plan.of(network)
    assert (plan.dense, plan.rowwise, plan.capturable) == (dense, rowwise, capturable)


def test_batch_norm_mixes_rows_in_training_alone_wherever_it_stands():
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))

    for network in (Own(), nn.Sequential(Own()), nn.BatchNorm1d(3)):
        assert Plan.of(network).depends_on_batch
        assert not Plan.of(network.eval()).depends_on_batch


def test_the_trailing_sigmoid_and_the_last_layer_come_off():
    decoder, x = fd.networks.mlp([4, 5, 6], output="sigmoid"), torch.rand(3, 4)
    logits = Plan.of(decoder).logits()
    assert torch.allclose(torch.sigmoid(logits(x)), decoder(x), atol=1e-6)
    body, last = logits.split_last()
    assert torch.allclose(last(body(x)), logits(x), atol=1e-6) and last.linear is decoder[-2]
    assert Plan.of(decoder).split_last() is None and logits.logits() is None
    convolutional = nn.Sequential(nn.Unflatten(1, (1, 4)), nn.ConvTranspose1d(1, 1, 3), nn.Sigmoid())
    assert torch.equal(torch.sigmoid(Plan.of(convolutional).logits()(x)), convolutional(x))
    assert Plan.of(nn.Sigmoid()).logits() is None and Plan.of(lambda z: z).logits() is None


@pytest.mark.parametrize("place", [(), (1,), (3,), (3, 0)], ids=["whole", "layer", "inner sequence", "inner layer"])
def test_a_hook_that_comes_after_the_reading_runs(place):
    network, seen = with_between(nn.ReLU()), []
    plan, module = Plan.of(network), network
    for index in place:
        module = module[index]
    handle = module.register_forward_hook(lambda *_: seen.append(1))
    plan(torch.rand(40, 140))
    assert seen == [1] and not plan.dense and not plan.rowwise and plan.logits() is None
    handle.remove()
    plan(torch.rand(40, 140))
    assert seen == [1] and plan.dense


def test_a_plan_sees_parameters_change_and_modes_switch():
    network, x = with_between(nn.Dropout(1.0)), torch.rand(40, 140)
    plan = Plan.of(network)
    bias = torch.relu(network[3][0].bias)
    assert torch.allclose(plan(x), bias.expand(40, -1), atol=1e-6), "everything is dropped"
    network.eval()
    assert torch.allclose(plan(x), network(x), atol=2e-6)
    with torch.no_grad():
        network[1].weight.mul_(2.0)
    assert torch.allclose(plan(x), network(x), atol=2e-6)


@pytest.mark.needs_cpp
def test_compiles_without_graph_breaks():
    torch._dynamo.reset()
    network, x = with_between(nn.LeakyReLU(0.1)), torch.rand(40, 140)
    compiled = torch.compile(lambda t: Plan.of(network)(t), fullgraph=True, backend="aot_eager")
    assert torch.allclose(compiled(x), network(x), atol=2e-6)
