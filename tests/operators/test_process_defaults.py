"""The process's default dtype and device are the user's affair: no result of the library depends on them."""

import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

import fastdaae as fd
from fastdaae.corruptions import Gaussian, Masking
from fastdaae.draw import Draw
from fastdaae.kernels.cpp import random

BACKENDS = ["reference", pytest.param("cpp", marks=pytest.mark.needs_cpp)]
DTYPES = [torch.float16, torch.bfloat16, torch.float64]

# torch lists once which functions a default device concerns: before tests put another torch.empty in place
with torch.device("cpu"):
    torch.empty(0)


@contextlib.contextmanager
def default_dtype(dtype: torch.dtype) -> Iterator[None]:
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def default_device(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


DEFAULTS = {str(dtype): lambda dtype=dtype: default_dtype(dtype) for dtype in DTYPES}
DEFAULTS |= {"meta": lambda: default_device("meta"), "in meta": lambda: torch.device("meta")}


@pytest.fixture(params=DEFAULTS)
def defaults(request):
    return DEFAULTS[request.param]


def assert_same(found, expected, name: str) -> None:
    assert (found.dtype, found.device, found.shape) == (expected.dtype, expected.device, expected.shape), name
    assert torch.equal(found, expected), name


def tensors_of(result) -> list[torch.Tensor]:
    return [result] if isinstance(result, torch.Tensor) else [part for part in result if part is not None]


class Operators:
    """Calls of every operator on one backend, on inputs made before the defaults change."""

    def __init__(self, backend: str):
        self.how, self.noise = {"backend": backend}, fd.Noise(3, step=2)
        self.x, self.pixels = torch.rand(6, 12), torch.randint(0, 256, (6, 12), dtype=torch.uint8)
        self.h, self.points, self.index = torch.rand(2, 6, 12), torch.rand(30, 5), torch.tensor([3, 1, 1])
        self.weight, self.bias = torch.randn(9, 12, requires_grad=True), torch.randn(9, requires_grad=True)
        self.wide = nn.Sequential(nn.Linear(12, 130), nn.ReLU(), nn.Linear(130, 130), nn.ReLU(), nn.Linear(130, 3))
        self.decoder, self.encoder = fd.networks.mlp([3, 16, 12], output="sigmoid"), fd.networks.mlp([12, 16, 3])

    def results(self) -> dict[str, list[torch.Tensor]]:
        ops, noise, how, noisy = fd.ops, self.noise, self.how, Gaussian(0.5, clip=(0, 1))
        layer = (self.weight, self.bias)
        found = {
            "corrupt": ops.corrupt(self.x, noisy, noise, copies=2, **how),
            "corrupt pixels": ops.corrupt(self.pixels, Masking(0.3), noise, index=self.index, **how),
            "corrupt nothing": ops.corrupt(self.pixels, None, noise, **how),
            "corrupted_linear": ops.corrupted_linear(self.pixels, *layer, noisy, noise, copies=2, **how),
            "linear_mean": ops.linear_mean(self.h, *layer, activation="sigmoid", **how),
            "encode_mean": ops.encode_mean(self.encoder, self.x, noisy, noise, copies=3, **how),
            "wide": ops.encode_mean(self.wide, self.x, noisy, noise, copies=3, **how),
            "linear_sigmoid_corrupt": ops.linear_sigmoid_corrupt(self.x, *layer, noisy, noise, keep_clean=True, **how),
            "sample_chain": ops.sample_chain(
                self.decoder, self.encoder, self.x[:, :3], noisy, noise, steps=3, keep=(0, 3), **how
            ),
            "bf16 chain": ops.sample_chain(
                self.decoder, self.encoder, self.x[:, :3], noisy, noise, steps=2, precision="bf16", **how
            ),
            "parzen": ops.parzen_log_density(self.points, self.points, [0.2, 1.0], **how),
            "neighbors": ops.nearest_neighbors(self.points, 3, **how),
            "gradients": self.gradients(),
        }
        return {name: tensors_of(result) for name, result in found.items()}

    def gradients(self) -> tuple[torch.Tensor, ...]:
        x = self.x.clone().requires_grad_()
        layer = (self.weight, self.bias)
        h = fd.ops.corrupted_linear(x, *layer, Masking(0.3), self.noise, copies=2, index=self.index, **self.how)
        mean = fd.ops.linear_mean(self.h, *layer, activation="relu", **self.how)
        passed = fd.ops.corrupt(x, Masking(0.3), self.noise, copies=2, index=self.index, **self.how)
        total = h.square().sum() + mean.square().sum() + passed.square().sum()
        return torch.autograd.grad(total, [x, *layer])


@pytest.mark.parametrize("backend", BACKENDS)
def test_operators_do_not_read_the_defaults(backend, defaults):
    operators = Operators(backend)
    expected = operators.results()
    with defaults():
        found = operators.results()
    for name, tensors in expected.items():
        for ours, theirs in zip(found[name], tensors, strict=True):
            assert_same(ours, theirs, name)


@pytest.mark.needs_cpp
def test_cpp_words_do_not_read_the_defaults(defaults):
    call = (3, 5, fd.Noise(1).state, Draw(copies=2, row_offset=1, site=4))
    expected = random.words(*call)
    with defaults():
        assert_same(random.words(*call), expected, "words")


def test_priors_and_noise_do_not_read_the_defaults(defaults):
    draws = {
        "normal": lambda: fd.priors.Normal(3).sample(4, fd.Noise(1)),
        "ring": lambda: fd.priors.RingMixture().sample(4, fd.Noise(1)),
        "state": lambda: fd.Noise(7, step=3).ahead(2).state,
    }
    expected = {name: draw() for name, draw in draws.items()}
    with defaults():
        for name, draw in draws.items():
            assert_same(draw(), expected[name], name)


def small_model() -> fd.IDAAE:
    torch.manual_seed(0)
    mlp = fd.networks.mlp
    parts = mlp([64, 20, 3]), mlp([3, 20, 64], output="sigmoid"), mlp([3, 1])
    return fd.IDAAE(*parts, prior=fd.priors.Normal(3), corruption=Gaussian(0.5))


def test_models_do_not_read_the_defaults(defaults):
    model, x = small_model(), torch.randint(0, 256, (6, 8, 8), dtype=torch.uint8)

    def results() -> list[torch.Tensor]:
        sampled = model.sample(4, steps=2, keep=(0, 2))
        z = model.encode(x).detach()
        return [sampled, z, model.decode(z).detach(), model.reconstruct(x, fd.Noise(1)).detach()]

    expected = results()
    with defaults():
        found = results()
    for ours, theirs in zip(found, expected, strict=True):
        assert_same(ours, theirs, "model")


def test_training_does_not_read_the_defaults(defaults, tmp_path):
    images = torch.randint(0, 256, (40, 8, 8), dtype=torch.uint8)
    first, second = small_model(), small_model()
    settings = {"batch_size": 10, "epochs": 1, "device": "cpu"}
    expected = fd.Trainer(first, run_dir=tmp_path / "a", **settings).fit(images, progress=False)
    with defaults():
        found = fd.Trainer(second, run_dir=tmp_path / "b", **settings).fit(images, progress=False)
        loaded = fd.load(tmp_path / "b")
    assert found[0]["losses"] == expected[0]["losses"]
    for ours, kept, theirs in zip(second.parameters(), loaded.parameters(), first.parameters(), strict=True):
        assert_same(ours, theirs, "trained")
        assert_same(kept, theirs, "loaded")


def test_estimators_do_not_read_the_defaults(defaults):
    points = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)

    def results() -> list[float]:
        window = fd.ParzenWindow(bandwidths=[0.3, 1.0]).fit(points)
        return [
            *map(float, window.score_samples(points[:5])),
            float(fd.IntrinsicDimension(k=10).fit(points).dimension_),
        ]

    expected = results()
    with defaults():
        assert results() == expected


def test_data_sets_do_not_read_the_defaults(defaults):
    expected = fd.data.load("digits")
    with defaults():
        found = fd.data.load("digits")
    for part in ("train", "validation", "test"):
        assert_same(getattr(found, part).images, getattr(expected, part).images, part)
        assert_same(getattr(found, part).labels, getattr(expected, part).labels, part)
