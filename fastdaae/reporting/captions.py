"""Captions of the figures of measures, and what "the paper" and "the report" are in all captions."""

from collections.abc import Sequence

from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import amount
from fastdaae.reporting.figures.measures import Window, window_of

PAPER = (
    "The paper is Creswell and Bharath, “Denoising Adversarial Autoencoders” (2018); the report is Jow, “Experiments "
    "with Stacked Denoising Autoencoders”."
)


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
