"""An evaluation as a table of numbers, beside those of the real data."""

from rich.table import Table

from fastdaae.report.tables import NOT_MEASURED, neighborhood


def _pair(estimate: dict, digits: int, mean: str = "mean") -> str:
    if "reason" in estimate:
        return NOT_MEASURED
    error = estimate["standard_error"]
    return f"{estimate[mean]:.{digits}f}" + ("" if error is None else f" ± {error:.{digits}f}")


def evaluation_table(evaluation: dict) -> Table:
    """All numbers of an evaluation in one table."""
    table = Table(title=f"{evaluation['model']} on {evaluation['data']}", title_style="bold", header_style="bold")
    for heading, justify in (("measure", "left"), ("of", "left"), ("value", "right"), ("with", "left")):
        table.add_column(heading, justify=justify)
    _reconstruction_rows(table, evaluation["reconstruction"])
    _likelihood_rows(table, evaluation["likelihood"])
    _classification_rows(table, evaluation.get("classification"))
    _dimension_rows(table, evaluation["dimension"])
    return table


def _reconstruction_rows(table: Table, part: dict) -> None:
    images = f"{part['images']:,} test images"
    corrupted, clean = part["corrupted_mse"], part["clean_mse"]
    table.add_row("reconstruction MSE", "corrupted input", _pair(corrupted, 4), corrupted.get("reason", images))
    table.add_row("", "clean input", _pair(clean, 4), clean.get("reason", images), end_section=True)


def _likelihood_rows(table: Table, part: dict) -> None:
    for place, row in enumerate(part["rows"]):
        label = "log-likelihood, nats" if place == 0 else ""
        settings = row.get("reason") or f"{part['samples']:,} samples, bandwidth {row['bandwidth']:.4f}"
        table.add_row(label, row["name"], _pair(row, 1), settings, end_section=row is part["rows"][-1])


def _classification_rows(table: Table, part: dict | None) -> None:
    for place, row in enumerate(part["rows"] if part else ()):
        label = "test accuracy" if place == 0 else ""
        settings = row.get("reason") or f"{row['dimension']} numbers, {part['training_images']:,} training images"
        accuracy = NOT_MEASURED if "reason" in row else f"{row['accuracy']:.2%}"
        table.add_row(label, row["name"], accuracy, settings, end_section=row is part["rows"][-1])


def _dimension_rows(table: Table, part: dict) -> None:
    for place, row in enumerate(part["rows"]):
        label = "intrinsic dimension" if place == 0 else ""
        table.add_row(label, row["name"], _pair(row, 2, "dimension"), row.get("reason") or neighborhood(part, row))
