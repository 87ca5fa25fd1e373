"""What stands in the JSON files of a run's folder, in one place: each file is read and checked here, key by key."""

from pathlib import Path

from fastdaae import run_folder
from fastdaae.schema import (
    Check,
    anything,
    flag,
    list_of,
    mapping,
    mapping_of,
    number,
    one_of,
    optional,
    real,
    record,
    refuse,
    text,
    whole,
)

_ADVICE = "restore the file, or start in another run_dir"
_PROBABILITY = number(0, 1)
_POSITIVE = number(5e-324)


def _named(kinds: dict[str, Check]) -> Check:
    """An object whose "name" says which of the checks it must pass."""

    def check(value, key: str) -> None:
        record({"name": one_of(*kinds)})(value, key)
        kinds[value["name"]](value, key)

    return check


def _part(**fields: Check) -> Check:
    return record({"name": text, **fields}, closed=True)


_MLP = record({"network": one_of("mlp"), "sizes": list_of(whole(1), least=2), "output": one_of(None, "sigmoid")})
_PRIOR = _named({"Normal": _part(dim=whole(1)), "RingMixture": _part(modes=whole(1), radius=_POSITIVE, std=_POSITIVE)})
_CORRUPTION = _named(
    {
        "Gaussian": _part(sigma=number(0), clip=optional(list_of(number(), least=2, most=2))),
        "Masking": _part(drop=_PROBABILITY),
        "SaltAndPepper": _part(p=_PROBABILITY, low=number(), high=number()),
    }
)
_NETWORKS = {"encoder": optional(_MLP), "decoder": optional(_MLP), "discriminator": optional(_MLP)}
_SHARED = {
    "prior": optional(_PRIOR),
    "corruption": optional(_CORRUPTION),
    "decoder_output": one_of(None, "logits", "probabilities", "linear"),
    "loss": one_of("bce", "mse"),
    "adversarial_loss": one_of("saturating", "non_saturating"),
    "form": one_of("paper", "released"),
}
_OURS = {
    "AAE": record({**_NETWORKS, **_SHARED}),
    "DAAE": record({**_NETWORKS, **_SHARED, "fresh_corruption": flag}),
    "IDAAE": record(
        {**_NETWORKS, **_SHARED, "copies": whole(1, 1 << 16), "integration": one_of("encodings", "inputs")}
    ),
}


def _model(value, key: str) -> None:
    """A model of ours in full; another's `config` is its own affair."""
    record({"model": text})(value, key)
    if value["model"] not in _OURS:
        return
    _OURS[value["model"]](value, key)
    _require_matching_sizes(value, key)


def _require_matching_sizes(model: dict, key: str) -> None:
    if any(model[name] is None for name in (*_NETWORKS, "prior")):
        return
    code = 2 if model["prior"]["name"] == "RingMixture" else model["prior"]["dim"]
    places = {
        "encoder.sizes[-1]": model["encoder"]["sizes"][-1],
        "decoder.sizes[0]": model["decoder"]["sizes"][0],
        "discriminator.sizes[0]": model["discriminator"]["sizes"][0],
    }
    for place, size in places.items():
        if size != code:
            refuse(size, f"{key}.{place}", f"the prior's {code} dimensions")
    if model["decoder"]["sizes"][-1] != model["encoder"]["sizes"][0]:
        refuse(model["decoder"]["sizes"][-1], f"{key}.decoder.sizes[-1]", "as many pixels as the encoder takes")


_CONFIG = record(
    {"model": _model},
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


def _require(check: Check, value, file: Path, line: str = "") -> None:
    try:
        check(value, "")
    except ValueError as error:
        raise run_folder.DamagedFile(f"{file}{line}: {str(error).removeprefix('. ')}; {_ADVICE}") from None


def read_config(run_dir: Path, purpose: str) -> dict:
    """A run's config.json; raises FileNotFoundError, or ValueError with the key that is missing or of a wrong kind."""
    config = run_folder.read_json(Path(run_dir) / run_folder.CONFIG, purpose)
    require_config(config, Path(run_dir))
    return {"notes": {}, **config}


def require_config(config: dict, run_dir: Path) -> None:
    """Raises ValueError, with the key, where a run's configuration lacks one or has one of a wrong kind."""
    _require(_CONFIG, config, run_dir / run_folder.CONFIG)


def read_data_notes(run_dir: Path, config: dict) -> tuple[str, str | None]:
    """(name or path, folder of data sets or None) of a run's data set, as `fastdaae train` noted them.

    Raises ValueError where the run was trained from Python, and notes none.
    """
    notes = config["notes"]
    if "data" not in notes:
        raise ValueError(f"{run_dir} was trained from Python and names no data set; evaluate it from Python too")
    _require(record({"notes": record({"data": text}, {"root": optional(text)})}), config, run_dir / run_folder.CONFIG)
    return notes["data"], notes.get("root")


def require_metrics(line, path: Path, place: int) -> None:
    """Raises ValueError where the `place`-th line of a run's metrics.jsonl, parsed, lacks a key or has a wrong one."""
    _require(_LINE, line, path, f", line {place}")


def require_losses(history: list[dict], run_dir: Path) -> None:
    """Raises ValueError unless every epoch of one of our models has the losses of the last and the reconstruction's."""
    names = dict.fromkeys(["reconstruction", *(history[-1]["losses"] if history else ())], real)
    for place, line in enumerate(history, start=1):
        _require(record({"losses": record(names)}), line, run_dir / run_folder.METRICS, f", line {place}")
