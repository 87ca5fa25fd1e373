"""A run's settings: one form that survives JSON, whatever numbers they were given as, and clear errors for the rest."""

import enum
import json
import math

import numpy as np
import pytest
import torch

import fastdaae as fd
from fastdaae import run_folder
from tests.runs.small import build, fit, parameters, trainer

CLIPPED = fd.corruptions.Gaussian(0.5, clip=(0, 1))


class Loss(enum.StrEnum):
    MSE = "mse"


class Precision(str, enum.Enum):  # noqa: UP042  the kind that older code has
    FP32 = "fp32"


@pytest.mark.parametrize(
    ("settings", "model"),
    [
        ({}, {"corruption": CLIPPED}),
        ({"optimizer": {"name": "adam", "betas": (0.5, 0.99)}}, {}),
        ({"optimizer": {"name": "adam", "betas": (np.float64(0.5), np.float32(0.99))}}, {}),
        (
            {
                "optimizer": {
                    "reconstruction": {"name": "adam", "betas": (0.5, 0.9)},
                    "discriminator": {"name": "sgd", "momentum": np.float64(0.5)},
                    "encoder": "sgd",
                }
            },
            {},
        ),
        ({"lr": np.float64(1e-3)}, {}),
        ({"lr": np.float32(1e-3)}, {}),
        ({"lr": {"reconstruction": np.float32(1e-3), "discriminator": 1, "encoder": np.float64(1e-2)}}, {}),
        ({"epochs": np.int64(2), "batch_size": np.int32(32), "seed": np.uint64(3), "checkpoint_every": np.int8(1)}, {}),
        ({"precision": Precision.FP32}, {"loss": Loss.MSE}),
        ({}, {"copies": np.int64(2), "prior": fd.priors.Normal(np.int64(3))}),
    ],
)
def test_a_run_with_any_settings_is_resumed_to_the_bit(settings, model, tmp_path):
    resumed, straight = build(**model), build(**model)
    fit(build(**model), run_dir=tmp_path, **settings)
    fit(resumed, run_dir=tmp_path, **{**settings, "epochs": 3})
    fit(straight, **{**settings, "epochs": 3})
    assert torch.equal(parameters(resumed), parameters(straight))
    assert torch.equal(parameters(fd.load(tmp_path, build(**model))), parameters(straight))


RING = fd.priors.RingMixture(modes=np.int64(3), radius=np.float32(2.5))


@pytest.mark.parametrize("model", [{"corruption": CLIPPED}, {"copies": np.int64(2)}, {"prior": RING}])
def test_a_model_s_configuration_is_what_json_gives_back(model):
    config = build(**model).config
    assert json.loads(json.dumps(config)) == config


def test_numbers_of_numpy_and_of_python_are_the_same_setting(tmp_path):
    fit(build(), run_dir=tmp_path, lr=np.float64(1e-3), optimizer={"name": "adam", "betas": (0.5, 0.9)})
    fit(build(), run_dir=tmp_path, lr=1e-3, optimizer={"betas": [np.float64(0.5), 0.9], "name": "adam"}, epochs=3)
    trained = json.loads((tmp_path / run_folder.CONFIG).read_text())["trainer"]
    assert trained["epochs"] == 3 and trained["optimizer"]["betas"] == [0.5, 0.9]


@pytest.mark.parametrize(
    ("message", "settings", "model"),
    [
        ("optimizer.betas=[0.5, 0.9], and this one has [0.5, 0.99]", {"optimizer": (0.5, 0.99)}, {}),
        ("corruption.clip=[0.0, 1.0], and this one has None", {}, {"corruption": fd.corruptions.Gaussian(0.5)}),
        ("corruption.sigma=0.5, and this one has 0.25", {}, {"corruption": fd.corruptions.Gaussian(0.25, clip=(0, 1))}),
        ("corruption.name='Gaussian', and this one has 'Masking'", {}, {"corruption": fd.corruptions.Masking(0.5)}),
        ("lr=0.001, and this one has 0.002", {"lr": np.float64(2e-3)}, {}),
    ],
)
def test_another_setting_is_named_with_both_values_and_the_remedy(message, settings, model, tmp_path):
    adam = {"name": "adam", "betas": (0.5, 0.9)}
    if "optimizer" in settings:
        settings = {"optimizer": {"name": "adam", "betas": settings["optimizer"]}}
    fit(build(corruption=CLIPPED), run_dir=tmp_path, optimizer=adam)
    with pytest.raises(ValueError) as caught:
        fit(build(**{"corruption": CLIPPED, **model}), run_dir=tmp_path, **{"optimizer": adam, **settings})
    assert f"holds a run with {message}; use the same settings to resume it, or another run_dir" in str(caught.value)


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        ("lr must be a finite number > 0, got nan", {"lr": math.nan}),
        ("lr must be a finite number > 0, got nan", {"lr": np.float32("nan")}),
        ("lr must be a finite number > 0, got '0.1'", {"lr": "0.1"}),
        ("lr must be a finite number > 0, got True", {"lr": True}),
        (
            "lr must be a finite number > 0, got inf",
            {"lr": {"reconstruction": math.inf, "discriminator": 1, "encoder": 1}},
        ),
        ("optimizer.momentum must be finite, got nan", {"optimizer": {"name": "sgd", "momentum": math.nan}}),
        ("epochs must be a whole number >= 1, got 2.0", {"epochs": 2.0}),
        ("epochs must be a whole number >= 1, got nan", {"epochs": math.nan}),
        ("epochs must be a whole number >= 1, got True", {"epochs": True}),
        ("batch_size must be a whole number >= 1, got '64'", {"batch_size": "64"}),
        ("checkpoint_every must be a whole number >= 1, got None", {"checkpoint_every": None}),
        ("seed must be a whole number in 0..18446744073709551615, got -1", {"seed": -1}),
        ("seed must be a whole number in 0..18446744073709551615, got 0.5", {"seed": np.float64(0.5)}),
        ("schedule must be one of .* got \\['linear'\\]", {"schedule": ["linear"]}),
        ("optimizer must be one of .* got 3", {"optimizer": 3}),
        (
            "optimizer.eps must be made of numbers, text, lists and dictionaries, got .*object",
            {"optimizer": {"name": "adam", "eps": object()}},
        ),
    ],
)
def test_settings_of_the_wrong_type_or_not_finite_are_refused_at_once(message, settings):
    with pytest.raises((TypeError, ValueError), match=message) as caught:
        trainer(build(), **settings)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("copies must be a whole number in 1..65536, got 2.5", lambda: build(copies=2.5)),
        ("copies must be a whole number in 1..65536, got nan", lambda: build(copies=math.nan)),
        ("copies must be a whole number in 1..65536, got '2'", lambda: build(copies="2")),
        (r"sizes\[1\] must be a whole number in 1..2147483647, got 2.7", lambda: fd.networks.mlp([3, 2.7])),
        (r"sizes\[0\] must be a whole number in 1..2147483647, got nan", lambda: fd.networks.mlp([math.nan, 2])),
        ("corruption must be one of fastdaae.corruptions or None, got 0.5", lambda: build(corruption=0.5)),
        ("prior must be one of fastdaae.priors, got 3", lambda: build(prior=3)),
    ],
)
def test_hyper_parameters_of_the_wrong_type_or_not_finite_are_refused_at_once(message, make):
    with pytest.raises((ValueError, TypeError), match=message):
        make()


def test_something_that_is_no_model_is_refused():
    with pytest.raises(TypeError, match="model must be one of fastdaae.models.*got Linear"):
        fd.Trainer(torch.nn.Linear(2, 2))
