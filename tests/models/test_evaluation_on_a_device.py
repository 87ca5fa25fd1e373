"""Evaluation stays on the model's device: of what is measured only small results come to the CPU."""

import pytest
import torch

import fastdaae as fd
from fastdaae.evaluation import compare, evaluate
from fastdaae.evaluation.measures import MEASURES
from tests.pretended_cuda import CUDA, move, pretended

COUNT, PIXELS = 120, 64
FIELDS = ("train", "validation", "test")


@pytest.fixture(autouse=True)
def _operators_run_anywhere(monkeypatch):
    monkeypatch.setattr("fastdaae.backend.DEFAULT", "reference")


def model() -> fd.DAAE:
    torch.manual_seed(0)
    networks = fd.networks.mlp([PIXELS, 16, 4]), fd.networks.mlp([4, 16, PIXELS], output="sigmoid")
    corruption = fd.corruptions.Gaussian(0.5)
    return fd.DAAE(*networks, fd.networks.mlp([4, 1]), prior=fd.priors.Normal(4), corruption=corruption)


def require_small(fetched: list[tuple[int, ...]]) -> None:
    """Of no set of points did a row come back."""
    assert fetched and all(PIXELS not in shape and len(shape) <= 2 for shape in fetched), fetched


def test_an_evaluation_stays_where_the_model_is():
    digits = fd.data.load("digits")
    choices = {"samples": COUNT, "steps": 2, "k": 9, "svm_images": 100, "seeds": 2}
    here = evaluate(model(), digits, **choices)
    with pretended() as fetched:
        network = move(model())
        assert network.sample(3).is_cuda and not fetched
        there = evaluate(network, digits, **choices)
    require_small(fetched)
    assert there == here


def test_a_dataset_may_be_on_the_device_too_for_every_measure():
    digits = fd.data.load("digits")
    measures = [name for name in MEASURES if name not in ("twenty-way", "attributes", "bounds", "accuracy")]
    choices = {"measures": measures, "samples": COUNT, "steps": 0, "k": 9, "svm_images": 100}
    here = evaluate(model(), digits, **choices)
    with pretended():
        parts = {name: fd.data.Split(*(x.to(CUDA) for x in getattr(digits, name)[:2])) for name in FIELDS}
        assert evaluate(move(model()), digits._replace(**parts), **choices) == here
    assert not [measure.of for measure in here if measure.reason]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.uint8])
def test_a_window_stays_where_its_samples_are(dtype):
    samples, validation, queries = ((torch.rand(n, 8, 8) * 255).to(torch.uint8) for n in (COUNT, 50, 40))
    if dtype != torch.uint8:
        samples, validation, queries = ((x / 255).to(dtype) for x in (samples, validation, queries))
    for chosen_on in (validation, None):
        expected = fd.ParzenWindow().fit(samples, validation=chosen_on)
        with pretended() as fetched:
            window = fd.ParzenWindow().fit(samples.to(CUDA), validation=chosen_on)
            assert window.samples_.device == CUDA
            for given in (queries, queries.to(CUDA), queries.numpy()):
                assert window.score_samples(given).tolist() == expected.score_samples(queries).tolist()
        require_small(fetched)
        assert window.bandwidth_ == expected.bandwidth_


def test_queries_come_to_samples_on_the_cpu():
    samples, queries = torch.rand(COUNT, PIXELS), torch.rand(40, PIXELS)
    expected = fd.ParzenWindow(0.3).fit(samples).score(queries)
    with pretended():
        assert fd.ParzenWindow(0.3).fit(samples).score(queries.to(CUDA)) == expected


def test_sets_are_compared_where_they_are():
    a, b, queries = torch.rand(COUNT, PIXELS), torch.rand(COUNT, PIXELS), torch.rand(40, PIXELS)
    expected = compare(a, b, queries)
    with pretended() as fetched:
        assert compare(a.to(CUDA), b.to(CUDA), queries.to(CUDA)) == expected
    require_small(fetched)


def test_a_dimension_is_found_where_the_images_are():
    images = torch.rand(COUNT, 1, 8, 8)
    expected = fd.IntrinsicDimension(k=9).fit(images).dimension_
    with pretended() as fetched:
        assert fd.IntrinsicDimension(k=9).fit(images.to(CUDA)).dimension_ == expected
    require_small(fetched)
