"""VAEs, noise transformers and emphasised autoencoders as blocks of a stack: pretrained, trained, chained."""

import pytest
import torch

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking
from fastdaae.models.config import from_config
from tests.variational.small import digits, images, mlp, parameters, train


def vae_block(inputs: int, code: int, **choices) -> fd.models.VAE:
    return fd.models.VAE(mlp([inputs, 12, 2 * code], "sigmoid"), mlp([code, 12, inputs], "sigmoid"), **choices)


def learned(inputs: int, code: int) -> fd.models.NoiseTransformer:
    transformer = mlp([inputs, inputs // 2, 1], "sigmoid")
    return fd.models.NoiseTransformer(
        mlp([inputs, code], "sigmoid"), mlp([code, inputs], "sigmoid"), transformer, weight=0.05
    )


def emphasised(inputs: int, code: int) -> fd.models.Autoencoder:
    choices = {"corruption": Masking(0.5), "emphasis": (1.0, 0.5)}
    return fd.models.Autoencoder(mlp([inputs, code], "sigmoid"), mlp([code, inputs], "sigmoid"), **choices)


def stack(kind: str, pixels: int = 20) -> fd.models.StackedAutoencoder:
    torch.manual_seed(2)
    make = {"vae": lambda *sizes: vae_block(*sizes, corruption=Gaussian(0.2)), "learned": learned}.get(kind, emphasised)
    return fd.models.StackedAutoencoder([make(pixels, 8), make(8, 4)])


KINDS = ("vae", "learned", "emphasised")


@pytest.mark.parametrize("kind", KINDS)
def test_codes_go_up_and_pixels_come_down_through_the_blocks_methods(kind):
    model, x = stack(kind), images() / 255
    below, above = model.blocks
    z = above.encode(below.encode(x))
    assert torch.allclose(model.encode(x), z, atol=1e-6) and z.shape == (32, 4)
    assert torch.allclose(model.encoder(x), z, atol=1e-6)
    assert torch.allclose(model.reconstruct(x), below.decode(above.decode(z)), atol=1e-6)
    codes = torch.rand(5, 4)
    x_tilde = model.corrupted(model.decode(codes), fd.Noise(3), site=3)
    expected = model.decode(model.encode(x_tilde))
    assert torch.allclose(model.sample(5, initial=codes, steps=1, seed=3), expected, atol=1e-5)
    assert model.sample_top_down(x, 2).shape == (2, 32, 20)
    assert from_config(model.config).config == model.config


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_stack_trains_on_its_first_block_s_loss(kind):
    model = stack(kind)
    losses = train(model, images(), steps=30)
    assert losses[-1]["reconstruction"] < losses[0]["reconstruction"]
    x, z, noise = images(), torch.rand(32, 8), fd.Noise(1)
    first = model.blocks[0]
    found = model.emphasised_loss(first.decoder, z, x, noise, site=2)
    assert torch.equal(found, first.emphasised_loss(first.decoder, z, x, noise, site=2))
    assert model.loss_unit == first.loss_unit


@pytest.mark.parametrize("kind", KINDS)
def test_blocks_are_pretrained_each_by_its_own_loss(kind, tmp_path):
    model = stack(kind, 64)
    histories = fd.training.pretrain(
        model, digits(), run_dir=tmp_path, progress=False, epochs=2, batch_size=20, lr=1e-3
    )
    expected = {"vae": ["reconstruction", "kl"], "learned": ["reconstruction", "noise"]}.get(kind, ["reconstruction"])
    assert [list(history[-1]["losses"]) for history in histories] == [expected] * 2
    loaded = fd.load(tmp_path)
    assert torch.equal(parameters(loaded), parameters(model)) and loaded.config == model.config


def test_a_classifier_fine_tunes_the_means_of_a_vae():
    torch.manual_seed(0)
    autoencoder = vae_block(64, 4)
    model, dataset = fd.models.Classifier(autoencoder, mlp([4, 16, 10])), digits()
    before = parameters(autoencoder.encoder)
    history = fd.Trainer(model, epochs=40, batch_size=20, lr=1e-2).fit(dataset, progress=False)
    assert history[-1]["losses"]["classification"] < 0.5 * history[0]["losses"]["classification"]
    assert not torch.equal(parameters(autoencoder.encoder), before)
    # the rows of the last layer that make the log variance have no gradient, and stay
    last = [module for module in autoencoder.encoder if isinstance(module, torch.nn.Linear)][-1]
    fresh = [module for module in vae_after_seed().encoder if isinstance(module, torch.nn.Linear)][-1]
    assert torch.equal(last.weight[4:], fresh.weight[4:]) and not torch.equal(last.weight[:4], fresh.weight[:4])


def vae_after_seed() -> fd.models.VAE:
    torch.manual_seed(0)
    return vae_block(64, 4)
