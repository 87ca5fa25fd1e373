"""A model of a few hundred parameters and its data, which the tests of runs train, and what makes two runs the same."""

import json
from pathlib import Path

import torch
from torch import nn

import fastdaae as fd
from fastdaae import run_folder
from fastdaae.training.checkpoint import read_history


def build(seed: int = 0, **choices) -> nn.Module:
    torch.manual_seed(seed)
    arguments = {"prior": fd.priors.Normal(3), "corruption": fd.corruptions.Gaussian(0.5), "copies": 2, **choices}
    mlp, code = fd.networks.mlp, getattr(arguments["prior"], "dim", 3)
    return fd.IDAAE(mlp([16, 12, code]), mlp([code, 12, 16], output="sigmoid"), mlp([code, 8, 1]), **arguments)


def images(count: int = 96) -> torch.Tensor:
    return torch.randint(0, 256, (count, 4, 4), generator=torch.Generator().manual_seed(1), dtype=torch.uint8)


def trainer(model: nn.Module, **settings) -> fd.Trainer:
    return fd.Trainer(model, **{"epochs": 2, "batch_size": 32, "lr": 1e-3, **settings})


def fit(model: nn.Module, data=None, **settings) -> list[dict]:
    return trainer(model, **settings).fit(images() if data is None else data, progress=False)


def parameters(model: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def metrics(run_dir: Path) -> list[dict]:
    """The lines of metrics.jsonl without what differs from run to run: times and the run's id."""
    lines = (run_dir / run_folder.METRICS).read_text().splitlines()
    return [timeless(json.loads(line)) for line in lines]


def require_same_run(run_dir: Path, other: Path) -> None:
    """Two folders hold the same run, bit for bit, apart from times and ids, and no leftovers."""
    (tensors, facts), (expected, expected_facts) = (
        run_folder.load_tensors(folder / run_folder.CHECKPOINT) for folder in (run_dir, other)
    )
    assert timeless(facts) == timeless(expected_facts) and tensors.keys() == expected.keys()
    for name in tensors.keys() - {"history"}:
        assert tensors[name].equal(expected[name]), name
    assert metrics(run_dir) == metrics(other)
    assert [timeless(line) for line in read_history(run_dir)] == metrics(other)
    # the command that was typed names its folder
    texts = [(folder / run_folder.CONFIG).read_text().replace(str(folder), "FOLDER") for folder in (run_dir, other)]
    assert timeless(json.loads(texts[0])) == timeless(json.loads(texts[1]))
    assert not list(run_dir.glob(".*"))


def timeless(line: dict) -> dict:
    return {key: value for key, value in line.items() if key not in ("seconds", "samples_per_second", "run_id")}
