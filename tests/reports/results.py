"""A small result of a recipe, written by hand beside runs that were trained: what `reproduction` makes a page of."""

import json
from pathlib import Path

import torch

import fastdaae as fd
from fastdaae.evaluation import Measure
from fastdaae.evaluation.measure import REAL, to_json
from tests.reports.family import autoencoder, digits, stack

MSE, LIKELIHOOD = ("reconstruction MSE", "corrupted input"), ("log-likelihood", "x(0)")
EVIL = "DAE <b>&"


def measures(value: float, nats: float, deviation: float | None) -> list[Measure]:
    taken = {"test_images": 100, "seeds": 2} if deviation else {"test_images": 100}
    errors = {"standard_error": 0.001, "seed_deviation": deviation, "settings": taken}
    return [
        Measure(*MSE, value, unit="pixel²", digits=4, **errors),
        Measure(*LIKELIHOOD, nats, unit="nats", digits=1, **errors),
        Measure("log-likelihood", REAL, 241.2, 1.5, unit="nats", digits=1, settings={"test_images": 100}),
        Measure("intrinsic dimension", "x(0)", reason="the samples are equal"),
    ]


def run(seed: int, cell: str, state: str = "finished", **reason) -> dict:
    folder = f"cells/{cell}/seed-{seed}"
    return {"seed": seed, "state": state, "folder": folder, "measures": [], "seconds": 61.5, "machine": "m", **reason}


def facts() -> dict:
    def figure(cell: str, place: tuple[str, str], value: float, table: str, **error) -> dict:
        return {"cell": cell, "measure": place[0], "of": place[1], "value": value, "table": table, **error}

    difference = {"mean": -0.25, "deviation": 0.125, "verdict": "does not hold"}
    return {
        "recipe": "made-up",
        "title": "AE and DAE on digits",
        "source": "Vincent et al. 2010",
        "budget": "smoke",
        "settings": {"epochs": 1},
        "stand_in": None,
        "precision": "fp32",
        "seeds": [0, 1],
        "machine": {"machine": "two cores"},
        "cells": [
            {
                "name": "ae",
                "title": "AE",
                "runs": [run(0, "ae"), run(1, "ae")],
                "measures": to_json(measures(0.02, 200.0, 0.005)),
            },
            {
                "name": "dae",
                "title": EVIL,
                "runs": [run(0, "dae"), run(1, "dae", "failed", reason="the codes hold NaN")],
                "measures": to_json(measures(0.03, 210.0, None)),
            },
            {"name": "late", "title": "Late", "runs": [], "measures": []},
        ],
        "figures": [
            figure("ae", MSE, 0.017, "Table IV", standard_error=0.001),
            figure("dae", MSE, 0.023, "Table IV"),
            figure("ae", LIKELIHOOD, 529, "Table V"),
        ],
        "verdicts": [
            {"claim": "AE <= DAE", "verdict": "does not hold", "differences": [difference], "paper": True},
            {"claim": "DAE >= AE", "verdict": "holds", "differences": [], "paper": None},
        ],
        "notes": ["A note of the recipe."],
    }


def write(folder: Path, **changes) -> Path:
    (folder / "result.json").write_text(json.dumps({**facts(), **changes}))
    return folder


def trained(folder: Path) -> Path:
    """The same with runs of its cells: an autoencoder, and a stack in a folder of its own."""
    torch.manual_seed(0)
    data = digits(60)
    for model, place in ((autoencoder(), "ae/seed-0"), (stack(), "dae/seed-0/stacked")):
        run_dir = folder / "cells" / place
        fd.Trainer(model, batch_size=20, epochs=1, run_dir=run_dir).fit(data, progress=False, notes={"data": "digits"})
    report = folder / "cells" / "ae" / "seed-0" / "report"
    report.mkdir()
    (report / "report.html").write_text("a report")
    return write(folder)
