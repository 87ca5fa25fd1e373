"""Images keep their shape: from training images to a model, its configuration, reconstructions, samples and chains."""

import json

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.corruptions import Gaussian
from fastdaae.kernels import cpp

COLOUR = (3, 4, 4)
mlp = fd.networks.mlp


def images(shape: tuple[int, ...] = COLOUR, count: int = 64) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def convolutions() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 4, 3, stride=2), nn.ReLU(), nn.Flatten(), nn.Linear(4, 2))


def build(encoder: nn.Module | None = None, decoder: nn.Module | None = None, **choices) -> fd.DAAE:
    torch.manual_seed(0)
    parts = encoder or mlp([48, 16, 2]), decoder or mlp([2, 16, 48], output="sigmoid"), mlp([2, 8, 1])
    return fd.DAAE(*parts, prior=fd.priors.Normal(2), corruption=Gaussian(0.5), **choices)


def fit(model: nn.Module, data: torch.Tensor, **settings) -> list[dict]:
    settings = {"epochs": 1, "batch_size": 32, **settings}
    return fd.Trainer(model, **settings).fit(data, progress=False)


def test_training_tells_a_model_the_shape_of_its_images(tmp_path):
    model = build()
    flat = build().sample(5, steps=2, keep=(0, 2), seed=1)
    assert model.image_shape is None and flat.shape == (2, 5, 48)
    fit(model, images(), run_dir=tmp_path, lr=1e-12)
    assert model.image_shape == COLOUR and model.config["image_shape"] == list(COLOUR)
    assert json.loads((tmp_path / run_folder.CONFIG).read_text())["model"] == model.config
    loaded, x = fd.load(tmp_path), images(count=6)
    for one in (model, loaded):
        assert one.image_shape == COLOUR and one.sample(5).shape == (5, *COLOUR)
        assert torch.allclose(one.sample(5, steps=2, keep=(0, 2), seed=1), flat.unflatten(2, COLOUR), atol=1e-5)
        assert one.decode(torch.zeros(6, 2)).shape == one.reconstruct(x).shape == x.shape
        assert torch.equal(one.reconstruct(x.flatten(1), fd.Noise(2)), one.reconstruct(x, fd.Noise(2)))


def test_chains_of_a_trained_model_are_the_compiled_ones(monkeypatch):
    model, calls, compiled = build(), [], cpp.chain.sample_chain
    fit(model, images())
    monkeypatch.setattr(cpp.chain, "sample_chain", lambda *given, **how: calls.append(1) or compiled(*given, **how))
    assert model.sample(4, steps=2).shape == (4, *COLOUR) and calls == [1]


class Flat(nn.Module):
    """A network of rows alone, as an encoder of one's own may be."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(48, 2)

    def forward(self, x):
        assert x.dim() == 2
        return self.linear(x)


def with_a_channel() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 48), nn.Sigmoid(), nn.Unflatten(1, (1, 3, 16)))


@pytest.mark.parametrize(
    ("encoder", "decoder", "shape"),
    [
        (convolutions, None, COLOUR),
        (convolutions, lambda: nn.Sequential(nn.Linear(2, 48)), COLOUR),
        (Flat, with_a_channel, (48,)),
        (None, with_a_channel, COLOUR),
    ],
)
def test_a_chain_reshapes_what_the_decoder_gives_to_what_the_encoder_takes(encoder, decoder, shape):
    choices = {} if decoder is None else {"decoder_output": "probabilities" if decoder is with_a_channel else "logits"}
    model = build(encoder and encoder(), decoder and decoder(), **choices)
    fit(model, images(shape), lr=1e-12)
    model.eval()
    z = torch.randn(5, 2)
    drawn = model.sample(5, initial=z, steps=2, keep=(0, 1, 2), seed=3)
    for t, x in enumerate(drawn):
        expected = model.decoder(z)
        expected = torch.sigmoid(expected) if choices.get("decoder_output") == "logits" else expected
        assert x.shape == (5, *shape) and torch.allclose(x.flatten(), expected.flatten(), atol=1e-5)
        noisy = fd.ops.corrupt(x, Gaussian(0.5), fd.Noise(3, step=t), site=3)[0]
        z = model.encoder(noisy).detach()


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        (r"image_shape must be the shape of one image such as \(3, 32, 32\), or None, got 48", 48),
        (r"image_shape must be the shape of one image .* got ''", ""),
        (r"image_shape must be the shape of one image .* got \(\)", ()),
        (r"image_shape\[1\] must be a whole number >= 1, got 0", (3, 0, 4)),
        (r"image_shape\[0\] must be a whole number >= 1, got 3.0", (3.0, 4, 4)),
        ("must have images of one number of pixels, got encoder 48, decoder 48, image_shape 64", (8, 8)),
    ],
)
def test_what_is_no_shape_of_its_images_is_refused(message, shape):
    with pytest.raises((TypeError, ValueError), match=message):
        build(image_shape=shape)
    assert build(image_shape=torch.Size(COLOUR)).image_shape == build(image_shape=list(COLOUR)).image_shape == COLOUR


@pytest.mark.parametrize(
    ("remedy", "shape"),
    [
        (r"got \[48\]; use images.reshape\(len\(images\), 3, 4, 4\), or build the model with", (48,)),
        (r"got \[4, 4, 3\]; use images.reshape", (4, 4, 3)),
    ],
)
def test_other_images_than_the_model_s_are_refused_with_the_remedy(remedy, shape):
    model = build(image_shape=COLOUR)
    with pytest.raises(ValueError, match=r"dataset must hold images .*image_shape \[3, 4, 4\], " + remedy) as caught:
        fit(model, images(shape).float() / 255)
    assert "\n" not in str(caught.value) and model.image_shape == COLOUR


def test_images_that_do_not_fit_leave_the_shape_unknown():
    model = build()
    with pytest.raises(ValueError, match="dataset must hold images"):
        fit(model, images((5, 5)))
    assert model.image_shape is None
    fit(model, images())
    assert model.image_shape == COLOUR


def test_runs_of_an_earlier_version_are_resumed_and_loaded(tmp_path):
    """Their configuration has no image_shape."""
    resumed, straight = build(), build()
    fit(build(), images(), run_dir=tmp_path)
    path = tmp_path / run_folder.CONFIG
    config = json.loads(path.read_text())
    del config["model"]["image_shape"]
    path.write_text(json.dumps(config))
    assert fd.load(tmp_path).image_shape is None and fd.load(tmp_path).sample(2).shape == (2, 48)
    fit(resumed, images(), run_dir=tmp_path, epochs=2)
    fit(straight, images(), epochs=2)
    assert all(map(torch.equal, resumed.parameters(), straight.parameters()))
    assert fd.load(tmp_path).image_shape == COLOUR


def test_a_class_that_does_not_hand_the_shape_on_has_it_in_its_runs(tmp_path):
    class Mine(fd.AAE):
        def __init__(self):
            super().__init__(mlp([48, 2]), mlp([2, 48], output="sigmoid"), mlp([2, 1]), prior=fd.priors.Normal(2))

    fit(Mine(), images(), run_dir=tmp_path)
    assert fd.load(tmp_path, Mine()).image_shape == COLOUR


def test_the_reconstruction_error_is_that_of_the_same_pixels_in_another_shape():
    model, x = build(image_shape=(1, 6, 8)), images((6, 8))
    expected = (model.reconstruct(x)[:, 0] - x / 255).square().mean()
    for given in (x, x[:, None], x.flatten(1)):
        assert fd.evaluation.reconstruction_error(model, given).mean == pytest.approx(float(expected), rel=1e-5)
