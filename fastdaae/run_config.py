"""What stands in the JSON files of a run's folder, in one place: each file is read and checked here, key by key."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from fastdaae import run_folder
from fastdaae.schema import (
    Check,
    anything,
    mapping,
    mapping_of,
    number,
    optional,
    real,
    record,
    text,
    whole,
)

_ADVICE = "restore the file, or start in another run_dir"
_LONGEST = 300  # letters of a message that quotes the file
_CONFIG = record(
    {"model": record({"model": text})},
    {
        "trainer": mapping,
        "data": text,
        "notes": mapping,
        "made_with": mapping_of(anything),
    },
)
_LINE = record(
    {"epoch": whole(1), "step": whole(1), "seconds": number(0), "losses": mapping_of(real)},
    {"samples_per_second": real, "validation": mapping_of(real)},
)


@contextmanager
def naming(file: Path, line: str = "", advice: str = _ADVICE) -> Iterator[None]:
    """Raises what is wrong with a key of a file as a DamagedFile, which names the file and says what to do."""
    try:
        yield
    except ValueError as error:
        told = str(error).removeprefix(". ")
        told = told if len(told) <= _LONGEST else f"{told[:_LONGEST]}..."
        raise run_folder.DamagedFile(f"{file}{line}: {told}; {advice}") from None


def _require(check: Check, value, file: Path, line: str = "") -> None:
    with naming(file, line):
        check(value, "")


def read_config(run_dir: Path, purpose: str) -> dict:
    """A run's config.json; raises FileNotFoundError, or ValueError with the key that is missing or of a wrong kind."""
    config = run_folder.read_json(Path(run_dir) / run_folder.CONFIG, purpose)
    require_config(config, Path(run_dir))
    return {"notes": {}, **config}


def require_config(config: dict, run_dir: Path) -> None:
    """Raises ValueError, with the key, where a run's configuration lacks one or has one of a wrong kind.

    What a model needs is its constructor's affair.
    """
    _require(_CONFIG, config, run_dir / run_folder.CONFIG)


class DataNotes(NamedTuple):
    """What finds a run's data set again: its name or path, the folder of data sets or None, its loader's options."""

    data: str
    root: str | None
    options: dict[str, Any]


def read_data_notes(run_dir: Path, config: dict) -> DataNotes:
    """What `fastdaae train`, or a recipe, noted of a run's data set.

    Raises ValueError where the run was trained from Python, and notes none.
    """
    notes = config["notes"]
    if "data" not in notes:
        raise ValueError(
            f"{run_dir} was trained from Python and names no data set; name it with --data, or with data= from Python"
        )
    noted = record({"data": text}, {"root": optional(text), "data_options": mapping_of(anything)})
    _require(record({"notes": noted}), config, run_dir / run_folder.CONFIG)
    return DataNotes(notes["data"], notes.get("root"), notes.get("data_options", {}))


def read_networks_notes(run_dir: Path, config: dict) -> dict | None:
    """What `fastdaae train --networks` noted of own networks: "file", "function", "sha256" and "code"; None without."""
    if "networks" not in config["notes"]:
        return None
    noted = record({"file": text, "function": text, "sha256": text, "code": whole(1)})
    _require(record({"notes": record({"networks": noted})}), config, run_dir / run_folder.CONFIG)
    return config["notes"]["networks"]


def image_shape(config: dict) -> tuple[int, ...] | None:
    """The shape of one image of a run: its model's, or that of its training images as their fingerprint has it."""
    noted = config["model"].get("image_shape")
    if isinstance(noted, list) and noted and all(type(size) is int and size > 0 for size in noted):
        return tuple(noted)
    found = re.match(r"\d{1,12}((?:x[1-9]\d{0,8})+) ", config.get("data", ""))
    return tuple(map(int, found[1][1:].split("x"))) if found else None


def require_metrics(line, path: Path, place: int) -> None:
    """Raises ValueError where the `place`-th line of a run's metrics.jsonl, parsed, lacks a key or has a wrong one."""
    _require(_LINE, line, path, f", line {place}")


def require_losses(history: list[dict], run_dir: Path, first: str = "reconstruction") -> None:
    """Raises ValueError unless every epoch of a model has the losses of the last, and the one of its `first` update."""
    names = dict.fromkeys([first, *(history[-1]["losses"] if history else ())], real)
    for place, line in enumerate(history, start=1):
        _require(record({"losses": record(names)}), line, run_dir / run_folder.METRICS, f", line {place}")
