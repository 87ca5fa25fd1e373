"""Estimators and evaluation on a CUDA device."""

import pytest
import torch

import fastdaae as fd
from fastdaae.evaluation import compare, evaluate

pytestmark = [pytest.mark.needs_cuda, pytest.mark.filterwarnings("ignore:the best bandwidth")]


def test_a_window_stays_on_the_device_of_its_samples():
    samples, validation, queries = torch.rand(500, 1, 8, 8), torch.rand(90, 1, 8, 8), torch.rand(70, 64)
    for chosen_on in (validation, None):
        expected = fd.ParzenWindow().fit(samples, validation=chosen_on)
        window = fd.ParzenWindow().fit(samples.cuda(), validation=chosen_on)
        assert window.samples_.is_cuda and window.bandwidth_ == expected.bandwidth_
        for given in (queries, queries.cuda(), queries.numpy()):
            assert abs(window.score_samples(given) - expected.score_samples(queries)).max() < 2e-3
    a, b = torch.rand(300, 64), torch.rand(300, 64)
    assert compare(a.cuda(), b.cuda(), queries) == pytest.approx(tuple(compare(a, b, queries)), abs=2e-3)


def test_an_evaluation_on_a_device_gives_the_numbers_of_the_cpu():
    torch.manual_seed(0)
    networks = fd.networks.mlp([64, 16, 4]), fd.networks.mlp([4, 16, 64], output="sigmoid"), fd.networks.mlp([4, 1])
    model = fd.DAAE(*networks, prior=fd.priors.Normal(4), corruption=fd.corruptions.Gaussian(0.5))
    choices = {"samples": 200, "steps": 2, "k": 9, "svm_images": 100, "seeds": 2}
    here = evaluate(model, fd.data.load("digits"), **choices)
    there = evaluate(model.cuda(), fd.data.load("digits"), **choices)
    for one, other in zip(here, there, strict=True):
        assert other.reason is None and other.value == pytest.approx(one.value, rel=1e-2, abs=1e-2)
