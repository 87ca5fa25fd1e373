"""Modules and weights that encoder and decoder share: trained once a step, saved once, and shared again when loaded."""

import copy

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_folder
from tests.runs.small import fit, parameters


def build(tied: bool = True, how: str = "module", **choices) -> nn.Module:
    torch.manual_seed(0)
    middle = nn.Linear(6, 6)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 6), nn.ReLU(), middle)
    other = middle if tied and how == "module" else nn.Linear(6, 6)
    if tied and how == "weight":
        other.weight = middle.weight
    decoder = nn.Sequential(other, nn.ReLU(), nn.Linear(6, 16), nn.Sigmoid())
    return fd.AAE(encoder, decoder, nn.Linear(6, 1), prior=fd.priors.Normal(6), **choices)


@pytest.mark.parametrize("how", ["module", "weight"])
@pytest.mark.parametrize("form", ["paper", "released"])
def test_a_shared_layer_trains_saves_resumes_and_loads(how, form, tmp_path):
    resumed, straight = build(how=how, form=form), build(how=how, form=form)
    fit(build(how=how, form=form), run_dir=tmp_path)
    fit(resumed, epochs=3, run_dir=tmp_path)
    fit(straight, epochs=3)
    assert torch.equal(parameters(resumed), parameters(straight))
    loaded = fd.load(tmp_path, build(how=how, form=form))
    assert torch.equal(parameters(loaded), parameters(straight))
    assert loaded.encoder[3].weight is loaded.decoder[0].weight


def test_no_group_holds_a_parameter_twice():
    for form in ("paper", "released"):
        for group in build(form=form).parameter_groups().values():
            assert len({id(parameter) for parameter in group}) == len(group)


@pytest.mark.filterwarnings("error:optimizer contains a parameter group with duplicate parameters")
def test_a_shared_weight_moves_once_a_step():
    model = build()
    untied = copy.deepcopy(model)
    untied.decoder[0] = copy.deepcopy(untied.encoder[3])
    x = torch.rand(32, 16)
    before = model.encoder[3].weight.detach().clone()
    step = fd.compile_step(model, {n: torch.optim.SGD(g, lr=0.1) for n, g in model.parameter_groups().items()})
    for name in ("discriminator", "encoder"):
        step.optimizers[name].param_groups[0]["lr"] = 0.0
    loss = untied.reconstruction_loss(untied.decoder, untied.encoder(x), x)
    gradients = torch.autograd.grad(loss, [untied.encoder[3].weight, untied.decoder[0].weight])
    step(x)
    assert torch.allclose(model.encoder[3].weight, before - 0.1 * sum(gradients), atol=1e-6)


def test_a_shared_tensor_is_written_once(tmp_path):
    shared = torch.arange(10000.0)
    tensors = {"a": shared, "b": shared, "view": shared[:5], "transposed": shared.view(100, 100).T, "empty": shared[:0]}
    run_folder.save_tensors(tmp_path / "x", {**tensors, "also empty": torch.empty(0, 3)}, {})
    loaded, _ = run_folder.load_tensors(tmp_path / "x")
    assert loaded["a"] is loaded["b"] and loaded["view"] is not loaded["a"]
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())
    assert loaded["also empty"].shape == (0, 3)
    assert (tmp_path / "x").stat().st_size < 2.2 * shared.nbytes
    loaded["view"].zero_()
    assert torch.equal(loaded["a"], shared)


@pytest.mark.parametrize("saved_tied", [True, False])
def test_a_model_that_shares_otherwise_is_not_resumed(saved_tied, tmp_path):
    fit(build(saved_tied), run_dir=tmp_path)
    expected = "it (shares|holds) decoder.0.bias (with|and) encoder.3.bias"
    with pytest.raises(ValueError, match=expected) as caught:
        fit(build(not saved_tied), epochs=3, run_dir=tmp_path)
    assert "\n" not in str(caught.value)
    if saved_tied:
        loaded = fd.load(tmp_path, build(tied=False))
        assert loaded.encoder[3].weight is loaded.decoder[0].weight
    else:
        with pytest.raises(ValueError, match=expected):
            fd.load(tmp_path, build())


def test_networks_of_ours_that_share_a_layer_are_rebuilt_sharing_it(tmp_path):
    mlp = fd.networks.mlp

    def ours():
        torch.manual_seed(0)
        encoder, decoder = mlp([16, 6, 6]), mlp([6, 6, 16], output="sigmoid")
        decoder[1] = encoder[3]
        return fd.AAE(encoder, decoder, mlp([6, 1]), prior=fd.priors.Normal(6))

    model = ours()
    fit(model, run_dir=tmp_path)
    loaded = fd.load(tmp_path)
    assert loaded.encoder[3].weight is loaded.decoder[1].weight and loaded.encoder[3].bias is loaded.decoder[1].bias
    assert torch.equal(parameters(loaded), parameters(model))
    resumed = ours()
    fit(resumed, epochs=3, run_dir=tmp_path)
    assert len(resumed.parameter_groups()["reconstruction"]) == 6


def test_loading_leaves_the_random_state_and_the_defaults_alone(tmp_path):
    mlp = fd.networks.mlp
    networks = mlp([16, 6]), mlp([6, 16], output="sigmoid"), mlp([6, 1])
    model = fd.AAE(*networks, prior=fd.priors.Normal(6))
    fit(model, run_dir=tmp_path)
    before = torch.get_rng_state()
    loaded = fd.load(tmp_path)
    assert torch.equal(torch.get_rng_state(), before) and torch.equal(parameters(loaded), parameters(model))
    assert all(parameter.requires_grad and parameter.device.type == "cpu" for parameter in loaded.parameters())
    fit(loaded, epochs=1)
    assert not torch.equal(parameters(loaded), parameters(model)) and not torch.equal(
        parameters(loaded), parameters(fd.load(tmp_path))
    )
