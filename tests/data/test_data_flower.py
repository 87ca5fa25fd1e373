"""The flower at rising brightness: a line of images, evenly spaced, whose parts share no image."""

import numpy as np
import pytest
import torch

from fastdaae import data
from fastdaae.data.sets.flower import flower, load_flower


def test_the_images_are_the_flower_s_multiples_in_order():
    dataset = load_flower(40)
    images = dataset.train.images
    assert images.dtype == torch.uint8 and images.shape == (40, 64, 64) and dataset.train.labels is None
    expected = np.linspace(0, 1, 40)[:, None, None] * flower()
    assert np.abs(images.numpy() / 255 - expected).max() <= 0.5 / 255 + 1e-9
    assert not images[0].any() and images.max() == 255


def test_the_parts_are_of_brightnesses_in_between():
    dataset = load_flower(400)
    found = [part.images.double().mean((1, 2)) for part in dataset[:3]]
    assert [len(part) for part in found] == [400, 100, 100] and all(bool((part.diff() > 0).all()) for part in found)
    brightest = found[0].max()
    for part in found[1:]:
        assert part.min() > 0 and part.max() < brightest


def test_it_is_a_set_by_name_of_6400_images():
    dataset = data.load("flower")
    assert len(dataset.train.images) == 6400 and dataset.name == "flower" and "flower" in data.names()


@pytest.mark.parametrize(("count", "error"), [(3, ValueError), (2.5, TypeError), ("many", TypeError)])
def test_other_counts_are_refused(count, error):
    with pytest.raises(error, match="count must be a whole number >= 4"):
        load_flower(count)
