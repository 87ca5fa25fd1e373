"""What a person brings to be trained on, data of every kind and scale: each refusal has its remedy."""

import math
import re
import warnings
from pathlib import Path

import numpy
import pytest
import torch
from torch import nn, optim
from torch.utils.data import DataLoader, Subset, TensorDataset

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking, Patches, SaltAndPepper
from fastdaae.data import Dataset, Split
from tests.data.small_sets import refuses
from tests.runs.small import build, fit, images, parameters

LABELS = torch.arange(96) % 3
PAIRS = TensorDataset(images(), LABELS)


def trained_on(data, **choices) -> torch.Tensor:
    model = build(**choices)
    fit(model, data, epochs=1)
    return parameters(model)


# data


def test_a_tensor_dataset_is_its_first_tensor():
    assert torch.equal(trained_on(PAIRS), trained_on(images()))


# (what a person has, under the name that the remedy gives it; the code of the remedy)
FOREIGN = [
    ("loader", DataLoader(PAIRS, batch_size=20), "torch.cat([images for images, *_ in loader])"),
    ("loader", DataLoader(images(), batch_size=20), "torch.cat(list(loader))"),
    ("dataset", Subset(PAIRS, range(96)), "torch.stack([image for image, *_ in dataset])"),
    ("images", list(images()), "numpy.stack(images)"),
    ("images", list(images().numpy()), "numpy.stack(images)"),
]


@pytest.mark.parametrize(("name", "given", "remedy"), FOREIGN)
def test_the_remedy_for_other_containers_trains_like_the_images(name, given, remedy):
    expected = "dataset must be a Dataset, a Split, or images as one tensor or array, got "
    refuses(lambda: fit(build(), given), f"{expected}{type(given).__name__};", TypeError)
    refuses(lambda: fit(build(), given), remedy, TypeError)
    mended = eval(remedy, {"torch": torch, "numpy": numpy, name: given})
    assert torch.equal(trained_on(mended), trained_on(images()))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("mnist", "got str; pass fd.data.load('mnist')"),
        (Path("faces/png"), "; pass fd.data.load('faces/png')"),
        (
            (images(), images()),
            "got tuple; pass the training images alone, or Dataset(Split(train), None, Split(test), ",
        ),
        ({"images": images()}, "got dict; pass its images alone"),
        (7, "got int; convert it with numpy.asarray"),
    ],
)
def test_what_holds_no_images_is_refused(given, message):
    refuses(lambda: fit(build(), given), message, TypeError)


BAD = images().float() / 255


@pytest.mark.parametrize(
    ("error", "message", "data"),
    [
        (
            ValueError,
            r"dataset must be finite, got 1 NaN",
            BAD.index_put((torch.tensor(0),) * 3, torch.tensor(math.nan)),
        ),
        (
            ValueError,
            r"dataset must be finite, got 200",
            BAD.index_fill(1, torch.tensor([0]), math.inf)[:, :, :1].repeat(1, 1, 4)[:50],
        ),
        (
            ValueError,
            r"dataset must hold floats in \[0, 1\] for loss='bce', got .* range 0..255; .* or use loss='mse'",
            images().float(),
        ),
        (ValueError, r"dataset must hold at least one image .* got shape \[0, 4, 4\]", BAD[:0]),
        (ValueError, r"dataset must have at least 2 dimensions .* got \[5\]", BAD[0, 0, :1].repeat(5)),
        (TypeError, r"dataset must be uint8 .* got dtype torch.int64", images().long()),
        (ValueError, r"dataset must hold images that the model takes, got \['N', 5, 5\]", torch.rand(20, 5, 5)),
    ],
)
def test_bad_data_is_refused_before_any_work(error, message, data, tmp_path):
    model = build()
    before = parameters(model)
    with pytest.raises(error, match=message) as caught:
        fit(model, data, run_dir=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert torch.equal(parameters(model), before) and not (tmp_path / "run").exists()


def test_validation_images_have_the_shape_of_the_training_images():
    data = Dataset(Split(images()), Split(images()[:, :3]), None, "own")
    told = "validation must have images of shape [4, 4] like the training images, got [3, 4]; resize them"
    refuses(lambda: fit(build(), data), told)
    refuses(lambda: fit(build(), data._replace(validation=Split(BAD * 3))), "validation must hold floats in [0, 1] for")


@pytest.mark.parametrize("picture", [images()[0], images()[0].reshape(4, 2, 2)])
def test_one_image_is_told_from_a_set(picture):
    refuses(lambda: fit(build(), picture), "all of it is one image for the model: a set of one is images[None]")
    assert len(fit(build(), picture[None])) == 2


def test_grey_images_for_networks_that_want_a_channel():
    def model(*first: nn.Module) -> nn.Module:
        encoder = nn.Sequential(*first, nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3))
        return fd.models.Autoencoder(encoder, fd.networks.mlp([3, 16], output="sigmoid"))

    remedy = "torch.nn.Unflatten(1, (1, 4))"
    told = f"the networks take [N, 1, H, W]: pass images[:, None], or begin the encoder with {remedy}"
    refuses(lambda: fit(model(), images()), told)
    assert fit(model(), images()[:, None]) and fit(model(eval(remedy)), images())


@pytest.mark.parametrize("batch_size", [96, 97, 5000])
def test_a_set_smaller_than_a_batch_is_one_batch(batch_size):
    whole, model = build(), build()
    fit(whole, batch_size=96)
    history = fit(model, batch_size=batch_size)
    assert torch.equal(parameters(whole), parameters(model)) and [line["step"] for line in history] == [1, 2]


# scales


LEVELS = images().float()
OTHER_UNITS = (
    "dataset has values in 0..255, and {}, which is in units of x, looks made for [0, 1]; divide the images by"
)


@pytest.mark.parametrize(
    ("corruption", "data", "warns"),
    [
        (Gaussian(0.5), LEVELS, True),
        (Gaussian(0.5, clip=(0, 1)), LEVELS, True),
        (SaltAndPepper(0.2), LEVELS, True),
        (Patches(2, 1, fill=0.5), LEVELS, True),
        (Patches(2, 1), LEVELS, False),
        (Gaussian(40), LEVELS, False),
        (Gaussian(0.5, clip=(0, 255)), LEVELS, False),
        (SaltAndPepper(0.2, 0, 255), LEVELS, False),
        (Masking(0.2), LEVELS, False),
        (Gaussian(0), LEVELS, False),
        (None, LEVELS, False),
        (Gaussian(0.5), images(), False),
        (Gaussian(0.5), LEVELS / 255, False),
        (Gaussian(0.5), LEVELS / 40 - 3, False),
    ],
)
def test_mse_takes_any_finite_values_and_warns_of_a_corruption_in_other_units(corruption, data, warns):
    split = Split(data)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        history = fit(build(loss="mse", corruption=corruption), Dataset(split, split, None, "own"), epochs=1, lr=1e-6)
    assert math.isfinite(history[0]["losses"]["reconstruction"])
    told = [str(one.message) for one in caught]
    assert len(told) == warns and all(line.startswith(OTHER_UNITS.format(corruption)) for line in told)


def step_of(model: nn.Module) -> fd.training.TrainingStep:
    optimizers = {name: optim.SGD(group, lr=0.1) for name, group in model.parameter_groups().items()}
    return fd.compile_step(model, optimizers)


UNIT = LEVELS / 255
FOR_BCE = "x must hold floats in [0, 1] for loss='bce', got "


@pytest.mark.parametrize(
    ("loss", "x", "kind", "message"),
    [
        ("bce", LEVELS, ValueError, "range 0..255; these look like grey levels 0..255: divide by 255, or save them as"),
        (
            "bce",
            UNIT * 2 - 1,
            ValueError,
            "range -1..1; these look like values in [-1, 1]: use (x + 1) / 2; or use loss=",
        ),
        ("bce", UNIT * 1.01, ValueError, FOR_BCE),
        ("bce", UNIT.double() - 0.01, ValueError, FOR_BCE),
        ("bce", UNIT.where(UNIT < 0.9, math.nan), ValueError, "x must be finite, got "),
        ("mse", UNIT.where(UNIT < 0.9, math.inf), ValueError, "x must be finite, got "),
        ("mse", images().long(), TypeError, "x must be uint8 or floats in [0, 1], got dtype torch.int64; these are"),
        ("bce", UNIT[0, 0], ValueError, "x must have at least 2 dimensions [N, ...], got [4]"),
        (
            "bce",
            [images(), LABELS],
            TypeError,
            "x must be a tensor [N, ...], got list; take the images out of it, x[0]",
        ),
        ("bce", images().numpy(), TypeError, "x must be a tensor [N, ...], got ndarray; convert with torch.as_tensor"),
    ],
)
def test_the_first_batch_of_a_step_is_looked_at(loss, x, kind, message):
    model = build(loss=loss)
    step, before = step_of(model), parameters(model)
    for _ in range(2):
        refuses(lambda: step(x), message, kind)
    assert torch.equal(parameters(model), before) and step.noise.step == 0
    assert all(math.isfinite(loss) for loss in step(images()).values())


def test_a_step_warns_of_a_corruption_in_other_units():
    with pytest.warns(UserWarning, match=re.escape("x has values in 0..255, and Gaussian(sigma=0.5")):
        step_of(build(loss="mse"))(LEVELS)


@pytest.mark.parametrize(("x", "looks"), [(UNIT, 1), (images(), 0)])
def test_only_the_first_batch_is_looked_at(x, looks, monkeypatch):
    looked = []
    aminmax = torch.Tensor.aminmax
    monkeypatch.setattr(torch.Tensor, "aminmax", lambda *args: looked.append(args) or aminmax(*args))
    step = step_of(build())
    for _ in range(3):
        step(x)
    assert len(looked) == looks
    fit(build(), x, epochs=2)
    assert len(looked) == 2 * looks  # the whole set once, and no batch of it again


class Mean(nn.Linear):
    """As little of a model as a step needs."""

    loss = "bce"

    def parameter_groups(self) -> dict:
        return {}

    def step(self, x, noise, update, *, row_offset=0) -> dict:
        return {"mean": x.mean()}


def test_a_traced_step_looks_at_nothing():
    step = fd.compile_step(Mean(1, 1), {})
    compiled = torch.compile(step, backend="eager", fullgraph=True)
    assert float(compiled(LEVELS)["mean"]) == float(LEVELS.mean()) and not step.inputs_checked
    refuses(lambda: step(LEVELS), FOR_BCE)


class OnDevice(torch.Tensor):
    """Says that it lies on a CUDA device."""

    is_cuda = True


def test_a_captured_step_looks_at_nothing(monkeypatch):
    step, x = fd.compile_step(Mean(1, 1), {}), LEVELS.as_subclass(OnDevice)
    with monkeypatch.context() as patched:
        patched.setattr(torch.cuda, "is_current_stream_capturing", lambda: True)
        assert float(step(x)["mean"]) == float(LEVELS.mean())
    monkeypatch.setattr(torch.cuda, "is_current_stream_capturing", lambda: False)
    refuses(lambda: step(x), FOR_BCE)
