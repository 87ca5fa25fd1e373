"""`fastdaae likelihood` and `fastdaae compare`."""

from pathlib import Path

from rich.table import Table
from torch import Tensor

import fastdaae as fd
from fastdaae.cli.console import say, show, working
from fastdaae.cli.work.bandwidths import bandwidth_grid, ends_told
from fastdaae.cli.work.sample_files import read_samples, require_pixels
from fastdaae.data import Dataset
from fastdaae.device import choose_device
from fastdaae.evaluation.telling import number


def likelihood(*, samples, data, array, bandwidth, bandwidths, device, root) -> None:
    """Print the mean log-likelihood of test images under a file of samples, and the choice of its bandwidth."""
    target, how = choose_device(device), _choices(bandwidth, bandwidths)
    points = read_samples(samples, array)
    dataset = _scored(data, root)
    require_pixels(points, samples, dataset, data)
    validation, test = _rows(dataset, target)
    window = fd.ParzenWindow(**how)
    with ends_told():
        with working(f"{len(points):,} samples against {len(test):,} test images"):
            window.fit(points.to(target), validation=validation)
            found = window.mean_log_likelihood(test)
        if bandwidth is None:
            show(_choice(window))
        say((_nats(found), "bold"), f" nats on the test images at bandwidth {window.bandwidth_:.4f}")


def compare(*, a, b, data, array, bandwidth, bandwidths, device, root) -> None:
    """Print the difference of two sample files' mean log-likelihoods, and which is higher."""
    target, how = choose_device(device), _choices(bandwidth, bandwidths)
    names = _arrays(array)
    sets = [read_samples(path, name) for path, name in zip((a, b), names, strict=True)]
    dataset = _scored(data, root)
    for path, points in zip((a, b), sets, strict=True):
        require_pixels(points, path, dataset, data)
    validation, test = _rows(dataset, target)
    first, second = (points.to(target) for points in sets)
    with ends_told():
        with working(f"{len(first):,} and {len(second):,} samples against {len(test):,} test images"):
            found = fd.evaluation.compare(first, second, test, validation=validation, **how)
        for letter, path, name, points in zip("AB", (a, b), names, sets, strict=True):
            say(f"{letter}: {path}{f' ({name})' if name else ''}, {len(points):,} samples")
        say((_nats(found), "bold"), f" nats: log-likelihood under A less that under B, mean over {len(test):,} images")
        say(_verdict(found))


def _choices(bandwidth: float | None, bandwidths: str | None) -> dict:
    """How a Parzen window finds its bandwidth."""
    if bandwidth is not None and bandwidths is not None:
        raise ValueError("--bandwidth fixes one and --bandwidths gives several to choose from; leave one of them out")
    return {"bandwidth": "auto" if bandwidth is None else bandwidth, "bandwidths": bandwidth_grid(bandwidths)}


def _verdict(found) -> str:
    if found.mean == 0:
        return "neither is higher"
    higher, size = ("A" if found.mean > 0 else "B"), abs(found.mean)
    if not size > 2 * found.standard_error:
        return f"{higher} is higher, by less than two standard errors: these test images do not tell them apart"
    return f"{higher} is higher, by {number(size / found.standard_error, 1)} standard errors"


def _arrays(text: str | None) -> list[str | None]:
    parts: list[str | None] = [None, None] if text is None else [*text.split(",")]
    if len(parts) > 2:
        raise ValueError(f"--array must be one name, or one for each file as in x0,x5, got {text!r}")
    return parts * 2 if len(parts) == 1 else parts


def _scored(data: str, root: Path | None) -> Dataset:
    dataset = fd.data.load(data, root=root)
    if dataset.test is None or dataset.validation is None:
        raise ValueError(f"--data must have validation and test images, {data} has not")
    return dataset


def _rows(dataset: Dataset, device) -> tuple[Tensor, Tensor]:
    validation, test = (split.images.flatten(1).to(device) for split in (dataset.validation, dataset.test) if split)
    return validation, test


def _nats(found) -> str:
    return f"{number(found.mean, 2)} ± {number(found.standard_error, 2)}"


def _choice(window) -> Table:
    table = Table()
    for heading in ("bandwidth", "mean log-likelihood of the validation images, nats"):
        table.add_column(heading, justify="right")
    for h, value in zip(window.bandwidths_, window.validation_log_likelihoods_, strict=True):
        table.add_row(f"{h:.4f}", number(value, 2), style="bold green" if h == window.bandwidth_ else None)
    return table
