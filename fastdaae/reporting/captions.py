"""A caption under each figure: what it shows, what to look for, and the figure of the paper beside which it stands."""

import math
from collections.abc import Mapping, Sequence

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import amount
from fastdaae.reporting.figures.measures import Window, window_of
from fastdaae.reporting.figures.projection import Plane

PAPER = "The paper is Creswell and Bharath, “Denoising Adversarial Autoencoders” (2018)."

CHAIN = (
    "Each row is a chain. A good one moves between plausible images instead of settling on one or on a mean "
    "(Figures 12 and 13 of the paper show the ends of such chains)."
)


def losses(history: Sequence[Mapping], has_validation: bool, is_adversarial: bool) -> str:
    """What to look for in the losses that are there, and where they end in numbers that are none."""
    told = []
    if has_validation:
        told.append("Validation should follow training down.")
    if is_adversarial:
        told.append(
            "The discriminator should stay near its dashed equilibrium, where it cannot tell codes from draws of the "
            "prior."
        )
    bad = [line["epoch"] for line in history if not all(map(_is_finite, line["losses"].values()))]
    if bad:
        told.append(f"The losses of epoch {bad[0]} are not finite: the training has diverged.")
    return " ".join(told) or "The loss should fall and settle."


def _is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def reconstructions(corrupted: bool) -> str:
    """What reconstructions should be, of corrupted images or of clean ones."""
    kept = "lose the noise and keep what makes each image its own" if corrupted else "be like the images above them"
    return f"Reconstructions should {kept} (beside Figure 7 of the paper); pixels are clipped to [0, 1] to be shown."


def samples(count: int, steps: int) -> str:
    """What samples before and after a chain should look like."""
    return (
        f"The first {count} samples, none chosen, before the chain and after {steps} steps of it from the same codes. "
        "They should be varied and look like the data, and the chain should make them clearer without losing whole "
        "kinds of images (Figures 4 and 12 of the paper)."
    )


def code_histograms(model: str, has_prior: bool) -> str:
    """What should match the prior in this model: clean codes, but for a DAAE the corrupted ones; none without one."""
    if not has_prior:
        return f"This {model} has no prior: its codes may have any distribution, and samples need codes to start from."
    matched = "the codes of corrupted images" if model == "DAAE" else "the codes of clean images"
    return f"In this {model}, {matched} should have the distribution of the prior (Figure 2 of the paper)."


def code_plane(plane: Plane, labelled: bool) -> str:
    """How the plane was made, and what it shows with labels or without."""
    meaning = (
        "Labels that form separate groups can be told apart by codes alone"
        if labelled
        else "Groups in the plane are kinds of images that the codes keep apart"
    )
    return f"{plane.method} {meaning} (Figures 12b and 13b of the paper).".lstrip()


def likelihood(measures: Sequence[Measure]) -> str:
    """Where each curve's chosen bandwidth lies in its grid, and what is drawn around the curves."""
    windows = {measure.of: window_of(measure) for measure in measures}
    told = ["The large marker is the bandwidth that the validation images choose."]
    at_end = {of: window for of, window in windows.items() if window.end}
    if not at_end and all(len(window.bandwidths) > 2 for window in windows.values()):
        told.append("All lie inside their grid.")
    told += [_at_end(of, window) for of, window in at_end.items()]
    if any(window.standard_error is not None for window in windows.values()):
        told.append("Bars are standard errors over the validation images.")
    told += _bands(measures)
    return " ".join([*told, "Compare the order of the values and their differences (Table V of the paper)."])


def _at_end(of: str, window: Window) -> str:
    chosen = f"{window.bandwidths[window.chosen]:.4g}"
    told = f"For {of} it is the {window.end} of its grid, {chosen}, and a better one, of higher likelihood, may lie"
    return f"{told} beyond: evaluate over a wider grid."


def _bands(measures: Sequence[Measure]) -> list[str]:
    seeds = [measure.settings.get("seeds", "several") for measure in measures if "seed_deviation" in measure.curve]
    return [f"Bands are standard deviations over {seeds[0]} draws of the samples."] if seeds else []


def dimension(measures: Sequence[Measure]) -> str:
    """How the samples' dimension compares with the real images', by the estimator of Levina and Bickel."""
    source = "Estimates by maximum likelihood (Levina and Bickel)."
    real = next((measure for measure in measures if measure.is_of_real_data), None)
    sampled = [measure for measure in measures if measure is not real]
    bands = _bands([measure for measure in measures if measure.curve])
    if real is None or not sampled:
        return " ".join([*bands, source])
    fewer = [f"{measure.of} ({amount(measure)})" for measure in sampled if measure.value < real.value]
    more = [f"{measure.of} ({amount(measure)})" for measure in sampled if measure.value >= real.value]
    told = [f"The real images have dimension {amount(real)}."]
    told += [f"Lower, and so less varied: {', '.join(fewer)}."] if fewer else []
    told += [f"Not lower, as noise also makes images: {', '.join(more)}."] if more else []
    return " ".join([*told, *bands, source])
