"""`build`: draws a model's figures, writes them as PNG, SVG and PDF, and puts them with the numbers on one page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fastdaae import run_folder
from fastdaae.evaluation import Measure
from fastdaae.evaluation.telling import rows
from fastdaae.reporting import drawing, page, staleness, tables
from fastdaae.reporting.panels import write_panel


def build(
    model,
    dataset,
    history: list[dict],
    measures: Sequence[Measure] | None,
    out_dir: str | Path,
    *,
    seed: int = 0,
    config: Mapping | None = None,
    checkpoint: Mapping | None = None,
    measured_at: Mapping | None = None,
) -> Path:
    """Write a trained model's report: out_dir/report.html, self-contained, and out_dir/figures/*.png, .svg and .pdf.

    `dataset` is a Dataset; the test split is shown, or validation or training where there is none. `history` is what
    `Trainer.fit` returned and `measures` what `evaluation.evaluate` did; without them the page has neither table nor
    curves of the measures. `config` is the run's config.json; by default the model's own. `checkpoint` is the run's
    state now (as `run_folder.checkpoint_state`; by default that of the last line of the history), and `measured_at` the
    one that was measured: the page says so where they differ. A figure or measure that a model gives no numbers for
    says why in its place. Equal seeds give equal pages. Returns the page's path. Raises TypeError for data without a
    train split and for measures that are none.
    """
    if not hasattr(getattr(dataset, "train", None), "images"):
        raise TypeError(
            f"dataset must be a Dataset with a train split, got {type(dataset).__name__}; see fastdaae.data.load"
        )
    _require_measures(measures)
    shown = next(part for part in ("test", "validation", "train") if getattr(dataset, part) is not None)
    name, data = type(model).__name__, dataset.name
    unit = getattr(model, "loss_unit", "nats per pixel")
    folder = Path(out_dir) / "figures"
    figures = drawing.draw(model, dataset, shown, history, measures, unit=unit, seed=seed)
    panels = [write_panel(drawn, folder) for drawn in figures]
    checkpoint = checkpoint or (history[-1] if history else None)
    stale = staleness.outdated(measured_at, checkpoint)
    text = page.render(
        f"{name} on {data}",
        tables.summary(name, data, history, measures, unit),
        None if measures is None else rows(measures),
        tables.setting_pairs({"model": getattr(model, "config", {})} if config is None else config, history),
        panels,
        [] if stale is None else [stale],
    )
    path = Path(out_dir) / "report.html"
    run_folder.write_text(path, text)
    return path


def _require_measures(measures) -> None:
    if measures is None:
        return
    strange = (
        [one for one in measures if not isinstance(one, Measure)] if isinstance(measures, Sequence) else [measures]
    )
    if strange or not measures:
        got = type(strange[0]).__name__ if strange else "none"
        raise TypeError(f"measures must be a list of Measures as fastdaae.evaluation.evaluate gives, got {got}")
