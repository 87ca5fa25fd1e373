"""Builders of networks: shapes, sizes, settings that rebuild them, and what they refuse."""

import json
import math

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae import networks
from fastdaae.models.names import names
from fastdaae.networks.parts import Maps
from tests.networks.builders import PAIRS

each_pair = pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS.keys())


def numbers(network: nn.Module) -> int:
    """As Keras counts: with batch norm's moving mean and variance, and without its count of batches."""
    return sum(tensor.numel() for tensor in network.state_dict().values() if tensor.dim())


@each_pair
def test_images_become_codes_and_codes_images(pair):
    encoder, decoder = pair.build()
    x = torch.rand(2, *pair.image_shape)
    z = encoder.eval()(x)
    assert z.shape == (2, pair.numbers) and decoder.eval()(z).shape == x.shape
    maps = pair.image_shape if len(pair.image_shape) == 3 else (1, *pair.image_shape)
    for same in (x.flatten(1), x.reshape(2, *maps)):
        assert torch.equal(encoder(same), z)


@each_pair
def test_a_code_of_any_size_has_a_layer_of_its_own(pair):
    if "code" in pair.choices or pair.encoder is networks.dcgan_encoder:
        return
    encoder, decoder = pair.build(code=3)
    z = encoder.eval()(torch.rand(2, *pair.image_shape))
    assert z.shape == (2, 3) and decoder.eval()(z).shape == (2, *pair.image_shape)
    more = [numbers(network) - numbers(bare) for network, bare in zip((encoder, decoder), pair.build(), strict=True)]
    assert more == [3 * pair.numbers + 3, 3 * pair.numbers + pair.numbers]


@each_pair
def test_settings_rebuild_the_networks(pair):
    model = fd.models.Autoencoder(*pair.build(), loss="mse", decoder_output=None if ends_in_sigmoid(pair) else "linear")
    config = json.loads(json.dumps(model.config))
    rebuilt = fd.models.config.from_config(config)
    assert repr(rebuilt.encoder) == repr(model.encoder) and repr(rebuilt.decoder) == repr(model.decoder)
    assert rebuilt.config == model.config and repr(rebuilt) == repr(model)
    for kind in ("encoder", "decoder"):
        assert config[kind]["network"] in names("network") and config[kind]["network"] in repr(model)


def ends_in_sigmoid(pair) -> bool:
    return isinstance(pair.build()[1][-1], nn.Sigmoid)


def test_every_name_of_a_network_is_a_builder_that_is_public():
    assert set(names("network")) == set(networks.__all__) - {"ARCHITECTURES", "for_images"}


def test_the_tutorials_numbers_are_the_papers_layer_by_layer():
    """Its two summaries: Keras counts the moving mean and variance of batch norm, PyTorch's buffers, as parameters."""
    listed = {
        networks.tutorial_encoder: ([320, 128, 18496, 256, 73856, 512], 93_568, 448),
        networks.tutorial_decoder: ([73792, 256, 18464, 128, 289, 4, 10], 92_943, 194),
    }
    for make, (layers, whole, not_trained) in listed.items():
        network = make()
        assert [numbers(layer) for layer in network if numbers(layer)] == layers
        assert numbers(network) == whole == sum(layers)
        assert numbers(network) - sum(p.numel() for p in network.parameters()) == not_trained


def test_the_tutorial_starts_as_keras_does():
    encoder, decoder = PAIRS["the tutorial"].build()
    layers = [layer for network in (encoder, decoder) for layer in network]
    assert [layer.negative_slope for layer in layers if isinstance(layer, nn.LeakyReLU)] == [0.3] * 6
    assert {(layer.eps, layer.momentum) for layer in layers if isinstance(layer, nn.BatchNorm2d)} == {(1e-3, 0.01)}
    for layer in (layer for layer in layers if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)):
        bound = math.sqrt(6 / (9 * (layer.in_channels + layer.out_channels)))  # Glorot's
        assert not layer.bias.any() and layer.weight.abs().max() <= bound
        assert layer.weight.numel() < 500 or layer.weight.abs().max() > 0.95 * bound


def test_the_released_faces_have_the_released_codes_layers():
    encoder, decoder = networks.dcgan_encoder(batch_norm=False), networks.dcgan_decoder(batch_norm=False)
    widths = [3, 64, 128, 256, 512]
    down = [25 * a * b + b for a, b in zip(widths, widths[1:], strict=False)]
    up = [9 * a * b + a for a, b in zip(widths, widths[1:], strict=False)]
    at_the_code = 512 * 4 * 4
    assert numbers(encoder) == sum(down) + at_the_code * 200 + 200
    assert numbers(decoder) == sum(up) + 200 * at_the_code + at_the_code
    normed = networks.dcgan_encoder(), networks.dcgan_decoder()
    sizes = [[layer.num_features for layer in one if isinstance(layer, nn.BatchNorm2d)] for one in normed]
    assert sizes == [[128, 256, 512], [512, 256, 128, 64]]


def test_blocks_fit_on_each_other_without_shapes_between():
    """What a stack does: codes go from block to block as rows."""
    lower, upper = PAIRS["the report's first block"].build(), PAIRS["its second"].build()
    x = torch.rand(2, 28, 28)
    z = nn.Sequential(lower[0], upper[0])(x).detach()
    assert z.shape == (2, 784) and float(z.min()) > 0 and float(z.max()) < 1
    assert nn.Sequential(upper[1], lower[1])(z).shape == x.shape


@each_pair
def test_maps_have_their_channels_last_and_the_same_numbers(pair):
    for network in pair.build():
        maps = next(layer for layer in network if isinstance(layer, Maps))
        begin = list(network).index(maps)
        x = torch.rand(2, math.prod(maps.shape))
        plain = nn.Sequential(nn.Unflatten(1, maps.shape), *network[begin + 1 :]).eval()
        laid_out = maps(x)
        assert laid_out.is_contiguous(memory_format=torch.channels_last) and torch.equal(laid_out, plain[0](x))
        assert laid_out.stride(1) == 1
        assert torch.allclose(network[begin:].eval()(x), plain(x), atol=1e-5)


def test_pooling_before_or_after_relu_is_the_same():
    """The report pools first and the textbook prints it after: maximum and ReLU commute."""
    encoder = networks.textbook_encoder((8, 8))
    printed = nn.Sequential(*(encoder[place] for place in (0, 1, 3, 2, 4, 6, 5, 7)))
    x = torch.rand(3, 8, 8)
    assert torch.equal(encoder(x), printed(x))


@pytest.mark.parametrize("architecture", networks.ARCHITECTURES)
def test_networks_for_images_by_a_name(architecture):
    for image_shape in ((32, 32), (3, 16, 32), (48, 16)):
        for code, given in ((None, None), (4, None), (4, 8)):
            made = networks.for_images(architecture, image_shape, code, given)
            z = made["encoder"].eval()(torch.rand(2, *image_shape))
            assert code is None or z.shape == (2, given or code)
            pixels = made["decoder"].eval()(z[:, : code or None]).detach()
            assert pixels.shape == (2, *image_shape) and float(pixels.min()) >= 0 and float(pixels.max()) <= 1


BAD = {
    "a side of the tutorial": (
        lambda: networks.tutorial_encoder((30, 28)),
        "image_shape must be",
        "multiples of 4 and",
    ),
    "too small": (lambda: networks.tutorial_decoder((12, 12)), "image_shape must be", "at least 16", "(12, 12)"),
    "flat": (lambda: networks.textbook_encoder((784,)), "image_shape must be", "got (784,)"),
    "a number": (lambda: networks.textbook_decoder(28), "image_shape must be", "got 28"),
    "too many": (lambda: networks.cae_encoder((1, 3, 8, 8)), "image_shape must be"),
    "halves": (lambda: networks.cae_decoder((28, 28)), "multiples of 8 and at least 8", "got (28, 28)"),
    "a reflection": (lambda: networks.cae_decoder((8, 8), kernel=5), "at least 16", "got (8, 8)"),
    "no channel": (lambda: networks.dcgan_encoder((0, 32, 32)), "image_shape[0] must be", "got 0"),
    "a word": (lambda: networks.dcgan_decoder("32x32"), "image_shape must be", "got '32x32'"),
    "fractions": (lambda: networks.cae_encoder((8.0, 8)), "image_shape[0] must be a whole number", "got 8.0"),
    "an even kernel": (lambda: networks.cae_encoder((8, 8), kernel=4), "kernel must be odd", "got 4"),
    "no filters": (lambda: networks.cae_block_encoder((8, 8), filters=()), "filters must be at least one", "got ()"),
    "a filter": (lambda: networks.cae_block_decoder((8, 8), filters=(2, 0)), "filters[1] must be", "got 0"),
    "no code": (lambda: networks.tutorial_encoder(code=0), "code must be", "got 0"),
    "an output": (lambda: networks.textbook_decoder(output="softmax"), "output must be None or one of", "'softmax'"),
    "a truth": (lambda: networks.dcgan_encoder(batch_norm=1), "batch_norm must be True or False", "got 1"),
    "an architecture": (lambda: networks.for_images("unet", (8, 8)), "'cae', 'tutorial', 'dcgan'", "got 'unet'"),
    "an activation": (lambda: networks.mlp([2, 3, 1], activation="swish"), "activation must be", "got 'swish'"),
    "its images": (lambda: networks.textbook_encoder()(torch.rand(2, 3, 28, 28)), "[1, 28, 28]", "got [N, 3, 28, 28]"),
    "colours last": (lambda: networks.cae_encoder((3, 8, 8))(torch.rand(2, 8, 8, 3)), "[3, 8, 8]", "got [N, 8, 8, 3]"),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused_in_one_line(case):
    call, *told = case
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 250 and all(part in message for part in told), message


@pytest.mark.parametrize("activation", [None, "relu", "sigmoid", "leaky_relu", "tanh"])
def test_activations_and_outputs_of_a_fully_connected_network(activation):
    network = networks.mlp([4, 3, 3, 2], output="tanh", activation=activation)
    kinds = [type(layer) for layer in network]
    expected = {"sigmoid": nn.Sigmoid, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh}.get(activation, nn.ReLU)
    assert kinds == [nn.Flatten, nn.Linear, expected, nn.Linear, expected, nn.Linear, nn.Tanh]
    rebuilt = networks.mlp(**{key: value for key, value in network.config.items() if key != "network"})
    assert repr(rebuilt) == repr(network)


def test_a_run_of_an_earlier_version_knows_no_activation(tmp_path):
    """Its configuration lacks the key, and it loads and resumes."""
    images = torch.rand(16, 6)

    def model():
        torch.manual_seed(0)
        return fd.models.Autoencoder(networks.mlp([6, 4, 2]), networks.mlp([2, 4, 6], output="sigmoid"))

    fd.Trainer(model(), epochs=1, batch_size=8, run_dir=tmp_path).fit(images, progress=False)
    file = tmp_path / "config.json"
    config = json.loads(file.read_text())
    for network in ("encoder", "decoder"):
        assert config["model"][network].pop("activation") is None
    file.write_text(json.dumps(config))
    assert repr(fd.load(tmp_path).encoder) == repr(model().encoder)
    fd.Trainer(model(), epochs=2, batch_size=8, run_dir=tmp_path).fit(images, progress=False)
