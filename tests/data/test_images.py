"""One leaf decides what a set of images is; every door through which images come in asks it."""

from pathlib import Path

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import data
from fastdaae.cli.app import run
from fastdaae.data.dataset import as_samples
from tests.data.small_sets import RNG, refuses
from tests.runs import small

# (shape, how a numpy array of it is mended)
CHANNELS_LAST = [
    ((12, 8, 9, 1), "images.transpose(0, 3, 1, 2)"),
    ((12, 8, 9, 3), "images.transpose(0, 3, 1, 2)"),
    ((12, 8, 9, 4), "images[..., :3].transpose(0, 3, 1, 2)"),
    ((12, 64, 64, 3), "images.transpose(0, 3, 1, 2)"),
]
ONE_PICTURE = [((8, 9, 3), "images.transpose(2, 0, 1)[None]"), ((30, 8, 4), "images[..., :3].transpose(2, 0, 1)[None]")]
SETS = [(3, 8, 9), (12, 3, 8, 9), (12, 1, 9, 8), (12, 4, 8, 8), (12, 2, 9, 3), (12, 3, 9, 3), (12, 4, 4, 4), (12, 16)]
SMALL_SETS = [(12, 8, 9), (25, 6, 3), (12, 4, 4), (12, 9, 8, 5), (12, 9, 8, 2)]


def grey(shape: tuple[int, ...]) -> np.ndarray:
    return RNG.integers(0, 256, shape, dtype=np.uint8)


def from_npz(array, folder: Path):
    np.savez(folder / "a.npz", train_images=grey((3, 4)), test_images=array)
    return data.load(folder / "a.npz")


def from_npy(array, folder: Path):
    np.save(folder / "a.npy", array)
    return data.load(folder / "a.npy")


def score(array, folder: Path):
    np.save(folder / "samples.npy", array)
    return run(["likelihood", str(folder / "samples.npy"), "--data", "digits"])


def first_step(array, _):
    model = small.build()
    optimizers = {name: torch.optim.SGD(group, lr=0.1) for name, group in model.parameter_groups().items()}
    return fd.compile_step(model, optimizers)(torch.as_tensor(array))


def as_validation(array, _):
    return small.fit(small.build(), data.Dataset(data.Split(small.images()), data.Split(array), None, "own"))


# {door: (what comes in through it, whether it makes a tensor of an array)}
DOORS = {
    "as_images": (lambda array, _: data.as_images(array), False),
    "as_samples": (lambda array, _: as_samples(array), False),
    "an .npy file": (from_npy, False),
    "an .npz file": (from_npz, False),
    "fastdaae likelihood": (score, False),
    "fit": (lambda array, _: small.fit(small.build(), array), False),
    "fit with a split": (lambda array, _: small.fit(small.build(), data.Split(array)), False),
    "fit with validation": (as_validation, False),
    "compile_step": (first_step, True),
}


@pytest.fixture(params=DOORS)
def door(request, tmp_path):
    through, of_tensors = DOORS[request.param]
    return lambda array: through(array, tmp_path), of_tensors


@pytest.mark.parametrize(("shape", "remedy"), CHANNELS_LAST + ONE_PICTURE)
def test_channels_last_and_single_pictures_are_refused_at_every_door(door, shape, remedy):
    through, of_tensors = door
    of_tensor = remedy.replace("transpose", "permute")
    refuses(lambda: through(grey(shape)), f"got {'' if len(shape) == 4 else 'one picture '}{list(shape)}")
    refuses(lambda: through(grey(shape)), of_tensor if of_tensors else remedy)


@pytest.mark.parametrize(("shape", "remedy"), CHANNELS_LAST)
def test_the_remedy_makes_a_set_of_it(shape, remedy):
    for images, way in ((grey(shape), remedy), (torch.rand(shape), remedy.replace("transpose", "permute"))):
        refuses(lambda images=images: data.as_images(images), f"use {way}")
        mended = data.as_images(eval(way, {"images": images}))
        assert list(mended.shape) == [shape[0], min(shape[3], 3), *shape[1:3]]
        assert torch.equal(mended.movedim(1, -1), torch.as_tensor(images)[..., :3])


@pytest.mark.parametrize("shape", SETS + SMALL_SETS)
def test_sets_whose_channels_may_come_first_are_taken(shape):
    assert data.as_images(grey(shape)).shape == shape
    assert data.as_images(torch.rand(shape)).shape == shape
    assert as_samples(grey(shape)).shape == (shape[0], np.prod(shape[1:]))


def test_sequences_of_floats_are_no_picture():
    assert data.as_images(RNG.random((40, 30, 3))).shape == (40, 30, 3)


def test_bytes_of_zeros_and_ones_are_refused_at_every_door(door):
    bits = (RNG.random((12, 4, 4)) > 0.5).astype(np.uint8)
    told = "must be uint8 grey levels 0..255, got 0..1; multiply by 255 (images * 255), or make them floats"
    refuses(lambda: door[0](bits), told)
    data.as_images(bits * 255), data.as_images(bits * 0)


@pytest.mark.parametrize(
    ("factor", "offset", "told"),
    [
        (2, -1, "these look like values in [-1, 1]: use (x + 1) / 2"),
        (255, 0, "these look like grey levels 0..255: divide by 255, or save them as uint8"),
    ],
)
def test_floats_of_another_scale_are_refused_at_every_door(door, factor, offset, told):
    refuses(lambda: door[0](np.linspace(0, 1, 192).reshape(12, 4, 4) * factor + offset), told)


def test_what_a_remedy_transposed_trains_like_a_contiguous_set():
    images = grey((64, 4, 4, 1)).transpose(0, 3, 1, 2)
    one, other = small.build(), small.build()
    small.fit(one, torch.from_numpy(grey((64, 1, 4, 4)) * 0 + images))
    small.fit(other, torch.from_numpy(images))
    assert torch.equal(small.parameters(one), small.parameters(other))


@pytest.mark.parametrize("writeable", [True, False])
@pytest.mark.parametrize("array", [grey((12, 16)), RNG.random((12, 16), dtype=np.float32), RNG.random((12, 16))])
def test_as_images_gives_memory_that_may_be_written(array, writeable):
    array = array.copy()
    array.flags.writeable = writeable
    before = array.copy()
    images = data.as_images(array)
    images.zero_()
    assert np.array_equal(array, before) == (not writeable or array.dtype == np.float64)
