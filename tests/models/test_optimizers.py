"""Models, optimisers and settings as a person brings them: what is taken, and the remedy for what is not."""

import functools
import json

import pytest
import torch
from torch import nn, optim

import fastdaae as fd
from fastdaae import run_folder
from tests.data.small_sets import refuses
from tests.runs.small import build, fit, images, parameters


@pytest.mark.parametrize(
    ("given", "recorded"),
    [
        (optim.Adam, "adam"),
        (optim.SGD, "sgd"),
        ({"name": optim.RMSprop, "momentum": 0.1}, {"name": "rmsprop", "momentum": 0.1}),
        (
            {"reconstruction": optim.AdamW, "discriminator": {"name": optim.SGD}, "encoder": "adam"},
            {"reconstruction": "adamw", "discriminator": {"name": "sgd"}, "encoder": "adam"},
        ),
    ],
)
def test_a_class_of_optimisers_is_taken_for_its_name(given, recorded, tmp_path):
    one, other = build(), build()
    fit(one, optimizer=given, run_dir=tmp_path)
    assert json.loads((tmp_path / run_folder.CONFIG).read_text())["trainer"]["optimizer"] == recorded
    fit(other, optimizer=recorded)
    assert torch.equal(parameters(one), parameters(other))
    assert len(fit(build(), optimizer=recorded, run_dir=tmp_path, epochs=3)) == 3


KNOWN = "optimizer must be one of 'adam', 'adamw', 'rmsprop', 'sgd', got "
PARTIAL = functools.partial(optim.Adam, lr=0.1, betas=(0.5, 0.9))


@pytest.mark.parametrize(
    ("optimizer", "kind", "message"),
    [
        (optim.LBFGS, ValueError, KNOWN + "LBFGS; make optimizers of your own for fd.compile_step instead"),
        ({"reconstruction": optim.Adagrad}, ValueError, KNOWN + "Adagrad; "),
        (
            optim.Adam(nn.Linear(1, 1).parameters()),
            TypeError,
            "got one Adam, and each update needs its own; pass optimizer='adam' and lr=",
        ),
        (optim.LBFGS(nn.Linear(1, 1).parameters()), ValueError, KNOWN + "LBFGS; make"),
        (PARTIAL, TypeError, "got functools.partial; pass optimizer={'name': 'adam', 'betas': (0.5, 0.9)} and lr="),
        (functools.partial(optim.Adagrad), ValueError, KNOWN + "Adagrad; "),
        (print, ValueError, "optimizer must be made of"),
    ],
)
def test_other_optimisers_are_refused(optimizer, kind, message):
    refuses(lambda: fd.Trainer(build(), optimizer=optimizer), message, kind)


GROUPED = "make them with {name: torch.optim.Adam(group) for name, group in model.parameter_groups().items()}"
EACH = "optimizers must have one optimizer for each of ['reconstruction', 'discriminator', 'encoder'], got "


@pytest.mark.parametrize(
    ("optimizers", "kind", "got"),
    [
        (optim.Adam(build().parameters()), TypeError, "one Adam; "),
        (optim.Adam, TypeError, "the class Adam; "),
        ([optim.Adam(build().parameters())] * 3, TypeError, "one list; "),
        ("adam", TypeError, "one str; "),
        ({"reconstruction": None}, ValueError, "['reconstruction']; "),
        (
            dict.fromkeys(["reconstruction", "discriminator", "encoder"], optim.Adam),
            TypeError,
            "the class Adam for 're",
        ),
        (
            dict.fromkeys(["reconstruction", "discriminator", "encoder"]),
            TypeError,
            "one NoneType for 'reconstruction'; ",
        ),
    ],
)
def test_compile_step_wants_one_optimiser_for_each_update(optimizers, kind, got):
    refuses(lambda: fd.compile_step(build(), optimizers), EACH + got, kind)
    refuses(lambda: fd.compile_step(build(), optimizers), GROUPED, kind)


def test_the_line_that_a_refusal_gives_makes_the_optimisers():
    model = build()
    made = eval(GROUPED.removeprefix("make them with "), {"torch": torch, "model": model})
    assert fd.compile_step(model, made)(images()).keys() == made.keys()


@pytest.mark.parametrize("call", [fd.Trainer, lambda model: fd.compile_step(model, {})])
def test_models_that_are_none(call):
    refuses(lambda: call(fd.DAAE), "model must be a model, got the class DAAE; make one of it, DAAE(...)", TypeError)
    refuses(lambda: call(nn.Linear(1, 1)), "model must be one of fastdaae.models, or like one, got Linear", TypeError)


@pytest.mark.parametrize(
    ("message", "settings"),
    [
        ("batch_size must be a whole number >= 1, got 0", {"batch_size": 0}),
        ("epochs must be a whole number >= 1, got 1.5", {"epochs": 1.5}),
        ("lr must be a finite number > 0, got -1", {"lr": -1}),
        ("lr must be a finite number > 0, got '1e-3'", {"lr": "1e-3"}),
        ("lr must have one entry for each update", {"lr": {"reconstruction": 1.0}}),
        ("optimizer must be one of 'adam', 'adamw', 'rmsprop', 'sgd', got 'lion'", {"optimizer": "lion"}),
        ("optimizer 'sgd' does not take these options", {"optimizer": {"name": "sgd", "beta": 1}}),
        ("schedule must be one of 'constant', 'linear', 'cosine'", {"schedule": "step"}),
        ("precision must be one of 'fp32', 'bf16', got 'fp8'", {"precision": "fp8"}),
    ],
)
def test_bad_settings_are_refused(message, settings):
    with pytest.raises((TypeError, ValueError), match=message):
        fd.Trainer(build(), **settings)
