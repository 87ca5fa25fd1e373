"""What the toy manifold measures: brightness, the order along codes, and the straight path through them."""

import numpy as np
import pytest
import torch

from fastdaae.data.sets.flower import load_flower
from fastdaae.experiments.recipes.manifold import PATH, brightness, rank_correlation, straight_path


def test_brightness_is_the_multiple_of_the_brightest_image():
    line = load_flower(40).train.images
    assert brightness(line, line) == pytest.approx(np.linspace(0, 1, 40), abs=2e-3)
    noisy = line / 255 + 0.05 * torch.randn(line.shape, generator=torch.Generator().manual_seed(0))
    assert brightness(noisy, line) == pytest.approx(np.linspace(0, 1, 40), abs=0.02)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_the_path_goes_straight_through_the_outermost_codes(size):
    t = torch.linspace(-1, 2, 50)[:, None]
    axis = torch.arange(1.0, size + 1)[None] / torch.arange(1.0, size + 1).norm()
    along, path = straight_path(t * axis + 3.0)
    assert path.shape == (PATH, size) and abs(np.diff(along)) == pytest.approx(3 / 49, abs=1e-5)
    ends = torch.stack((path[0], path[-1]))[torch.argsort(path[[0, -1], 0])]
    assert torch.allclose(ends, torch.tensor([[-1.0], [2.0]]) * axis + 3.0, atol=1e-5)


def test_rank_correlation_knows_no_direction_and_no_scale():
    a = np.random.default_rng(0).normal(size=200)
    assert rank_correlation(a, np.exp(a)) == rank_correlation(-(a**3), a) == pytest.approx(1.0)
    assert rank_correlation(a, np.random.default_rng(1).normal(size=200)) < 0.2
    assert rank_correlation(np.ones(5), a[:5]) == 0.0
