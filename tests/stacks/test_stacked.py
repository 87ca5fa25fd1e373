"""A stack of autoencoders: its laws, its samples from the top down, and what is none."""

import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian
from fastdaae.models import Autoencoder, StackedAutoencoder
from fastdaae.noise import Site
from fastdaae.training.optimizers import make_optimizers
from tests.stacks.small import block, images, mlp, moved, refused, stack, state

NOISE = fd.Noise(3)


def trained(model: nn.Module, steps: int = 3) -> nn.Module:
    step = fd.compile_step(model, make_optimizers(model.parameter_groups(), "adam", 1e-2))
    for _ in range(steps):
        step(images(32))
    return model


def test_a_stack_of_one_block_is_the_block():
    whole = stack(sizes=(16, 8))
    alone, x = whole.blocks[0], images(20)
    z = alone.encode(x)
    for name, argument in (("encode", x), ("decode", z), ("reconstruct", x)):
        assert torch.equal(getattr(whole, name)(argument), getattr(alone, name)(argument)), name
    assert torch.equal(whole.reconstruct(x, NOISE), alone.reconstruct(x, NOISE))
    assert torch.equal(whole.sample(20, initial=z, steps=2), alone.sample(20, initial=z, steps=2))
    assert whole.validation_losses(x, NOISE) == alone.validation_losses(x, NOISE)
    other = stack(sizes=(16, 8)).blocks[0]
    trained(whole), trained(other)
    assert not moved(alone, state(other))


@pytest.mark.parametrize("output", ["sigmoid", None])
def test_a_stack_is_the_composition_of_its_blocks(output):
    def logits(inputs, outputs):
        kind = None if output else "logits"
        return Autoencoder(mlp([inputs, outputs], "sigmoid"), mlp([outputs, inputs], output), decoder_output=kind)

    torch.manual_seed(0)
    one, two = logits(16, 8), logits(8, 4)
    model, x = StackedAutoencoder([one, two], image_shape=(4, 4)), images(5)
    z = two.encode(one.encode(x))
    pixels = one.decode(two.decode(z)).reshape(5, 4, 4)
    assert torch.equal(model.encode(x), z) and torch.equal(model.decode(z), pixels)
    assert torch.allclose(model.encoder(x.float() / 255), z) and torch.allclose(model.sample(5, initial=z), pixels)
    # its own training: the first block's corruption and loss through all of the blocks
    optimizers = {"reconstruction": torch.optim.SGD(model.parameters(), lr=0.1)}
    x_tilde = fd.ops.corrupt(x, one.corruption, NOISE, site=Site.RECONSTRUCTION)[0]
    expected = nn.functional.binary_cross_entropy(model(x_tilde), x / 255).detach()
    loss = fd.compile_step(model, optimizers, noise=NOISE.ahead(0))(x)["reconstruction"]
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)


def test_joint_training_moves_every_block_and_each_parameter_is_held_once():
    model = stack()
    before = state(model)
    assert set(before) == {
        f"blocks.{k}.{net}.1.{p}" for k in (0, 1) for net in ("encoder", "decoder") for p in ("weight", "bias")
    }
    assert len(model.parameter_groups()["reconstruction"]) == 8 == len(list(model.parameters()))
    trained(model)
    assert moved(model, before) == set(before)


def test_blocks_may_have_codes_of_their_own_and_shapes():
    """A block whose code is the first half of what its encoder gives, as a VAE's mean, below a convolutional one."""

    class Half(Autoencoder):
        def encode(self, x):
            return super().encode(x).chunk(2, 1)[0]

    torch.manual_seed(0)
    half = Half(mlp([16, 18]), mlp([9, 16], "sigmoid"), image_shape=(4, 4))
    reshaped = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (1, 3, 3)), nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Sigmoid())
    above = Autoencoder(reshaped, mlp([2, 9]), loss="mse", decoder_output="linear")
    model, x = StackedAutoencoder([half, above]), images(6)
    z = above.encode(half.encode(x))
    assert torch.equal(model.encode(x), z) and torch.allclose(model.encoder(x.float() / 255), z, atol=1e-6)
    encoder = {id(parameter) for parameter in model.encoder.parameters()}
    assert not encoder & {id(parameter) for parameter in half.decoder.parameters()}
    model.take_images(x)
    assert (model.image_shape, half.image_shape, above.image_shape) == ((4, 4), (4, 4), (9,))
    assert model.sample(6, initial=z, steps=1).shape == (6, 4, 4)


def test_a_stack_has_its_last_block_s_prior():
    top = fd.AAE(mlp([8, 2]), mlp([2, 8], "sigmoid"), mlp([2, 1]), prior=fd.priors.Normal(2))
    model = StackedAutoencoder([block(16, 8), top], image_shape=(4, 4))
    model.take_images(images())
    drawn = fd.priors.Normal(2).sample(7, fd.Noise(4), site=Site.INITIAL)
    assert torch.allclose(model.sample(7, seed=4), model.decode(drawn), atol=1e-6)
    refused(lambda: stack().sample(3), "this StackedAutoencoder has no prior")


# Bernoulli samples from the top down


def test_top_down_samples_are_the_chain_of_bernoulli_draws():
    model, x, n = stack(sizes=(16, 12, 8, 4)), images(9), 3
    model.take_images(x)
    noise, expected = fd.Noise(5), []
    for sample in range(n):
        mean = model.encode(x)
        for layer, one in enumerate(reversed(model.blocks)):
            u = fd.ops.uniform(9, mean.shape[1], noise.ahead(layer), copies=n, site=Site.TOP_DOWN)[sample]
            mean = one.decode((u < mean).float())
        expected.append(mean)
    # rounding alone differs with the number of rows that are decoded together: a flipped bit would show
    assert torch.allclose(model.sample_top_down(x, n, seed=5), torch.stack(expected), atol=1e-6)
    assert torch.allclose(model.sample_top_down(codes=model.encode(x), n=n, seed=5), torch.stack(expected), atol=1e-6)
    assert not torch.allclose(model.sample_top_down(x, n, seed=6), torch.stack(expected), atol=1e-3)


def test_top_down_samples_in_pieces_are_those_of_the_whole():
    model, x = stack(), images(50)
    model.take_images(x)
    whole = model.sample_top_down(x, 4, seed=1)
    pieces = [model.sample_top_down(x[i : i + 7], 4, seed=1, row_offset=i) for i in range(0, 50, 7)]
    assert torch.equal(model.sample_top_down(x, 4, seed=1), whole)
    assert torch.allclose(torch.cat(pieces, 1), whole, atol=1e-6)
    assert torch.allclose(model.sample_top_down(x, 2, seed=1), whole[:2], atol=1e-6)


def test_top_down_means_are_those_of_one_layer():
    """Codes are drawn with their own means: of a block that decodes linearly the mean sample is the decoded mean."""
    torch.manual_seed(0)
    linear = Autoencoder(mlp([16, 4], "sigmoid"), mlp([4, 16]), loss="mse", decoder_output="linear")
    model, x = StackedAutoencoder([linear], image_shape=(4, 4)), images(1)
    drawn = model.sample_top_down(x, 20_000)
    error = (drawn.mean(0) - model.reconstruct(x)).abs() / (drawn.std(0) / 20_000**0.5)
    assert error.max() < 5


def test_top_down_needs_codes_that_are_probabilities():
    model = StackedAutoencoder([Autoencoder(mlp([16, 4]), mlp([4, 16], "sigmoid"))], image_shape=(4, 4))
    refused(lambda: model.sample_top_down(images(40)), "codes of block 1 must be in [0, 1]", "end its encoder")
    refused(lambda: stack().sample_top_down(), "x or codes must be given, got neither")
    refused(lambda: stack().sample_top_down(images(), codes=torch.rand(3, 4)), "got both; give one of them")
    refused(lambda: stack().sample_top_down(images(), 0), "n must be a whole number in 1..65536, got 0")


@pytest.mark.parametrize(
    ("blocks", "words"),
    [
        (lambda: [], "blocks must be at least one autoencoder, got none"),
        (lambda: block(16, 8), "blocks must be a list of autoencoders, got Autoencoder; pass [block, block]"),
        (lambda: 3, "blocks must be a list of autoencoders, got int"),
        (lambda: [block(16, 8), mlp([8, 4])], "blocks[1] must be an autoencoder, got Sequential; make one, such as"),
        (lambda: [block(16, 8), block(9, 4)], "blocks[1] must take the codes of blocks[0], 8 numbers, got 9"),
    ],
)
def test_what_is_no_stack(blocks, words):
    refused(lambda: StackedAutoencoder(blocks()), words)


def test_the_shape_of_images_is_the_first_block_s():
    shaped = block(16, 8, image_shape=(4, 4), corruption=Gaussian(0.1))
    assert StackedAutoencoder([shaped, block(8, 4)]).image_shape == (4, 4)
    refused(lambda: StackedAutoencoder([shaped], image_shape=(2, 8)), "the first block's, [4, 4], got [2, 8]")
    refused(lambda: StackedAutoencoder([shaped]).take_images(images().reshape(-1, 2, 8)), "image_shape [4, 4], got")
    refused(lambda: StackedAutoencoder([block(16, 8)], image_shape=(3, 3)), "images of one number of pixels")
