"""The losses of a run over its epochs."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures import training
from fastdaae.reporting.figures.training import Panel

# names of losses by the panel that they share; what is in none has the last one
_TOGETHER = {
    "Reconstruction loss": ("reconstruction",),
    "Classification loss": ("classification",),
    "KL divergence": ("kl",),
    "Adversarial losses": ("discriminator", "encoder"),
    "Loss of the noise": ("noise",),
    "Other losses": (),
}
_HELD_OUT = {"accuracy": ("Accuracy", "share of images"), "sigma": ("Mean σ of the noise", "σ")}
_UNITS = {"KL divergence": "nats per image"}
_TOLD = {
    "Adversarial losses": "The discriminator should stay near its dashed equilibrium, where it cannot tell codes from "
    "draws of the prior.",
    "KL divergence": "The KL divergence is what the codes tell beyond the prior: near 0 the decoder goes without them "
    "(posterior collapse).",
    "Loss of the noise": "The loss of the noise is the reconstruction loss less the weight of its noise times σ.",
    "Accuracy": "Accuracy should rise and stay; a validation loss that rises while training falls is overfitting.",
}


def draw(subject: Subject) -> Iterator[Drawn]:
    """The losses, where there is a history."""
    if subject.history:
        yield chart("losses", lambda: losses(subject.model, subject.history, subject.unit))


def losses(model, history: Sequence[Mapping], unit: str) -> tuple[str, Redraw]:
    """The caption of a history's losses, and what draws them; `unit` is that of the reconstruction loss."""
    epochs, panels = [line["epoch"] for line in history], panels_of(model, history, unit)
    starts = [after["epoch"] for before, after in pairwise(history) if before.get("block") != after.get("block")]
    return _caption(history, panels, starts), lambda look: training.losses(epochs, panels, look, starts)


def panels_of(model, history: Sequence[Mapping], unit: str) -> list[Panel]:
    """A panel for each family of losses, with the validation's where a name is in both, then what it alone has."""
    panels, left = [], list(history[-1]["losses"])
    for title, names in _TOGETHER.items():
        shown = [name for name in left if name in names or not names]
        left = [name for name in left if name not in shown]
        if not shown:
            continue
        curves = [(name, _values(history, "losses", name)) for name in shown]
        if len(names) == 1:
            held_out = _values(history, "validation", shown[0])
            curves = [("train", curves[0][1])]
            curves += [] if all(map(math.isnan, held_out)) else [("validation", held_out)]
        told = unit if title in ("Reconstruction loss", "Loss of the noise") else _UNITS.get(title, "nats")
        level = _equilibrium(model) if "discriminator" in shown else None
        panels.append(Panel(title, "" if title == "Other losses" else told, curves, level))
    for name, (title, told) in _HELD_OUT.items():
        held_out = _values(history, "validation", name)
        if not all(map(math.isnan, held_out)):
            panels.append(Panel(title, told, [("validation", held_out)]))
    return panels


def _equilibrium(model) -> tuple[float, str]:
    # the released form halves the discriminator's loss
    halved = getattr(model, "form", "paper") == "released"
    return (math.log(2), "ln 2 = 0.693") if halved else (2 * math.log(2), "2 ln 2 = 1.386")


def _values(history: Sequence[Mapping], kind: str, name: str) -> list[float]:
    return [_number(line.get(kind, {}).get(name)) for line in history]


def _number(value: float | None) -> float:
    """A loss of a metrics file, where None stands for one that was not finite."""
    return math.nan if value is None or math.isinf(value) else value


def _caption(history: Sequence[Mapping], panels: Sequence[Panel], starts: Sequence[int]) -> str:
    """What to look for in the losses that are there, and where they end in numbers that are none."""
    told = []
    if any(name == "validation" for name, _ in panels[0].curves):
        told.append("Validation should follow training down.")
    if starts:
        told.append(
            "The blocks are trained one after the other, each on the codes of the one below, so that their losses are "
            f"not on one scale; a vertical line stands before the first epoch of the next (epoch {_listed(starts)})."
        )
    told += [_TOLD[panel.title] for panel in panels if panel.title in _TOLD]
    bad = [line["epoch"] for line in history if not all(map(_is_finite, line["losses"].values()))]
    if bad:
        told.append(f"The losses of epoch {bad[0]} are not finite: the training has diverged.")
    return " ".join(told) or "The loss should fall and settle."


def _listed(numbers: Sequence[int]) -> str:
    return " and ".join(filter(None, [", ".join(map(str, numbers[:-1])), str(numbers[-1])]))


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)
