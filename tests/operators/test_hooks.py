"""What a user attaches to a module runs: hooks of every kind, and a forward set on one instance."""

from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn.modules import module as all_modules
from torch.nn.utils import parametrizations, prune

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.ops.network import Plan

OWN = {
    "forward": lambda layer, seen: layer.register_forward_hook(lambda *_: seen.append(1)),
    "forward_pre": lambda layer, seen: layer.register_forward_pre_hook(lambda *_: seen.append(1)),
    "full_backward": lambda layer, seen: layer.register_full_backward_hook(lambda *_: seen.append(1)),
    "full_backward_pre": lambda layer, seen: layer.register_full_backward_pre_hook(lambda *_: seen.append(1)),
}
OF_ALL = {
    "forward": all_modules.register_module_forward_hook,
    "forward_pre": all_modules.register_module_forward_pre_hook,
    "full_backward": all_modules.register_module_full_backward_hook,
    "full_backward_pre": all_modules.register_module_full_backward_pre_hook,
}
NOISE = fd.Noise(1)


def encoder() -> nn.Sequential:
    torch.manual_seed(0)
    return fd.networks.mlp([160, 160, 160, 3])


def through_run(encoder: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    return Plan.of(encoder)(x)


def through_encode_mean(encoder: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    return fd.ops.encode_mean(encoder, x, Gaussian(0.5), NOISE, copies=2)


def through_its_parts(encoder: nn.Sequential, x: torch.Tensor) -> torch.Tensor:
    plan = Plan.of(encoder)
    body, _ = plan.split_last() or (plan, None)
    return body(x)


CALLS = {"run": through_run, "encode_mean": through_encode_mean, "run_without_last": through_its_parts}


def seen_by(encoder: nn.Sequential, call: Callable, attach: Callable[[list], object]) -> int:
    """How often the hook ran in a forward and a backward pass."""
    seen: list[int] = []
    handle = attach(seen)
    try:
        call(encoder, torch.rand(16, 160, requires_grad=True)).square().sum().backward()
    finally:
        handle.remove()
    return len(seen)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_a_layer_s_own_hooks_run(call, kind, position):
    network = encoder()
    assert seen_by(network, call, lambda seen: OWN[kind](network[position], seen)) >= 1


@pytest.mark.parametrize("call", [through_run, through_encode_mean])
@pytest.mark.parametrize("kind", OWN)
def test_a_network_s_own_hooks_run(call, kind):
    network = encoder()
    assert seen_by(network, call, lambda seen: OWN[kind](network, seen)) >= 1


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("kind", OF_ALL)
def test_hooks_of_all_modules_run_for_every_layer(call, kind):
    layers = 4 if call is through_its_parts else 5
    assert seen_by(encoder(), call, lambda seen: OF_ALL[kind](lambda *_: seen.append(1))) >= layers


@pytest.mark.parametrize("backend", ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)])
@pytest.mark.parametrize("kind", ["forward", "forward_pre"])
def test_hooks_run_at_every_step_of_a_chain(backend, kind):
    decoder, z = fd.networks.mlp([3, 160], output="sigmoid"), torch.randn(4, 3)
    for attach in (lambda seen: OWN[kind](decoder[1], seen), lambda seen: OF_ALL[kind](lambda *_: seen.append(1))):
        seen: list[int] = []
        handle = attach(seen)
        fd.ops.sample_chain(decoder, encoder(), z, None, NOISE, steps=3, backend=backend)
        handle.remove()
        assert len(seen) >= 4


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("position", [1, 2, 3, 4])
def test_a_forward_set_on_one_layer_is_the_one_that_runs(call, position):
    changed, x = encoder(), torch.rand(16, 160)
    layer = changed[position]
    expected = call(changed, x)
    layer.forward = lambda h: 2 * type(layer).forward(layer, h)
    assert not torch.allclose(call(changed, x), expected)


@pytest.mark.parametrize("call", [through_run, through_encode_mean])
def test_a_forward_set_on_one_network_is_the_one_that_runs(call):
    changed = encoder()
    changed.forward = lambda x: x.new_zeros(len(x), 3)
    assert not call(changed, torch.rand(16, 160)).any()
    assert Plan.of(changed).split_last() is None and not Plan.of(changed).dense


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_parametrized_weights_and_pruned_ones_are_used(call):
    x = torch.rand(16, 160)
    for change in (parametrizations.weight_norm, lambda m: prune.l1_unstructured(m, "weight", 0.5)):
        changed = encoder()
        change(changed[1])
        ours, theirs = call(changed, x), encoder()
        theirs[1].weight.data.copy_(changed[1].weight)
        assert torch.allclose(ours, call(theirs, x), atol=1e-5)
