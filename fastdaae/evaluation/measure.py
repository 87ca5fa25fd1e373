"""`Measure`: one number that was measured, what of, and with what; as JSON and back."""

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fastdaae.schema import Check, anything, list_of, mapping, mapping_of, number, optional, record, refuse, text, whole
from fastdaae.settings import canonical

REAL = "real training images"


@dataclass(frozen=True)
class Measure:
    """A number that was measured: `name` "log-likelihood", `of` "x(5)", `value` -1.5 in `unit` "nats".

    `standard_error` is in the same unit. So is `seed_deviation`, the standard deviation over several sample draws:
    `value` and `standard_error` then are means over them, and settings["seeds"] is their number. `settings` says what
    it was measured with, {"samples": 1000, "bandwidth": 0.2}: numbers and texts. `curve` holds lists of one length by
    name, {"bandwidths": [...], "validation": [...]}: the first is the abscissa. A measure that could not be taken has
    the value None, and says why as `reason`. `digits` are the decimals that a person is told. The unit "share" is that
    of numbers in [0, 1], told in per cent. What is not finite beside the value is None, as JSON has it. Raises
    ValueError for a value that is not finite, for none without a reason and for lists of different lengths.
    """

    name: str
    of: str
    value: float | None = None
    standard_error: float | None = None
    unit: str | None = None
    digits: int = 2
    settings: Mapping[str, float | str] = field(default_factory=dict)
    curve: Mapping[str, Sequence[float | None]] | None = field(default=None, repr=False)
    reason: str | None = None
    seed_deviation: float | None = None

    def __post_init__(self):
        if self.value is None and not self.reason:
            raise ValueError("reason must say why there is no value, got none")
        curve = self.curve and {name: list(map(_finite, values)) for name, values in self.curve.items()}
        errors = {name: _finite(getattr(self, name)) for name in ("standard_error", "seed_deviation")}
        for name, part in {"value": self.value, **errors, "settings": self.settings, "curve": curve}.items():
            object.__setattr__(self, name, canonical(name, part))
        first, *others = (self.curve or {"": []}).items()
        for name, values in others:
            if len(values) != len(first[1]):
                refuse(values, f"curve.{name}", f"a list of {len(first[1])} like {first[0]}")

    def __str__(self) -> str:
        from fastdaae.evaluation import telling  # which is made of Measures

        return telling.line(self)

    @property
    def is_of_real_data(self) -> bool:
        """Whether it was measured on the data themselves, for the model's numbers to be compared with."""
        return self.of == REAL


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def to_json(measures: Sequence[Measure]) -> list[dict]:
    """The measures as JSON has them: an object each, in which all that is None or empty but the value is left out."""
    return [
        {name: part for name, part in dataclasses.asdict(measure).items() if name == "value" or part not in (None, {})}
        for measure in measures
    ]


def _setting(value, key: str) -> None:
    if not isinstance(value, str):
        number()(value, key)


_NUMBER = optional(number())
_MEASURE: Check = record(
    {"name": text, "of": text, "value": _NUMBER},
    {
        "standard_error": _NUMBER,
        "unit": optional(text),
        "digits": whole(0, 20),
        "settings": mapping_of(_setting),
        "curve": optional(mapping_of(list_of(_NUMBER))),
        "reason": optional(text),
        "seed_deviation": _NUMBER,
    },
    closed=True,
)


def from_json(value, key: str = "measures") -> list[Measure]:
    """The measures that `to_json` wrote; raises ValueError, with the key, for anything else."""
    list_of(anything)(value, key)
    return [_measure(item, f"{key}[{place}]") for place, item in enumerate(value)]


def _measure(value, key: str) -> Measure:
    mapping(value, key)
    _MEASURE(value, key)
    try:
        return Measure(**value)
    except ValueError as error:
        raise ValueError(f"{key}.{error}") from None
