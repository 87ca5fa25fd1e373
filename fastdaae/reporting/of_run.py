"""`report`: the report of a run's folder, which has all that it needs."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import torch
from torch import nn

from fastdaae import models, run_config, run_folder
from fastdaae.data import Dataset
from fastdaae.device import choose_device
from fastdaae.evaluation import read_evaluation
from fastdaae.reporting.build import build
from fastdaae.reporting.run_data import dataset_of_run
from fastdaae.training.checkpoint import read_history
from fastdaae.training.step import groups_of


def report(
    run_dir: str | PathLike,
    *,
    data: Dataset | str | PathLike | None = None,
    model: nn.Module | None = None,
    networks: Mapping[str, nn.Module] | None = None,
    root: str | PathLike | None = None,
    seed: int = 0,
    device: str | torch.device = "auto",
) -> Path:
    """Write the report of a run, run_dir/report/report.html with its figures beside it; returns the page's path.

    `data` is a Dataset, a name or a path (by default what `fastdaae train` noted); `model` or `networks` are the user's
    own, as for `load`; `root` is the folder of data sets. The numbers are those of the run's evaluation.json, where
    there is one. Warns where the run was trained on other images. Raises ValueError for a run that names no data set
    where none is given, and what `load` and `build` raise.
    """
    run_dir, target = Path(run_dir), choose_device(device)
    config = run_config.read_config(run_dir, "a report")
    given = {} if networks is None else {"networks": networks}
    model = models.load(run_dir, model, **given).to(target)
    dataset = dataset_of_run(run_dir, config, data, root)
    evaluation, history = read_evaluation(run_dir), read_history(run_dir)
    run_config.require_losses(history, run_dir, next(iter(groups_of(model))))
    return build(
        model,
        dataset,
        history,
        None if evaluation is None else evaluation.measures,
        run_dir / "report",
        seed=seed,
        config=config,
        checkpoint=run_folder.checkpoint_state(run_dir)._asdict(),
        measured_at=None if evaluation is None else evaluation.checkpoint,
    )
