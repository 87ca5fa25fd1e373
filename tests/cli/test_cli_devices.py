"""--device and --precision: a GPU that is not there is refused, and what is asked for reaches whoever computes."""

import inspect

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import fastdaae as fd
from fastdaae.cli import measures, runs
from fastdaae.cli.work import dimensions, evaluating, likelihoods, opening
from fastdaae.reporting import of_run

ASKED = torch.device("cpu", 0)  # the CPU as nobody calls it by chance
COMMANDS = {
    "sample": ("sample", "RUN", "--n", 4, "--steps", 1, "--out", "RUN/drawn.npz"),
    "evaluate": ("evaluate", "RUN", "--data", "digits", "--samples", 20, "--steps", 1, "--k", 3),
    "report": ("report", "RUN", "--data", "digits"),
    "likelihood": ("likelihood", "FILE"),
    "compare": ("compare", "FILE", "FILE"),
    "dimension": ("dimension", "digits", "--n", 100, "--k", 3),
}


@pytest.fixture
def line(run, tmp_path):
    """A command's line, with a run and a file of samples."""
    np.save(tmp_path / "samples.npy", fd.data.load("digits").train.images[:50].numpy())

    def words(name: str) -> list[str]:
        return [
            str(part).replace("RUN", str(run)).replace("FILE", f"{tmp_path}/samples.npy") for part in COMMANDS[name]
        ]

    return words


@pytest.mark.parametrize("name", COMMANDS)
def test_a_device_that_is_not_there_is_refused_before_anything_else(name, line, fastdaae):
    for device, words in (("cuda:99", "device cannot be 'cuda:99'"), ("tpu", "device must be 'auto', 'cpu', 'cuda'")):
        code, out, err = fastdaae(*line(name), "--device", device)
        assert (code, out, len(err)) == (2, "", 1) and words in err[0], (out, err)


class Asked:
    """Stands for `choose_device`, and knows which modules and tensors were sent to its answer."""

    def __init__(self, monkeypatch):
        self.names: list[str] = []
        self.kept: list = []  # a tensor's id is its own only while it lives
        for part in (opening, likelihoods, dimensions, evaluating, of_run):
            monkeypatch.setattr(part, "choose_device", self.choose)
        for kind in (nn.Module, Tensor):
            monkeypatch.setattr(kind, "to", self._spied(kind.to))

    def choose(self, name: str) -> torch.device:
        if name is not ASKED:
            self.names.append(name)
        return ASKED

    def _spied(self, to):
        def spy(this, *arguments, **options):
            moved = to(this, *arguments, **options)
            if ASKED in arguments:
                self.kept.append(moved)
            return moved

        return spy

    def were_sent(self, *things) -> bool:
        return all(any(thing is one for one in self.kept) for thing in things)


def spy(monkeypatch, owner, name: str, asked: Asked, seen: list[str], take) -> None:
    """Has `owner.name` check, before it works, that what `take` finds among its arguments was sent to the device."""
    real = getattr(owner, name)
    signature = inspect.signature(real)

    def spied(*arguments, **options):
        given = signature.bind(*arguments, **options)
        given.apply_defaults()
        assert asked.were_sent(*take(given.arguments)), name
        seen.append(name)
        # the drawing of a report takes seconds, and is tested elsewhere
        return given.arguments["out_dir"] if name == "build" else real(*arguments, **options)

    monkeypatch.setattr(owner, name, spied)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_chosen_device_reaches_whoever_computes(name, line, fastdaae, monkeypatch):
    command, asked, seen = line(name), Asked(monkeypatch), []
    spies = {
        "sample": [(fd.models.Autoencoder, "sample", lambda given: [given["model"]])],
        "evaluate": [(evaluating, "evaluate_model", lambda given: [given["model"]])],
        "report": [(of_run, "build", lambda given: [given["model"]])],
        "likelihood": [
            (fd.ParzenWindow, "fit", lambda given: [given["X"], given["validation"]]),
            (fd.ParzenWindow, "mean_log_likelihood", lambda given: [given["X"]]),
        ],
        "compare": [
            (fd.evaluation, "compare", lambda given: [given[part] for part in ("a", "b", "queries", "validation")])
        ],
        "dimension": [(fd.IntrinsicDimension, "fit", lambda given: [given["X"]])],
    }
    for owner, function, take in spies[name]:
        spy(monkeypatch, owner, function, asked, seen, take)
    code, _, err = fastdaae(*command, "--device", "cuda:7")
    assert code == 0, err
    assert set(asked.names) == {"cuda:7"} and set(seen) == {function for _, function, _ in spies[name]}


@pytest.mark.parametrize(("name", "owner"), [("sample", fd.models.Autoencoder), ("evaluate", evaluating)])
def test_the_precision_reaches_the_chain(name, owner, line, fastdaae, monkeypatch):
    seen = []
    function = {"sample": "sample", "evaluate": "evaluate_model"}[name]
    real = getattr(owner, function)

    def spied(*arguments, **options):
        seen.append(options["precision"])
        return real(*arguments, **options)

    monkeypatch.setattr(owner, function, spied)
    code, _, err = fastdaae(*line(name), "--precision", "bf16")
    assert (code, seen) == (0, ["bf16"]), err
    code, _, err = fastdaae(*line(name), "--precision", "fp8")
    assert code == 2 and "precision must be one of 'fp32', 'bf16', got 'fp8'" in err[-1]


def test_the_default_is_auto():
    for name in COMMANDS:
        command = getattr(runs, name, None) or getattr(measures, name)
        assert inspect.signature(command).parameters["device"].default == "auto", name
