"""Measures as people read them: every number of a table, a sentence or a figure is written here."""

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from fastdaae.evaluation.measure import Measure

NOT_MEASURED = "not measured"


def number(value: float, digits: int) -> str:
    """A number with thousands separated, `digits` decimals and a true minus sign."""
    return f"{value:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def amount(measure: Measure, value: float | None = None) -> str:
    """A number in a measure's unit and with its decimals: its value, or another of the same kind."""
    value = measure.value if value is None else value
    if value is None:
        return NOT_MEASURED
    return f"{number(100 * value, measure.digits)}%" if measure.unit == "share" else number(value, measure.digits)


def value_of(measure: Measure) -> str:
    """A measure's value, its standard error and its deviation over seeds, where there are; the heading has the unit."""
    told = amount(measure)
    if measure.value is not None and measure.standard_error is not None:
        told += f" ± {amount(measure, measure.standard_error)}"
    if measure.value is not None and measure.seed_deviation is not None:
        seeds = setting("seeds", measure.settings.get("seeds", "seeds"))
        told += f" (± {amount(measure, measure.seed_deviation)} over {seeds})"
    return told


def line(measure: Measure) -> str:
    """A measure on one line: "log-likelihood, nats: x(5) 208.5 ± 1.9 (1,000 samples, bandwidth 0.2154)"."""
    settings = settings_of(measure)
    return f"{heading(measure)}: {measure.of} {value_of(measure)}" + (f" ({settings})" if settings else "")


def heading(measure: Measure) -> str:
    """A measure's name with its unit."""
    return measure.name if measure.unit in (None, "share") else f"{measure.name}, {measure.unit}"


def setting(name: str, value: float | str) -> str:
    """What something was measured with: "1,000 samples", "bandwidth 0.2154", "k = 20"; a text stands for itself."""
    if isinstance(value, str):
        return value
    name = name.replace("_", " ")
    told = f"{value:,}" if isinstance(value, int) else f"{value:.4g}"
    if len(name) == 1:
        return f"{name} = {told}"
    return f"{told} {name}" if isinstance(value, int) else f"{name} {told}"


def settings_of(measure: Measure) -> str:
    """What a measure was taken with, or why it was not; a count of nothing is left out."""
    return measure.reason or _listed(measure.settings.items())


def _listed(settings: Iterable[tuple[str, float | str]]) -> str:
    return ", ".join(setting(name, value) for name, value in settings if value != 0)


class Row(NamedTuple):
    """A line of the table of numbers; `real` marks what is measured on real data."""

    measure: str
    of: str
    value: str
    settings: str
    real: bool = False


def rows(measures: Sequence[Measure]) -> list[Row]:
    """The measures as lines of a table, in their order."""
    return [Row(heading(m), m.of, value_of(m), settings_of(m), m.is_of_real_data) for m in measures]


def sentences(measures: Sequence[Measure]) -> list[str]:
    """A sentence for every kind of measure: all its values, and the settings that they share."""
    groups = [list(group) for _, group in itertools.groupby(measures, key=heading)]
    return [_sentence(group) for group in groups]


def _sentence(group: list[Measure]) -> str:
    taken = [measure for measure in group if measure.value is not None]
    shared = [
        item for item in (taken[0].settings.items() if taken else ()) if all(item in m.settings.items() for m in taken)
    ]
    told = heading(group[0]) + (f" ({_listed(shared)})" if shared else "")
    listed = ", ".join(f"{measure.of} {value_of(measure)}" for measure in group)
    return f"{told[:1].upper()}{told[1:]}: {listed}."
