"""What the estimators take for points: uint8 means value / 255 in every container; and what a refit leaves behind."""

import array
import math
import warnings

import numpy as np
import pytest
import torch

import fastdaae as fd

pytestmark = pytest.mark.filterwarnings("ignore:the best bandwidth")

GREY = np.random.default_rng(0).integers(0, 256, (40, 9), dtype=np.uint8)
VALIDATION = np.random.default_rng(1).integers(0, 256, (11, 9), dtype=np.uint8)


class HasArray:
    """An array-like of no known type, as libraries hand them over."""

    def __init__(self, values: np.ndarray):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return self.values if dtype is None else self.values.astype(dtype)


class HasDLPack:
    """What another framework's tensor offers at the least."""

    def __init__(self, values: np.ndarray):
        self.values = values

    def __dlpack__(self, **options):
        return self.values.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


class Frame(HasArray):
    """The part of a pandas DataFrame that is looked at: columns with a dtype each."""

    def __init__(self, values: np.ndarray, dtypes=None):
        super().__init__(values)
        self.shape, self.columns = values.shape, [f"pixel {i}" for i in range(values.shape[1])]
        self.dtypes = [values.dtype] * values.shape[1] if dtypes is None else dtypes


def mapped(values: np.ndarray, tmp_path) -> np.memmap:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.npy"
    np.save(path, values)
    return np.load(path, mmap_mode="r")


CONTAINERS = {
    "array": lambda v, _: v,
    "array in Fortran order": lambda v, _: np.asfortranarray(v),
    "tensor": lambda v, _: torch.from_numpy(v),
    "list of arrays": lambda v, _: list(v),
    "tuple of tensors": lambda v, _: tuple(torch.from_numpy(v)),
    "list of lists of numbers": lambda v, _: [list(row) for row in v],
    "list of byte arrays": lambda v, _: [array.array("B", row.tobytes()) for row in v],
    "memory map": mapped,
    "__array__": lambda v, _: HasArray(v),
    "__dlpack__": lambda v, _: HasDLPack(v),
    "frame": lambda v, _: Frame(v),
    "memoryview": lambda v, _: memoryview(v),
}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_uint8_means_value_over_255_in_every_container(kind, tmp_path):
    inside = CONTAINERS[kind]
    window = fd.ParzenWindow(bandwidths=[0.2, 0.4]).fit(GREY / 255, validation=VALIDATION / 255)
    expected = window.score_samples(GREY[:5] / 255)
    ours = fd.ParzenWindow(bandwidths=[0.2, 0.4]).fit(inside(GREY, tmp_path), validation=inside(VALIDATION, tmp_path))
    assert ours.bandwidth_ == window.bandwidth_
    np.testing.assert_allclose(ours.validation_log_likelihoods_, window.validation_log_likelihoods_, atol=2e-3)
    np.testing.assert_allclose(ours.score_samples(inside(GREY[:5], tmp_path)), expected, atol=2e-3)
    assert ours.score(inside(GREY[:5], tmp_path)) == pytest.approx(expected.mean(), abs=2e-3)
    assert ours.mean_log_likelihood(inside(GREY[:5], tmp_path)).mean == pytest.approx(expected.mean(), abs=2e-3)
    dimension = fd.IntrinsicDimension(k=5).fit(inside(GREY, tmp_path)).dimension_
    assert dimension == pytest.approx(fd.IntrinsicDimension(k=5).fit(GREY / 255).dimension_, rel=1e-5)


IMAGES = {
    "array [N, H, W]": lambda v, _: v.reshape(-1, 3, 3),
    "array [N, C, H, W]": lambda v, _: v.reshape(-1, 1, 3, 3),
    "array with channels": lambda v, _: v.reshape(-1, 3, 1, 3),
    "array in Fortran order": lambda v, _: np.asfortranarray(v.reshape(-1, 3, 3)),
    "tensor": lambda v, _: torch.from_numpy(v).reshape(-1, 1, 3, 3),
    "float tensor": lambda v, _: (torch.from_numpy(v) / 255).reshape(-1, 3, 3),
    "list of arrays": lambda v, _: list(v.reshape(-1, 3, 3)),
    "list of tensors": lambda v, _: list(torch.from_numpy(v).reshape(-1, 1, 3, 3)),
    "memory map": lambda v, path: mapped(v.reshape(-1, 3, 3), path),
    "__array__": lambda v, _: HasArray(v.reshape(-1, 3, 3)),
    "__dlpack__": lambda v, _: HasDLPack(v.reshape(-1, 3, 3)),
}


@pytest.mark.parametrize("kind", IMAGES)
def test_images_are_rows_of_pixels(kind, tmp_path):
    inside = IMAGES[kind]
    flat = fd.ParzenWindow().fit(GREY, validation=VALIDATION)
    window = fd.ParzenWindow().fit(inside(GREY, tmp_path), validation=inside(VALIDATION, tmp_path))
    assert window.bandwidth_ == flat.bandwidth_ and window.n_features_in_ == 9
    for images in (inside(VALIDATION, tmp_path), VALIDATION):
        np.testing.assert_allclose(window.score_samples(images), flat.score_samples(VALIDATION), atol=2e-3)
    dimension = fd.IntrinsicDimension(k=5).fit(inside(GREY, tmp_path)).dimension_
    assert dimension == pytest.approx(fd.IntrinsicDimension(k=5).fit(GREY).dimension_, rel=1e-5)


@pytest.mark.parametrize(
    ("message", "shape"),
    [
        ("X has 8 features, but ParzenWindow is expecting 9", (5, 2, 4)),
        ("X has 8 features, but ParzenWindow is expecting 9", (5, 2, 2, 2)),
        ("X has 0 features|0 feature", (5, 3, 0)),
        ("0 sample", (0, 3, 3)),
        ("dim 5", (5, 1, 1, 3, 3)),
    ],
)
def test_images_of_another_size_are_refused(message, shape):
    window = fd.ParzenWindow(0.3).fit(GREY.reshape(-1, 3, 3))
    for images in (np.zeros(shape), torch.zeros(shape)):
        with pytest.raises(ValueError, match=message):
            window.score_samples(images)


def test_samples_of_a_model_are_measured_beside_the_images_of_its_data():
    digits = fd.data.load("digits")
    networks = fd.networks.mlp([64, 4]), fd.networks.mlp([4, 64], output="sigmoid"), fd.networks.mlp([4, 1])
    model = fd.DAAE(*networks, prior=fd.priors.Normal(4), corruption=fd.corruptions.Gaussian(0.5))
    window = fd.ParzenWindow().fit(model.sample(50), validation=digits.validation.images)
    assert window.score(digits.test.images) == window.score(digits.test.images.flatten(1))


def test_pandas_frames_of_uint8():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(GREY, columns=[f"pixel {i}" for i in range(9)])
    window = fd.ParzenWindow(0.2).fit(frame)
    assert list(window.feature_names_in_) == list(frame.columns)
    assert window.score(frame) == pytest.approx(fd.ParzenWindow(0.2).fit(GREY).score(GREY), abs=1e-9)


def test_columns_of_grey_levels_beside_other_numbers_are_refused():
    mixed = Frame(GREY.astype(np.float64), dtypes=[np.dtype(np.uint8)] * 8 + [np.dtype(np.float64)])
    rows = [GREY[0], GREY[1].astype(np.float32), GREY[2]]
    for X in (mixed, rows):
        with pytest.raises(ValueError, match=r"X must be all uint8 \(value / 255\) or have no uint8.*got both"):
            fd.ParzenWindow(0.2).fit(X)
        with pytest.raises(ValueError, match="got both"):
            fd.IntrinsicDimension(k=2).fit(X)


def test_masked_entries_are_not_read_as_numbers():
    masked = np.ma.masked_array(GREY / 255, GREY > 250)
    with pytest.raises(ValueError, match="X must have no masked entries, got"):
        fd.ParzenWindow(0.2).fit(masked)
    assert fd.ParzenWindow(0.2).fit(np.ma.masked_array(GREY)).score(GREY) == fd.ParzenWindow(0.2).fit(GREY).score(GREY)


@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16, np.int8])
def test_other_integers_are_numbers_and_not_grey_levels(dtype):
    numbers = np.random.default_rng(0).integers(0, 100, (20, 4)).astype(dtype)
    expected = fd.ParzenWindow(3.0).fit(numbers.astype(float)).score_samples(numbers[:5].astype(float))
    for X, queries in ((numbers, numbers[:5]), (numbers.tolist(), numbers[:5].tolist())):
        np.testing.assert_allclose(fd.ParzenWindow(3.0).fit(X).score_samples(queries), expected, atol=1e-3)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_of_every_floating_dtype(dtype):
    points = torch.rand(30, 5).to(dtype)
    wide = points.double().numpy()
    expected = fd.ParzenWindow(0.3).fit(wide).score(wide)
    assert fd.ParzenWindow(0.3).fit(points).score(points) == pytest.approx(expected, abs=2e-3)
    fitted = fd.IntrinsicDimension(k=9).fit(points)
    assert fitted.dimension_ == pytest.approx(fd.IntrinsicDimension(k=9).fit(wide).dimension_, rel=1e-4)


def test_tensors_with_a_gradient_and_lazy_negation():
    points = torch.rand(30, 5, requires_grad=True)
    plain = points.detach()
    assert fd.ParzenWindow(0.3).fit(points * 1).score(points) == fd.ParzenWindow(0.3).fit(plain).score(plain)
    assert fd.IntrinsicDimension(k=9).fit(points).dimension_ == fd.IntrinsicDimension(k=9).fit(plain).dimension_
    negated = torch.view_as_complex(torch.rand(30, 5, 2)).conj().imag
    assert negated.is_neg() and np.isfinite(fd.ParzenWindow(0.3).fit(negated).score(negated))
    bandwidth = torch.tensor(0.3, requires_grad=True)
    assert fd.ParzenWindow(bandwidth).fit(plain).bandwidth_ == pytest.approx(0.3)
    grid = torch.tensor([0.1, 0.3], requires_grad=True)
    assert fd.ParzenWindow(bandwidths=grid).fit(plain).bandwidths_ == pytest.approx([0.1, 0.3])


@pytest.mark.parametrize("k", [np.int64(7), np.uint8(7), np.array(7), torch.tensor(7)])
def test_numbers_of_numpy_and_torch_as_parameters(k):
    points = torch.rand(40, 3)
    fitted = fd.IntrinsicDimension(k=k).fit(points)
    assert fitted.k_ == 7 and type(fitted.k_) is int
    assert fitted.dimension_ == fd.IntrinsicDimension(k=7).fit(points).dimension_
    for bandwidth in (np.float32(0.25), np.array(0.25), torch.tensor(0.25)):
        window = fd.ParzenWindow(bandwidth).fit(points)
        assert window.bandwidth_ == 0.25 and type(window.bandwidth_) is float


@pytest.mark.parametrize("bandwidth", [[0.1, 0.2], None, math.nan, 0.0, "0.1", {}])
def test_what_is_not_one_bandwidth_is_refused_by_name(bandwidth):
    with pytest.raises(ValueError, match="bandwidth must be"):
        fd.ParzenWindow(bandwidth).fit(torch.rand(5, 3))


@pytest.mark.parametrize("bandwidths", [[], [[0.1, 0.2]], ["a"], [None], 3 + 4j])
def test_what_is_not_a_list_of_bandwidths_is_refused_by_name(bandwidths):
    with pytest.raises(ValueError, match="bandwidths must be"):
        fd.ParzenWindow(bandwidths=bandwidths).fit(torch.rand(5, 3))


def test_a_refit_leaves_nothing_of_the_fit_before():
    window = fd.ParzenWindow().fit(torch.rand(30, 5), validation=torch.rand(9, 5))
    window.set_params(bandwidth=0.5).fit(torch.rand(20, 4))
    fresh = fd.ParzenWindow(0.5).fit(torch.rand(20, 4))
    assert set(vars(window)) == set(vars(fresh)) and window.n_features_in_ == 4
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = fd.IntrinsicDimension(k=5).fit(Frame(GREY))
    fitted.fit(torch.rand(30, 4))
    assert set(vars(fitted)) == set(vars(fd.IntrinsicDimension(k=5).fit(torch.rand(30, 4))))


def test_a_failed_refit_leaves_the_fit_before():
    samples, queries = torch.rand(30, 5), torch.rand(4, 5)
    window = fd.ParzenWindow(bandwidths=[0.2, 0.3]).fit(samples)
    before, expected = dict(vars(window)), window.score_samples(queries)
    for X, how in (
        (torch.rand(9, 7), {"validation": torch.rand(3, 5)}),
        (torch.rand(9, 7), {"validation": torch.full((3, 7), math.nan)}),
        (torch.rand(1, 7), {}),
        (torch.full((9, 5), math.nan), {}),
    ):
        with pytest.raises(ValueError):
            window.fit(X, **how)
        assert vars(window) == before
    assert np.array_equal(window.score_samples(queries), expected)
    fitted = fd.IntrinsicDimension(k=5).fit(samples)
    before = dict(vars(fitted))
    for X in (torch.ones(9, 7), torch.full((9, 5), math.inf)):
        with pytest.raises(ValueError):
            fitted.fit(X)
        assert vars(fitted) == before
