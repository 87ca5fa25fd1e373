"""evaluation.json: the measures of a run, with the checkpoint that they are of."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fastdaae import run_config, run_folder
from fastdaae.evaluation.measure import Measure, from_json, to_json
from fastdaae.schema import anything, optional, record, text, whole

_ADVICE = "run fastdaae evaluate again"
_EVALUATION = record(
    {"model": text, "data": text, "seed": whole(0, (1 << 64) - 1), "measures": anything},
    {"checkpoint": optional(record({}, {"run_id": optional(text), "epoch": whole(0), "step": whole(0)}))},
)


class Evaluation(NamedTuple):
    """The measures of a run: of which model, data and seed, and of which state of its checkpoint, if that is known."""

    measures: list[Measure]
    model: str
    data: str
    seed: int
    checkpoint: Mapping | None


def write_evaluation(run_dir: Path, measures: Sequence[Measure], **facts: Any) -> None:
    """Write a run's evaluation.json; `facts` are the model's and the data's names, the seed and the checkpoint."""
    run_folder.write_json(Path(run_dir) / run_folder.EVALUATION, {**facts, "measures": to_json(measures)})


def read_evaluation(run_dir: Path) -> Evaluation | None:
    """A run's evaluation.json, or None where there is none yet.

    Raises DamagedFile (a ValueError) with the key that is missing or wrong, and for the layout of earlier versions.
    """
    path = Path(run_dir) / run_folder.EVALUATION
    if not path.exists():
        return None
    found = run_folder.read_json(path, "the report")
    if "measures" not in found and "likelihood" in found:
        raise run_folder.DamagedFile(f"{path} is in the layout of an earlier version; {_ADVICE}")
    with run_config.naming(path, advice=f"restore the file, or {_ADVICE}"):
        _EVALUATION(found, "")
        measures = from_json(found["measures"])
    return Evaluation(measures, found["model"], found["data"], found["seed"], found.get("checkpoint"))
