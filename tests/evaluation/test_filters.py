"""Filters whose shape is known: Gabor filters, gratings, blobs, single pixels and noise."""

import math

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.evaluation import evaluate, filter_statistics, first_filters
from fastdaae.evaluation.models.filters import shuffled


def plane(side: int) -> tuple[torch.Tensor, torch.Tensor]:
    line = torch.arange(side, dtype=torch.float64) - (side - 1) / 2
    return torch.meshgrid(line, line, indexing="ij")


def envelope(side: int, deviation: float) -> torch.Tensor:
    y, x = plane(side)
    return torch.exp(-(x * x + y * y) / (2 * deviation**2))


def gabors(side: int, count: int = 24) -> torch.Tensor:
    y, x = plane(side)
    angles, rate = [math.pi * number / count for number in range(count)], 2.4 / side
    waves = [torch.cos(2 * math.pi * rate * (x * math.cos(a) + y * math.sin(a)) + 5 * a) for a in angles]
    return envelope(side, side / 7) * torch.stack(waves)


def blobs(side: int) -> torch.Tensor:
    return torch.stack([envelope(side, side / part) for part in (4, 5, 6, 8)])


def white(side: int, count: int = 200) -> torch.Tensor:
    return torch.randn(count, side, side, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def grating(side: int, cycles: int) -> torch.Tensor:
    return torch.cos(2 * math.pi * cycles * plane(side)[1] / side)[None]


@pytest.mark.parametrize("side", [12, 28])
def test_gabor_filters_are_told_from_noise_and_blobs(side):
    gabor, noise, blob = (filter_statistics(make(side)) for make in (gabors, white, blobs))
    # the best threshold errs in no filter of either kind
    assert gabor.concentration.min() > 1.4 * max(noise.concentration.max(), blob.concentration.max())
    assert gabor.orientation.min() > 2 * max(noise.orientation.max(), blob.orientation.max())
    assert gabor.extent.max() < 0.5 < 0.85 < noise.extent.min()


def test_closed_forms():
    # a wave that fills its frequency grid, and so is one line of the spectrum
    wave = filter_statistics(grating(64, 8))
    assert wave.concentration == pytest.approx(1) and wave.orientation == pytest.approx(1)
    assert wave.extent == pytest.approx(1, rel=1e-3)
    # a round blob has no orientation; the energy of a Gaussian of deviation s has one of s / sqrt(2) on each axis
    side, deviation = 64, 5
    round_blob = filter_statistics(envelope(side, deviation)[None] * (-1) ** torch.arange(side))
    assert filter_statistics(envelope(side, deviation)[None]).orientation == pytest.approx(0, abs=1e-3)
    assert round_blob.extent == pytest.approx(deviation / math.sqrt((side**2 - 1) / 6), rel=1e-3)
    # a single pixel has all frequencies alike, so the greatest band is the largest: the corners of the highest octave
    point = torch.zeros(1, 33, 33)
    point[0, 16, 16] = 1
    found = filter_statistics(point)
    assert found.orientation == pytest.approx(0, abs=1e-3) and found.extent < 0.05
    assert found.concentration == pytest.approx((1 - math.tan(math.pi / 8)) / 2 - math.pi / 32, rel=0.03)


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda f: -3 * f + 2, ("concentration", "orientation", "extent")),  # gain, sign and offset
        (lambda f: f.transpose(1, 2), ("concentration", "orientation", "extent")),
        (lambda f: f.flip(2), ("concentration", "orientation", "extent")),
        (
            lambda f: f[:, None].expand(-1, 3, -1, -1),
            ("concentration", "orientation", "extent"),
        ),  # grey in colours
        (lambda f: f.roll(2, 2), ("extent",)),  # where it stands, inside of the window
    ],
)
def test_what_cannot_change_them(change, kept):
    filters = torch.nn.functional.pad(gabors(13, 5) * envelope(13, 1.5), (4, 4, 4, 4))
    before, after = filter_statistics(filters), filter_statistics(change(filters))
    for name in kept:
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), rtol=2e-2)


def test_a_constant_filter_has_none_and_shuffles_keep_the_pixels():
    both = filter_statistics(torch.stack([torch.ones(8, 8), envelope(8, 2).float()]))
    for values in both:
        assert np.isnan(values[0]) and np.isfinite(values[1])
    filters = white(5, 7)[:, None].expand(-1, 2, -1, -1).contiguous()
    mixed = shuffled(filters, fd.Noise(0))
    assert torch.equal(mixed[:, 0], mixed[:, 1]) and not torch.equal(mixed, filters)
    assert torch.equal(mixed.flatten(2).sort(-1).values, filters.flatten(2).sort(-1).values)
    assert torch.equal(mixed, shuffled(filters, fd.Noise(0)))
    assert not torch.equal(mixed, shuffled(filters, fd.Noise(0).ahead(1)))


def test_filters_of_a_model_are_measured_beside_their_shuffles():
    kinds = gabors(12), white(12), torch.cat([grating(12, 3), grating(12, 2)]), blobs(12)
    digits = fd.data.load("digits")
    big = digits._replace(train=digits.train._replace(images=torch.zeros(4, 12, 12)))
    big = big._replace(test=big.train)

    def measured(weights: torch.Tensor) -> dict:
        encoder, decoder = fd.networks.mlp([144, len(weights)]), fd.networks.mlp([len(weights), 144], output="sigmoid")
        with torch.no_grad():
            next(encoder.parameters()).copy_(weights.flatten(1))
        model = fd.models.Autoencoder(encoder, decoder)
        return {(one.name, one.of): one for one in evaluate(model, big, measures=["filters"])}

    names = ("oriented filters", "localised filters", "localised, oriented, bandpass filters")
    shares = [[made[name, "first layer"] for name in names] for made in map(measured, kinds)]
    gabor, noise, waves, blob = ([share.value for share in made] for made in shares)
    assert gabor == [1, 1, 1] and waves == [1, 0, 0] and blob == [0, 1, 0]
    # by chance one in twenty of each, whatever the filters' distribution, and fewer of all at once
    assert all(abs(share - 0.05) < 3.5 * shares[1][0].standard_error for share in noise[:2]) and noise[2] <= 0.05
    gabor = measured(gabors(12))
    own, mixed = (gabor["filter concentration", of] for of in ("first layer", "the same, pixels shuffled"))
    assert own.value - mixed.value > 10 * (own.standard_error + mixed.standard_error)
    assert list(own.curve) == ["filter", "concentration", "orientation", "extent"] and len(own.curve["filter"]) == 24


@pytest.mark.parametrize(
    ("message", "filters"),
    [
        (r"filters must be .*, got \[4, 4\]", torch.ones(4, 4)),
        (r"filters must be .* sides >= 3, got \[1, 1, 2, 9\]", torch.ones(1, 2, 9)),
        ("filters must be finite numbers", torch.full((1, 4, 4), math.nan)),
    ],
)
def test_what_are_no_filters_is_refused(message, filters):
    with pytest.raises(ValueError, match=message):
        filter_statistics(filters)


def test_the_first_layer_is_found_or_said_to_be_none():
    convolution = nn.Sequential(nn.Sequential(nn.Identity(), nn.Conv2d(3, 8, 5)), nn.Flatten(), nn.Linear(9, 2))
    assert first_filters(convolution, (3, 16, 16)).shape == (8, 3, 5, 5)
    assert first_filters(nn.Sequential(nn.Flatten(), nn.Linear(48, 7)), (3, 4, 4)).shape == (7, 3, 4, 4)
    for message, network, shape in (
        ("the encoder has neither", nn.Sequential(nn.Flatten(), nn.ReLU()), (4, 4)),
        (r"got one on 16 numbers and images \[16\]", nn.Linear(16, 2), (16,)),
        (r"got one on 9 numbers and images \[4, 4\]", nn.Linear(9, 2), (4, 4)),
    ):
        with pytest.raises(ValueError, match=message):
            first_filters(network, shape)
