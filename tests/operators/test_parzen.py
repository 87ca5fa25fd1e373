"""The Parzen window: float64 log-sum-exp by direct differences, closed forms, laws, and scikit-learn's own checks."""

import math

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import check_estimator

import fastdaae as fd
from fastdaae import reference

pytestmark = pytest.mark.filterwarnings("ignore:the best bandwidth")

BANDWIDTHS = [0.05, 0.1, 0.2782559402, 1.0, 2.0]
every_backend = pytest.mark.parametrize("backend", ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)])


def direct(queries: torch.Tensor, samples: torch.Tensor, bandwidths) -> torch.Tensor:
    """The definition, by direct float64 differences and one log-sum-exp over all samples."""
    q, s = reference.as_double(queries), reference.as_double(samples)
    distances = torch.stack([(row - s).square().sum(1) for row in q])
    rows = [
        torch.logsumexp(-distances / (2 * h * h), 1)
        - math.log(len(s))
        - s.shape[1] * math.log(h * math.sqrt(2 * math.pi))
        for h in bandwidths
    ]
    return torch.stack(rows)


def require_promise(ours: torch.Tensor, expected: torch.Tensor) -> None:
    assert ours.dtype == torch.float64
    assert float(((ours - expected).abs() - 1e-6 * expected.abs()).max()) <= 1e-3


def grey_images(brighter: int) -> torch.Tensor:
    """Six grey images of 12,288 bytes: roundings of v / 255 are alike in all of their columns, and add up."""
    levels = torch.tensor([20, 60, 100, 110, 124, 200], dtype=torch.uint8) + brighter
    return levels[:, None].repeat(1, 12288)


DATA = {
    "pixels": lambda: (
        torch.randint(0, 256, (40, 784), dtype=torch.uint8),
        torch.randint(0, 256, (300, 784), dtype=torch.uint8),
    ),
    "close": lambda: (torch.rand(40, 784) * 0.1, torch.rand(300, 784) * 0.1),
    "off-centre": lambda: (torch.rand(40, 50) + 1e4, torch.rand(300, 50) + 1e4),
    "two far clusters": lambda: (
        torch.cat([torch.rand(20, 50), torch.rand(20, 50) + 1e4]),
        torch.cat([torch.rand(150, 50), torch.rand(150, 50) + 1e4]),
    ),
    "duplicates": lambda: (torch.rand(5, 20).repeat(8, 1), torch.rand(5, 20).repeat(60, 1)),
    "queries are samples": lambda: (points := torch.rand(60, 30), points),
    "one of each": lambda: (torch.rand(1, 3), torch.rand(1, 3)),
    "one dimension": lambda: (torch.randn(40, 1), torch.randn(300, 1)),
    "wide": lambda: (torch.rand(6, 12288), torch.rand(20, 12288)),
    "grey images": lambda: (grey_images(26), grey_images(0)),
    "grey images among floats": lambda: (grey_images(26), grey_images(0) / 255.0),
    "grey images among doubles": lambda: (grey_images(26), grey_images(0).double() / 255),
    "floats among grey images": lambda: (grey_images(26) / 255.0, grey_images(0)),
    "float64": lambda: (torch.rand(9, 8, dtype=torch.float64), torch.rand(30, 8, dtype=torch.float64)),
    "clusters 1e12 apart": lambda: (
        (far := torch.cat([offset + torch.rand(20, 3, dtype=torch.float64) for offset in (0.0, 1e12)]))[::7],
        far,
    ),
}


@every_backend
@pytest.mark.parametrize("kind", DATA)
def test_promise_against_float64(kind, backend):
    queries, samples = DATA[kind]()
    computed = fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend=backend)
    require_promise(computed, direct(queries, samples, BANDWIDTHS))


def test_blocks_do_not_change_the_result(monkeypatch):
    queries, samples = torch.rand(50, 20), torch.rand(400, 20)
    whole = fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend="reference")
    monkeypatch.setattr("fastdaae.reference.numbers.BLOCK", 4096 * 7)
    blocks = fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend="reference")
    assert torch.allclose(blocks, whole, atol=1e-9, rtol=0)


@every_backend
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_that_of_its_float32_values(dtype, backend):
    queries, samples = torch.rand(9, 20).to(dtype), torch.rand(70, 20).to(dtype)
    computed = fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend=backend)
    expected = fd.ops.parzen_log_density(queries.float(), samples.float(), BANDWIDTHS, backend=backend)
    assert torch.equal(computed, expected)


@every_backend
@pytest.mark.parametrize("scale", [1e-149, 1e-100, 1e100, 1e149])
def test_units_do_not_matter(scale, backend):
    queries, samples = torch.rand(9, 3, dtype=torch.float64), torch.rand(60, 3, dtype=torch.float64)
    computed = fd.ops.parzen_log_density(queries * scale, samples * scale, [0.1 * scale, scale], backend=backend)
    require_promise(computed + 3 * math.log(scale), direct(queries, samples, [0.1, 1.0]))


@every_backend
def test_laws(backend):
    def estimate(queries, samples):
        return fd.ops.parzen_log_density(queries, samples, BANDWIDTHS, backend=backend)

    queries, samples = torch.rand(10, 20), torch.rand(60, 20)
    whole = estimate(queries, samples)
    close = {"atol": 1e-9, "rtol": 1e-12} if backend == "reference" else {"atol": 1e-4, "rtol": 1e-6}
    assert torch.allclose(estimate(queries, samples[torch.randperm(60)]), whole, **close)
    assert torch.allclose(estimate(queries + 4, samples + 4), whole, atol=2e-3, rtol=1e-5)
    assert torch.allclose(estimate(queries, samples.repeat(3, 1)), whole, **close)
    parts = [estimate(queries, samples[a:b]) + math.log(b - a) for a, b in ((0, 25), (25, 60))]
    assert torch.allclose(torch.logaddexp(*parts) - math.log(60), whole, **close)


@every_backend
def test_one_sample_is_a_gaussian(backend):
    queries = torch.rand(10, 5, dtype=torch.float64)
    mean, deviation = torch.tensor([0.25, 0.3], dtype=torch.float64)
    expected = torch.distributions.Normal(mean, deviation).log_prob(queries).sum(1)
    sample = torch.full((1, 5), 0.25, dtype=torch.float64)
    computed = fd.ops.parzen_log_density(queries, sample, [0.3], backend=backend)[0]
    assert torch.allclose(computed, expected, atol=1e-12 if backend == "reference" else 1e-4, rtol=1e-12)


@every_backend
def test_window_of_a_gaussian_sample_is_a_wider_gaussian(backend):
    """The expectation of the window is N(0, (1 + h^2) I): closed form, within the sampling error."""
    samples, queries, h = torch.randn(200_000, 2), torch.tensor([[0.0, 0.0], [1.0, -0.5]]), 0.4
    expected = torch.distributions.Normal(0, math.sqrt(1 + h * h)).log_prob(queries).sum(1)
    computed = fd.ops.parzen_log_density(queries, samples, [h], backend=backend)[0]
    assert torch.allclose(computed.float(), expected, atol=0.02)


def test_registration():
    torch.library.opcheck(
        torch.ops.fastdaae.parzen_log_density, (torch.rand(4, 3), torch.rand(6, 3), torch.tensor([0.1, 1.0]).double())
    )
    queries, samples, bandwidths = torch.rand(4, 3), torch.rand(6, 3), torch.tensor([0.1, 1.0]).double()
    compiled = torch.compile(fd.ops.parzen_log_density, fullgraph=True, backend="aot_eager")
    assert torch.equal(compiled(queries, samples, bandwidths), fd.ops.parzen_log_density(queries, samples, bandwidths))


@pytest.mark.parametrize(
    ("message", "call"),
    [
        ("samples must not be empty", lambda q, s: fd.ops.parzen_log_density(q, s[:0], [1.0])),
        (
            "samples must be finite, got 1 NaN",
            lambda q, s: fd.ops.parzen_log_density(q, s.index_fill(0, torch.tensor([0]), math.nan)[:, :1], [1.0]),
        ),
        ("queries must be finite, got 3 NaN", lambda q, s: fd.ops.parzen_log_density(q * math.inf, s, [1.0])),
        (
            "queries must have 3 columns as samples have, got 2",
            lambda q, s: fd.ops.parzen_log_density(q[:, :2], s, [1.0]),
        ),
        (r"samples must have the shape \[N, D\]", lambda q, s: fd.ops.parzen_log_density(q, s[None], [1.0])),
        ("bandwidths must be finite and > 0", lambda q, s: fd.ops.parzen_log_density(q, s, [1.0, 0.0])),
        ("bandwidths must be a non-empty list", lambda q, s: fd.ops.parzen_log_density(q, s, [])),
        (
            "bandwidths must be in 1e-150..1e[+]150, .* got 1e-200; rescale the data and the bandwidths",
            lambda q, s: fd.ops.parzen_log_density(q, s, [1.0, 1e-200]),
        ),
        (
            r"samples must not exceed 5\.774e\+149 in magnitude, .* torch.float64, got 1e\+160; scale them down",
            lambda q, s: fd.ops.parzen_log_density(q, s.double() * 0 - 1e160, [1.0]),
        ),
        ("queries must not exceed", lambda q, s: fd.ops.parzen_log_density(q.double() * 0 + 1e160, s, [1.0])),
        ("X must not exceed", lambda q, s: fd.ParzenWindow().fit(s.double() * 0 + 1e160)),
    ],
)
def test_bad_input_is_one_clear_line(message, call):
    with pytest.raises(ValueError, match=message):
        call(torch.rand(1, 3), torch.rand(6, 3))


# the estimator


def test_scikit_learn_checks_the_estimator():
    results = check_estimator(fd.ParzenWindow(), on_skip=None)
    assert len(results) >= 41 and all(r["status"] in ("passed", "skipped") for r in results)
    assert sum(r["status"] == "passed" for r in results) >= 40


def test_bandwidth_is_the_best_on_validation():
    samples, validation, queries = torch.rand(200, 10), torch.rand(50, 10), torch.rand(30, 10)
    grid = np.logspace(-1, 0, 10)
    window = fd.ParzenWindow().fit(samples, validation=validation)
    means = direct(validation, samples, grid).mean(1).numpy()
    assert np.abs(window.validation_log_likelihoods_ - means).max() < 1e-3
    assert window.bandwidth_ == grid[means.argmax()]
    expected = direct(queries, samples, [window.bandwidth_])[0].numpy()
    assert np.abs(window.score_samples(queries) - expected).max() < 1e-3
    mean, error = window.mean_log_likelihood(queries)
    assert mean == pytest.approx(expected.mean(), abs=1e-3) and window.score(queries) == pytest.approx(mean, abs=1e-12)
    assert error == pytest.approx(expected.std(ddof=1) / math.sqrt(30), rel=1e-4)


@pytest.mark.parametrize("count", [2, 30, 600])
def test_leave_one_out_is_the_definition(count):
    samples = torch.cat([torch.rand(count - 1, 4), torch.full((1, 4), 50.0)])
    window = fd.ParzenWindow(bandwidths=[0.1, 1.0]).fit(samples)
    expected = [
        np.mean(
            [float(direct(samples[i : i + 1], torch.cat([samples[:i], samples[i + 1 :]]), [h])) for i in range(count)]
        )
        for h in (0.1, 1.0)
    ]
    assert np.abs(window.validation_log_likelihoods_ - expected).max() < 1e-3 + 1e-6 * np.abs(expected).max()


@pytest.mark.parametrize("scale", [1e-149, 1e149])
def test_units_of_the_window_do_not_matter(scale):
    samples, queries = torch.rand(30, 3, dtype=torch.float64), torch.rand(5, 3, dtype=torch.float64)
    base = fd.ParzenWindow(bandwidths=[0.1, 0.5]).fit(samples)
    window = fd.ParzenWindow(bandwidths=[0.1 * scale, 0.5 * scale]).fit(samples * scale)
    assert window.bandwidth_ == pytest.approx(base.bandwidth_ * scale)
    assert window.score(queries * scale) + 3 * math.log(scale) == pytest.approx(base.score(queries), abs=2e-3)


def test_uint8_means_value_over_255_exactly():
    samples, queries = grey_images(0), grey_images(26)
    window = fd.ParzenWindow(0.05).fit(samples)
    expected = direct(queries, samples, [0.05])
    require_promise(torch.from_numpy(window.score_samples(queries.numpy()))[None], expected)
    chosen = fd.ParzenWindow(bandwidths=[0.05]).fit(torch.cat([samples, queries]))
    both = torch.cat([samples, queries])
    left_out = [direct(both[i : i + 1], torch.cat([both[:i], both[i + 1 :]]), [0.05]) for i in range(12)]
    require_promise(torch.from_numpy(chosen.validation_log_likelihoods_), torch.stack(left_out).mean().reshape(1))


@pytest.mark.parametrize(
    ("message", "window"),
    [
        ("bandwidth must be 'auto' or a number > 0, got 'best'", fd.ParzenWindow("best")),
        ("bandwidth must be 'auto' or a number > 0, got -1.0", fd.ParzenWindow(-1.0)),
        ("bandwidths must be a list of finite numbers > 0", fd.ParzenWindow(bandwidths=[1.0, float("inf")])),
        ("bandwidths must be in 1e-150..1e[+]150", fd.ParzenWindow(bandwidths=[1.0, 1e-200])),
    ],
)
def test_estimator_refuses_bad_parameters(message, window):
    with pytest.raises(ValueError, match=message):
        clone(window).fit(torch.rand(5, 3))


def test_estimator_refuses_bad_data():
    with pytest.raises(ValueError, match="1 sample"):
        fd.ParzenWindow().fit(torch.rand(1, 3))
    with pytest.raises(ValueError, match="NaN"):
        fd.ParzenWindow().fit(torch.full((4, 3), math.nan))
    with pytest.raises(ValueError, match="3 features"):
        fd.ParzenWindow(1.0).fit(torch.rand(4, 3)).score_samples(torch.rand(4, 2))


@pytest.mark.needs_data
@pytest.mark.slow
def test_real_mnist_images_score_as_published():
    """10,000 training images as samples: 241.2 nats on the test images at bandwidth 0.1668; promise on a subset."""
    mnist = fd.data.load("mnist")
    samples = mnist.train.images[:10_000].flatten(1)
    window = fd.ParzenWindow().fit(samples, validation=mnist.validation.images[:1000].flatten(1))
    assert window.bandwidth_ == pytest.approx(0.1668, abs=1e-4)
    queries = mnist.test.images.flatten(1)
    scores = window.score_samples(queries)
    assert scores.mean() == pytest.approx(241.2, abs=0.1)
    expected = direct(queries[:100], samples, BANDWIDTHS)
    require_promise(fd.ops.parzen_log_density(queries[:100], samples, BANDWIDTHS), expected)
