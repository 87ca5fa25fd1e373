"""The numbers of an evaluation as rows of text, a run's settings as pairs, and both summed up in a paragraph."""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

from fastdaae.report.style import number

_SETTINGS = {"lr": "learning rate", "copies": "corrupted copies M"}


class Row(NamedTuple):
    """A line of the table of numbers; `real` marks the row that is measured on real data."""

    measure: str
    of: str
    value: str
    settings: str
    real: bool = False


NOT_MEASURED = "not measured"


def with_error(mean: float, error: float | None, digits: int) -> str:
    """A mean and its standard error, with a true minus sign; an error that is None is left out."""
    return number(mean, digits) if error is None else f"{number(mean, digits)} ± {number(error, digits)}"


def _row(measure: str, of: str, numbers: Mapping, value: Callable[[Mapping], str], settings: str) -> Row:
    """A line of the table, which says why where there is no number."""
    if "reason" in numbers:
        return Row(measure, of, NOT_MEASURED, numbers["reason"], is_real(of))
    return Row(measure, of, value(numbers), settings, is_real(of))


def _estimate(digits: int, mean: str = "mean") -> Callable[[Mapping], str]:
    return lambda numbers: with_error(numbers[mean], numbers["standard_error"], digits)


def evaluation_rows(evaluation: Mapping) -> list[Row]:
    """All numbers of an evaluation, in the order of the table."""
    rows = _reconstruction(evaluation["reconstruction"]) + _likelihood(evaluation["likelihood"])
    rows += _classification(evaluation["classification"]) if evaluation.get("classification") else []
    return rows + _dimension(evaluation["dimension"])


def _reconstruction(part: Mapping) -> list[Row]:
    measure, settings = "reconstruction error, pixel²", f"{part['images']:,} test images"
    of = {"corrupted_mse": "corrupted input", "clean_mse": "clean input"}
    return [_row(measure, name, part[key], _estimate(4), settings) for key, name in of.items()]


def _likelihood(part: Mapping) -> list[Row]:
    return [_row("log-likelihood, nats", row["name"], row, _estimate(1), _window(part, row)) for row in part["rows"]]


def _window(part: Mapping, row: Mapping) -> str:
    if "reason" in row:
        return ""
    settings = f"{part['samples']:,} samples, bandwidth {row['bandwidth']:.4f}, {part['queries']:,} test images"
    at_the_end = row["bandwidth"] in (row["bandwidths"][0], row["bandwidths"][-1])
    return settings + (" (the bandwidth is at the end of its grid)" if at_the_end else "")


def _classification(part: Mapping) -> list[Row]:
    settings = f"{part['training_images']:,} training images, {part['test_images']:,} test images"
    return [
        _row("test accuracy", row["name"], row, _accuracy, f"{row['dimension']} numbers an image, {settings}")
        for row in part["rows"]
    ]


def _accuracy(row: Mapping) -> str:
    return f"{row['accuracy']:.2%}"


def _dimension(part: Mapping) -> list[Row]:
    return [
        _row("intrinsic dimension", row["name"], row, _estimate(2, "dimension"), neighborhood(part, row))
        for row in part["rows"]
    ]


def neighborhood(part: Mapping, row: Mapping) -> str:
    """What a dimension was measured with: n, k, and how many points were left out."""
    if "reason" in row:
        return ""
    left_out = [
        f"{row[key]:,} {what} left out"
        for key, what in (("duplicates", "duplicates"), ("ties", "tied points"))
        if row.get(key)
    ]
    return ", ".join([f"n = {part['images']:,}", f"k = {row['k'][-1]}", *left_out])


def is_real(name: str) -> bool:
    """Whether a row of an evaluation was measured on real data, by its name."""
    return name.startswith("real")


def setting_pairs(config: Mapping, history: list[dict]) -> list[tuple[str, str]]:
    """(name, value) of a run's settings: the model's and the trainer's, what is None left out, and the time it took."""
    model, trainer = dict(config.get("model") or {}), dict(config.get("trainer") or {})
    given = {name: value for name, value in {**model, **trainer}.items() if value is not None}
    pairs = [(_SETTINGS.get(name, name.replace("_", " ")), _describe(value)) for name, value in given.items()]
    if isinstance(config.get("data"), str):
        pairs.append(("training data", config["data"]))
    if history:
        pairs += [("epochs done", str(history[-1]["epoch"])), ("training steps", f"{history[-1]['step']:,}")]
        pairs.append(("training time", f"{sum(line['seconds'] for line in history):,.1f} s"))
    made_with = config.get("made_with") or {}
    if made_with:
        pairs.append(("made with", ", ".join(f"{name} {value}" for name, value in made_with.items())))
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


def summary(name: str, data: str, history: list[dict], evaluation: Mapping | None, unit: str) -> str:
    """One paragraph made of the numbers; `unit` is that of the reconstruction loss."""
    sentences = [_training_sentence(name, data, history, unit)]
    if evaluation is not None:
        sentences.append(_reconstruction_sentence(evaluation["reconstruction"]))
        sentences.append(_likelihood_sentence(evaluation["likelihood"]))
        if evaluation.get("classification"):
            sentences.append(_classification_sentence(evaluation["classification"]))
        sentences.append(_dimension_sentence(evaluation["dimension"]))
    return " ".join(sentences)


def _training_sentence(name: str, data: str, history: list[dict], unit: str) -> str:
    if not history:
        return f"This {name} is for {data}."
    last = history[-1]
    epochs = f"{last['epoch']:,} epoch{'s' if last['epoch'] != 1 else ''}"
    told = f"its reconstruction loss is {_loss(last['losses'].get('reconstruction'), unit)} in training"
    held_out = last.get("validation", {})
    if "reconstruction" in held_out:
        told += f" and {_loss(held_out['reconstruction'])} in validation"
    return f"This {name} was trained on {data} for {epochs}; {told}."


def _loss(value: float | None, unit: str = "") -> str:
    return f"{value:.4f} {unit}".strip() if value is not None and math.isfinite(value) else "not finite"


def _reconstruction_sentence(part: Mapping) -> str:
    corrupted, clean = part["corrupted_mse"], part["clean_mse"]
    if "reason" in corrupted or "reason" in clean:
        return f"Its reconstruction error was {NOT_MEASURED}."
    errors = f"{corrupted['mean']:.4f} (corrupted) and {clean['mean']:.4f} (clean)"
    return f"Its test images come back with a mean squared error of {errors}."


def _told(numbers: Mapping, key: str, write: Callable[[float], str]) -> str:
    return NOT_MEASURED if "reason" in numbers else write(numbers[key])


def _likelihood_sentence(part: Mapping) -> str:
    listed = ", ".join(
        f"{row['name']} {NOT_MEASURED if 'reason' in row else _estimate(1)(row)}" for row in part["rows"]
    )
    return f"Log-likelihood of the test images under Parzen windows of {part['samples']:,} points, in nats: {listed}."


def _classification_sentence(part: Mapping) -> str:
    listed = ", ".join(f"{row['name']} {_told(row, 'accuracy', '{:.2%}'.format)}" for row in part["rows"])
    return f"Test accuracy: {listed}."


def _dimension_sentence(part: Mapping) -> str:
    listed = ", ".join(f"{row['name']} {_told(row, 'dimension', '{:.2f}'.format)}" for row in part["rows"])
    return f"Intrinsic dimension at k = {part['k']}: {listed}."
