"""`build`: draws a model's figures, writes them as PNG, and puts them with the numbers on one page."""

from collections.abc import Mapping
from pathlib import Path

from fastdaae import run_folder
from fastdaae.report import page, staleness, style, tables
from fastdaae.report.drawing import Drawn, draw


def build(
    model,
    dataset,
    history: list[dict],
    evaluation: Mapping | None,
    out_dir: str | Path,
    *,
    seed: int = 0,
    config: Mapping | None = None,
    checkpoint: Mapping | None = None,
) -> Path:
    """Write a trained model's report: out_dir/report.html, self-contained, and its figures in out_dir/figures/*.png.

    `dataset` is a Dataset; the test split is shown, or validation or training where there is none. `history` is what
    `Trainer.fit` returned and `evaluation` what `evaluation.evaluate` did; without it the page has neither table nor
    curves of the measures. `config` is the run's config.json; by default the model's own. `checkpoint` is the run's
    state now (as `run_folder.checkpoint_state`; by default that of the last line of the history): the page says so
    where the evaluation is of another. A figure or measure that a model gives no numbers for says why in its place.
    Equal seeds give equal pages. Returns the page's path. Raises TypeError for data without a train split, ValueError
    for an evaluation without its parts.
    """
    if not hasattr(getattr(dataset, "train", None), "images"):
        raise TypeError(
            f"dataset must be a Dataset with a train split, got {type(dataset).__name__}; see fastdaae.data.load"
        )
    if evaluation is not None:
        _require_parts(evaluation)
    shown = next(part for part in ("test", "validation", "train") if getattr(dataset, part) is not None)
    name, data = type(model).__name__, dataset.name
    unit = "pixel²" if getattr(model, "loss", "bce") == "mse" else "nats per pixel"
    folder = Path(out_dir) / "figures"
    figures = draw(model, getattr(dataset, shown), shown, history, evaluation, unit=unit, seed=seed)
    panels = [_write(drawn, folder) for drawn in figures]
    checkpoint = checkpoint or (history[-1] if history else None)
    stale = None if evaluation is None else staleness.outdated(evaluation, checkpoint)
    text = page.render(
        f"{name} on {data}",
        tables.summary(name, data, history, evaluation, unit),
        None if evaluation is None else tables.evaluation_rows(evaluation),
        tables.setting_pairs({"model": getattr(model, "config", {})} if config is None else config, history),
        panels,
        [] if stale is None else [stale],
    )
    path = Path(out_dir) / "report.html"
    run_folder.write_text(path, text)
    return path


def _require_parts(evaluation) -> None:
    parts = ("reconstruction", "likelihood", "dimension")
    missing = [name for name in parts if not (isinstance(evaluation, Mapping) and evaluation.get(name))]
    if missing:
        raise ValueError(
            f"evaluation must have {', '.join(parts)} as fastdaae.evaluation.evaluate gives them, got no "
            f"{', '.join(missing)}; evaluate again"
        )


def _write(drawn: Drawn, folder: Path) -> page.Panel:
    path = folder / f"{drawn.name}.png"
    if drawn.figure is None:
        path.unlink(missing_ok=True)  # an earlier report's
        return page.Panel(drawn.name, None, drawn.caption, 0)
    png = style.png_bytes(drawn.figure)
    run_folder.replace_atomically(path, lambda temporary: temporary.write_bytes(png))
    return page.Panel(drawn.name, png, drawn.caption, round(drawn.figure.get_figwidth() * style.PAGE_DPI))
