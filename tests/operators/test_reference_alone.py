"""With backend="reference", or FASTDAAE_BACKEND=reference, nothing but PyTorch computes."""

import pytest
import torch

import fastdaae as fd
from fastdaae import backend
from fastdaae.corruptions import Gaussian
from fastdaae.kernels import compiled
from fastdaae.ops.network import Plan

X, NOISE = torch.rand(16, 160), fd.Noise(1)


@pytest.fixture(autouse=True)
def _the_extension_computes_nothing(monkeypatch):
    class Refusing:
        def __getattr__(self, name):
            raise AssertionError(f"C++ was asked for {name}")

    monkeypatch.setattr(compiled, "_compiled", Refusing())


def encoder() -> torch.nn.Sequential:
    return fd.networks.mlp([160, 160, 160, 160])


CALLS = {
    "corrupt": lambda how: fd.ops.corrupt(X, Gaussian(0.5), NOISE, **how),
    "corrupted_linear": lambda how: fd.ops.corrupted_linear(X, X.T @ X, None, Gaussian(0.5), NOISE, **how),
    "linear_mean": lambda how: fd.ops.linear_mean(X[None], X.T @ X, None, activation="none", **how),
    "encode_mean": lambda how: fd.ops.encode_mean(encoder(), X, Gaussian(0.5), NOISE, copies=2, **how),
    "encode_mean, one layer": lambda how: fd.ops.encode_mean(encoder()[:2], X, None, NOISE, copies=2, **how),
    "linear_sigmoid_corrupt": lambda how: fd.ops.linear_sigmoid_corrupt(X, X.T @ X, None, Gaussian(0.5), NOISE, **how),
    "sample_chain": lambda how: fd.ops.sample_chain(encoder(), encoder(), X, Gaussian(0.5), NOISE, steps=2, **how),
    "nearest_neighbors": lambda how: fd.ops.nearest_neighbors(X, 2, **how),
    "parzen_log_density": lambda how: fd.ops.parzen_log_density(X, X, [1.0], **how),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_that_names_the_reference_runs_nothing_else(call):
    call({"backend": "reference"})


NETWORKS = {
    "plan": lambda: Plan.of(encoder())(X),
    "logits": lambda: Plan.of(torch.nn.Sequential(*encoder(), torch.nn.Sigmoid())).logits()(X),
    "prior": lambda: fd.priors.RingMixture().sample(5, NOISE),
}


@pytest.mark.parametrize("call", [*(lambda call=c: call({}) for c in CALLS.values()), *NETWORKS.values()])
def test_an_environment_that_names_the_reference_runs_nothing_else(monkeypatch, call):
    monkeypatch.setattr(backend, "DEFAULT", "reference")
    call()
