"""Sets on different scales are warned of, at the caller's line; a scale that may be meant is not."""

import warnings

import pytest
import torch

import fastdaae as fd
from fastdaae.evaluation import compare


def random(count: int, seed: int = 0, columns: int = 64) -> torch.Tensor:
    return torch.rand(count, columns, generator=torch.Generator().manual_seed(seed))


def normal(count: int, seed: int = 0, columns: int = 64) -> torch.Tensor:
    return torch.randn(count, columns, generator=torch.Generator().manual_seed(seed))


def drawings(count: int = 60, seed: int = 0) -> torch.Tensor:
    """In [0, 1], and mostly black."""
    grey = random(count, seed)
    return torch.where(grey > 0.7, grey, 0.0)


def levels(count: int = 60, seed: int = 0) -> torch.Tensor:
    return (drawings(count, seed) * 255).to(torch.uint8)


def bits(count: int = 60) -> torch.Tensor:
    return (drawings(count) > 0).to(torch.uint8)


HALVE = r"values in \[-1, 1\]: use \(x \+ 1\) / 2"
DIVIDE = "grey levels 0..255: divide by 255"
BITS = r"are uint8 of 0 and 1 alone, which mean 0 and 1/255; pass x \* 255"
# samples, queries, what is said of them
DIFFERENT = {
    "-1..1 among 0..1": (drawings() * 2 - 1, drawings(9), rf"samples \(float32\) from -1 to .*\(samples: .*{HALVE}"),
    "0..1 among -1..1": (drawings(), drawings(9) * 2 - 1, rf"queries \(float32\) from -1 to .*\(queries: .*{HALVE}"),
    "0..255 among 0..1": (drawings() * 255, drawings(9), f"samples .* to 25.*, the queries .*samples: .*{DIVIDE}"),
    "0..1 among 0..255": (drawings(), drawings(9).double() * 255, rf"queries \(float64\) from 0 to 25.*{DIVIDE}"),
    "0..255 among -1..1": (drawings() * 255, drawings(9) * 2 - 1, f"samples: .*{DIVIDE}.*; queries: .*{HALVE}"),
    "a linear decoder's": (drawings() + 0.1 * normal(60), drawings(9) * 255, f"queries: .*{DIVIDE}"),
    "binary 0, 255 among 0, 1": (drawings().ceil() * 255, drawings(9).ceil(), DIVIDE),
    "0..255 among uint8": (drawings() * 255, levels(9), rf"queries \(uint8, value / 255\) from 0 to .*{DIVIDE}"),
    "-1..1 among uint8": (drawings() * 2 - 1, list(levels(9).numpy()), HALVE),
    "standardised among uint8": ((drawings() - 0.3) / 0.2, levels(9), r"samples: rescale them to \[0, 1\]"),
    "uint8 of 0 and 1": (bits(), levels(9), f"samples {BITS}"),
    "uint8 of 0 and 1 among floats": (bits(), drawings(9), f"samples {BITS}"),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_scales_are_warned_of_in_one_line_at_the_caller_s(case):
    samples, queries, told = DIFFERENT[case]
    window = fd.ParzenWindow(0.3).fit(samples)
    for call in (
        lambda: window.score_samples(queries),
        lambda: window.score(queries),
        lambda: window.mean_log_likelihood(queries),
        lambda: fd.ParzenWindow(bandwidths=[0.3]).fit(samples, validation=queries),
        lambda: compare(samples, drawings(), queries, bandwidth=0.3),
    ):
        with pytest.warns(UserWarning) as caught:
            call()
        assert all(warning.filename == __file__ and "\n" not in str(warning.message) for warning in caught)
        with pytest.warns(UserWarning, match=told.replace("queries", "(queries|validation set)")):
            call()


STRAY = drawings().index_put((torch.tensor([3]), torch.tensor([5])), torch.tensor(-3.0))
SPARSE = torch.where(random(60) < 0.02, 150 * random(60, 1), 0.0)
# sets that may be meant together
MEANT = {
    "0..1": (drawings(), drawings(9, 1)),
    "0..1 among uint8": (drawings(), levels(9, 1)),
    "uint8": (levels(), levels(9, 1)),
    "-1..1": (drawings() * 2 - 1, drawings(9, 1) * 2 - 1),
    "0..255": (drawings() * 255, drawings(9, 1) * 255),
    "N(0, 1)": (normal(60), normal(9, 1)),
    "N(0, 1), few": (normal(60, columns=2), normal(2, 1, columns=2) / 9),
    "N(0, 1) among 0..1": (normal(60, columns=2), random(60, columns=2)),
    "a plane's [-1, 1] among [0, 1]": (random(600, columns=2) * 2 - 1, random(600, 1, columns=2)),
    "standardised": ((drawings() - 0.3) / 0.2, (drawings(9, 1) - 0.3) / 0.2),
    "a linear decoder's": (drawings() + 0.1 * normal(60), drawings(9, 1)),
    "a linear decoder's among uint8": (drawings() + 0.1 * normal(60), levels(9, 1)),
    "a stray pixel": (STRAY, drawings(9, 1)),
    "a stray pixel among uint8": (STRAY, levels(9, 1)),
    "sparse": (SPARSE, torch.where(SPARSE[:3] > 1, 0.6, 0.0)),
    "counts": (torch.poisson(random(60)), torch.poisson(random(3, 1) / 9)),
    "far away": (normal(30) * 1000, torch.zeros(1, 64)),
    "one black image": (drawings() * 255, torch.zeros(1, 64)),
    "one dark image": (drawings() * 255, random(1)),
    "dark grey levels": (torch.cat([levels(), bits(1)]), levels(9, 1)),
}


@pytest.mark.parametrize("case", MEANT)
def test_a_scale_that_may_be_meant_is_not_warned_of(case):
    samples, queries = MEANT[case]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fd.ParzenWindow(0.3).fit(samples).score(queries)
        fd.ParzenWindow(0.3).fit(queries).score(samples)


def test_sets_of_one_law_are_not_warned_of():
    """However few and however wide: sets of light and of heavy tails, sparse, signed and scaled row by row."""
    laws = [
        lambda u, z: z,
        lambda u, z: 0.3 * z,
        lambda u, z: 2 * u - 1,
        lambda u, z: u * z[:, :1].exp(),
        lambda u, z: u * (2 * u[:, :1] - 1),
        lambda u, z: z.exp(),
        lambda u, z: torch.where(u < 0.03, 40 * z.exp(), 0.0),
        lambda u, z: torch.poisson(u / 10),
        lambda u, z: 0.5 + 0.2 * z,
    ]
    sizes = [(1, 1), (2, 2), (30, 2), (5, 30)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for law in laws:
            for columns in (1, 3, 64):
                for place, (n, q) in enumerate(sizes):
                    samples = law(random(n, place, columns), normal(n, place, columns))
                    queries = law(random(q, 99 + place, columns), normal(q, 99 + place, columns))
                    fd.ParzenWindow(0.3).fit(samples).score(queries)
