"""A run's settings as pairs of text, and the run and its measures summed up in a paragraph."""

import math
import shlex
from collections.abc import Mapping, Sequence

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import sentences

_SETTINGS = {"lr": "learning rate", "copies": "corrupted copies M"}


def setting_pairs(config: Mapping, history: list[dict]) -> list[tuple[str, str]]:
    """(name, value) of a run's settings: the model's and the trainer's, what is None left out, and the time it took."""
    model, trainer = dict(config.get("model") or {}), dict(config.get("trainer") or {})
    given = {name: value for name, value in {**model, **trainer}.items() if value is not None}
    pairs = [(_SETTINGS.get(name, name.replace("_", " ")), _describe(value)) for name, value in given.items()]
    if isinstance(config.get("data"), str):
        pairs.append(("training data", config["data"]))
    pairs += _noted(config.get("notes") or {})
    if history:
        pairs += [("epochs done", str(history[-1]["epoch"])), ("training steps", f"{history[-1]['step']:,}")]
        pairs.append(("training time", f"{sum(line['seconds'] for line in history):,.1f} s"))
    made_with = config.get("made_with") or {}
    if made_with:
        pairs.append(("made with", ", ".join(f"{name} {value}" for name, value in made_with.items())))
    return pairs


def _noted(notes: Mapping) -> list[tuple[str, str]]:
    """What a run notes beside its settings: the file of its networks, and the command that made it."""
    pairs = []
    networks = notes.get("networks")
    if isinstance(networks, Mapping):
        place = ":".join(str(networks[part]) for part in ("file", "function") if networks.get(part))
        digest = f", SHA-256 {str(networks['sha256'])[:12]}…" if networks.get("sha256") else ""
        pairs.append(("networks", place + digest))
    command = notes.get("command")
    if command:
        pairs.append(("command", command if isinstance(command, str) else shlex.join(map(str, command))))
    return pairs


def _describe(value) -> str:
    """A setting in a word: a part of a model like a call, mlp(sizes=[64, 500, 8])."""
    if isinstance(value, Mapping):
        given = {key: part for key, part in value.items() if part is not None}
        name = given.pop("name", given.pop("network", ""))
        return f"{name}({', '.join(f'{key}={_describe(part)}' for key, part in given.items())})"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_describe, value)) + "]"
    return str(value)


def summary(name: str, data: str, history: list[dict], measures: Sequence[Measure] | None, unit: str) -> list[str]:
    """Sentences made of the numbers, the first on the training; `unit` is that of the reconstruction loss."""
    return [_training_sentence(name, data, history, unit), *sentences(measures or [])]


def _training_sentence(name: str, data: str, history: list[dict], unit: str) -> str:
    if not history:
        return f"This {name} is for {data}."
    last = history[-1]
    epochs = f"{last['epoch']:,} epoch{'s' if last['epoch'] != 1 else ''}"
    main = next((one for one in ("reconstruction", "classification") if one in last["losses"]), "reconstruction")
    unit = unit if main == "reconstruction" else "nats"
    block = f" of block {last['block']}" if "block" in last else ""
    told = f"its {main} loss{block} is {_loss(last['losses'].get(main), unit)} in training"
    held_out = last.get("validation", {})
    if main in held_out:
        told += f" and {_loss(held_out[main])} in validation"
    if held_out.get("accuracy") is not None:
        told += f", where {held_out['accuracy']:.2%} are told right"
    return f"This {name} was trained on {data} for {epochs}; {told}."


def _loss(value: float | None, unit: str = "") -> str:
    return f"{value:.4f} {unit}".strip() if value is not None and math.isfinite(value) else "not finite"
