"""Models with convolutional networks: trained, resumed, loaded, sampled; and what batch norm does in each of them."""

import copy

import pytest
import torch
from PIL import Image
from torch import nn

import fastdaae as fd
from fastdaae import networks, ops
from fastdaae.corruptions import Gaussian
from fastdaae.noise import Site

CODE = 6


def images(shape: tuple[int, ...], count: int = 20) -> torch.Tensor:
    return torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def narrow(image_shape: tuple[int, ...]) -> dict[str, nn.Module]:
    builders = {"encoder": networks.dcgan_encoder, "decoder": networks.dcgan_decoder}
    return {name: make(image_shape, CODE, filters=4) for name, make in builders.items()}


def build(kind: str, architecture: str, image_shape: tuple[int, ...], **choices) -> fd.models.Autoencoder:
    torch.manual_seed(0)
    parts = narrow(image_shape) if architecture == "dcgan" else networks.for_images(architecture, image_shape, CODE)
    corruption = {} if kind == "AAE" else {"corruption": Gaussian(0.1, clip=(0, 1))}
    if kind == "Autoencoder":
        return fd.models.Autoencoder(**parts, **corruption, **choices)
    copies = {"copies": 3} if kind == "IDAAE" else {}
    judge = networks.mlp([CODE, 8, 1])
    prior = fd.priors.Normal(CODE)
    return getattr(fd, kind)(**parts, discriminator=judge, prior=prior, **corruption, **copies, **choices)


def fit(model: nn.Module, data: torch.Tensor, epochs: int, run_dir=None) -> nn.Module:
    fd.Trainer(model, lr=1e-3, batch_size=10, epochs=epochs, run_dir=run_dir).fit(data, progress=False)
    return model.eval()


MODELS = ("Autoencoder", "AAE", "DAAE", "IDAAE")
# each architecture with grey and with colour images, and with every model
TRAINED = [(kind, name, ((16, 16), (3, 16, 16))[(i + j) % 2]) for i, kind in enumerate(MODELS)
           for j, name in enumerate(networks.ARCHITECTURES)]  # fmt: skip


@pytest.mark.parametrize(("kind", "architecture", "shape"), TRAINED)
def test_a_run_resumes_bit_for_bit_and_loads_by_its_configuration(kind, architecture, shape, tmp_path):
    x = images(shape)
    straight = fit(build(kind, architecture, shape), x, 2)
    fit(build(kind, architecture, shape), x, 1, tmp_path)
    resumed = fit(build(kind, architecture, shape), x, 2, tmp_path)
    loaded = fd.load(tmp_path)
    for one in (resumed, loaded):
        assert one.state_dict().keys() == straight.state_dict().keys()
        assert all(torch.equal(own, one.state_dict()[name]) for name, own in straight.state_dict().items())
        assert torch.equal(one.reconstruct(x, fd.Noise(3)), straight.reconstruct(x, fd.Noise(3)))
    assert loaded.reconstruct(x).shape == x.shape
    assert loaded.encode(x).shape == (20, CODE) and loaded.image_shape == shape


@pytest.mark.parametrize("architecture", networks.ARCHITECTURES)
@pytest.mark.parametrize("shape", [(16, 16), (3, 16, 16)])
def test_chains_decode_corrupt_and_encode(architecture, shape):
    model = build("DAAE", architecture, shape).eval()
    z = torch.randn(5, CODE)
    kept = model.sample(5, steps=2, keep=(0, 1, 2), initial=z, seed=4)
    noise, expected = fd.Noise(4), []
    for _ in range(3):
        expected.append(model.decode(z))
        x_tilde = ops.corrupt(expected[-1], model.corruption, noise, site=Site.CHAIN)[0]
        z = model.encode(x_tilde)
        noise.advance()
    assert kept.shape == (3, 5, *shape) and torch.allclose(kept, torch.stack(expected), atol=1e-5)


def test_evaluation_takes_convolutional_models():
    dataset = fd.data.load("digits")
    # digits are 8 x 8, and the tutorial's networks begin at 16
    grown = [split.images[:200].repeat_interleave(2, 1).repeat_interleave(2, 2) for split in dataset[:3]]
    splits = [fd.data.Split(one, split.labels[:200]) for one, split in zip(grown, dataset[:3], strict=True)]
    large = fd.data.Dataset(*splits, name="digits of 16")
    model = build("DAAE", "tutorial", (16, 16))
    fd.Trainer(model, epochs=1).fit(large, progress=False)
    before = statistics(model)
    told = fd.evaluation.evaluate(model.train(), large, samples=50, k=5)
    assert {"reconstruction MSE", "test accuracy"} <= {one.name for one in told}, told
    assert all(torch.equal(tensor, before[name]) for name, tensor in statistics(model).items())


def test_the_tutorial_learns_from_a_folder_of_grey_pictures(tmp_path):
    for place, picture in enumerate(images((16, 16), 40)):
        Image.fromarray(picture.numpy()).save(tmp_path / f"{place:02}.png")
    dataset = fd.data.load(tmp_path)
    model = build("Autoencoder", "tutorial", (16, 16), loss="mse")
    fd.Trainer(model, epochs=1, batch_size=8).fit(dataset, progress=False)
    assert dataset.train.images.shape[1:] == model.image_shape == (16, 16)
    assert model.eval().reconstruct(dataset.test.images).shape == dataset.test.images.shape


def statistics(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in network.named_buffers()}


@pytest.mark.parametrize("backend", ["reference", "cpp"])
def test_batch_norm_sees_the_copies_of_algorithm_2_one_after_the_other(backend):
    """Each copy is normalised by its own batch, and moves the running statistics, in the order of the copies."""
    encoder = networks.tutorial_encoder((16, 16), CODE)
    alone, x, noise = copy.deepcopy(encoder), images((16, 16)), fd.Noise(2)
    mean = ops.encode_mean(encoder, x, Gaussian(0.3), noise, copies=3, backend=backend)
    x_tilde = ops.corrupt(x, Gaussian(0.3), noise, copies=3, site=Site.MATCHING, backend=backend)
    codes = torch.stack([alone(one_copy) for one_copy in x_tilde])
    assert torch.allclose(mean, codes.mean(0), atol=1e-5)
    for name, moved in statistics(encoder).items():
        assert torch.allclose(moved, statistics(alone)[name], atol=1e-6), name
    assert int(encoder[2].num_batches_tracked) == 3


@pytest.mark.parametrize(
    ("kind", "choices", "encoded", "decoded"),
    [
        ("Autoencoder", {}, 1, 1),
        ("AAE", {}, 2, 1),
        ("DAAE", {}, 2, 1),
        ("DAAE", {"fresh_corruption": True}, 2, 1),
        ("IDAAE", {}, 1 + 3, 1),
        ("IDAAE", {"integration": "inputs"}, 2, 1),
        ("IDAAE", {"form": "released"}, 1, 1),
    ],
)
def test_a_step_moves_the_statistics_once_for_every_batch_that_is_encoded(kind, choices, encoded, decoded):
    """Nothing but training moves them."""
    model = build(kind, "dcgan", (16, 16), **choices)
    optimizers = {name: torch.optim.SGD(group, lr=0.0) for name, group in model.parameter_groups().items()}
    x = images((16, 16))
    fd.compile_step(model, optimizers)(x)
    counted = [int(tensor) for name, tensor in model.named_buffers() if name.endswith("num_batches_tracked")]
    assert counted == [encoded] * 3 + [decoded] * 4
    model.eval()
    moved = statistics(model)
    model.validation_losses(x, fd.Noise(0))
    model.reconstruct(x, fd.Noise(0))
    model.train().sample(3, steps=1, initial=torch.zeros(3, CODE))
    assert all(torch.equal(tensor, moved[name]) for name, tensor in statistics(model).items())


def test_the_first_running_mean_is_a_hundredth_of_the_batchs():
    """Keras's momentum of 0.99 is PyTorch's 0.01."""
    encoder, x = networks.tutorial_encoder((16, 16)), torch.rand(8, 16, 16)
    maps = encoder[1](encoder[0](x)).detach()
    encoder(x)
    assert torch.allclose(encoder[2].running_mean, 0.01 * maps.mean((0, 2, 3)), atol=1e-6)


@pytest.mark.parametrize("architecture", ["cae", "textbook"])
def test_copies_go_through_as_one_batch_where_no_layer_mixes_rows(architecture):
    encoder = networks.for_images(architecture, (16, 16), CODE)["encoder"]
    batches: list[int] = []
    encoder[1].register_forward_hook(lambda layer, given, result: batches.append(len(result)))
    x, noise = images((16, 16)), fd.Noise(2)
    mean = ops.encode_mean(encoder, x, Gaussian(0.3), noise, copies=3)
    assert batches == [60]
    x_tilde = ops.corrupt(x, Gaussian(0.3), noise, copies=3, site=Site.MATCHING)
    assert torch.allclose(mean, torch.stack([encoder(one_copy) for one_copy in x_tilde]).mean(0), atol=1e-5)


@pytest.mark.parametrize("architecture", networks.ARCHITECTURES)
def test_weights_train_to_the_same_however_they_lie_in_memory(architecture):
    """Fused Adam steps through parameter, gradient and state as they lie in memory, and does not compare."""
    trained = []
    for layout in (torch.channels_last, torch.contiguous_format):
        model = build("Autoencoder", architecture, (3, 16, 16), loss="mse").to(memory_format=layout)
        optimizers = {"reconstruction": torch.optim.Adam(model.parameters(), lr=1e-2, fused=True)}
        step = fd.compile_step(model, optimizers)
        for _ in range(3):
            step(images((3, 16, 16)))
        trained.append(torch.cat([parameter.detach().flatten() for parameter in model.parameters()]))
    apart = (trained[0] - trained[1]).abs()
    # biases before a batch norm have a gradient of rounding alone
    assert float(apart.quantile(0.98)) < 1e-3, float(apart.quantile(0.98))


@pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
def test_a_run_resumes_bit_for_bit_however_its_weights_lie_in_memory(layout, tmp_path):
    x = images((3, 16, 16))

    def model() -> nn.Module:
        return build("Autoencoder", "cae", (3, 16, 16), loss="mse").to(memory_format=layout)

    straight = fit(model(), x, 3)
    fit(model(), x, 1, tmp_path)
    resumed = fit(model(), x, 3, tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), resumed.parameters(), strict=True))
