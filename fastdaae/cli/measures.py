"""Commands that measure data sets and sample files, and the one that looks at the machine."""

import math
from pathlib import Path
from typing import Annotated

from rich.table import Table
from rich.text import Text
from torch import Tensor
from typer import Argument, Option

import fastdaae as fd
from fastdaae.cli.console import say, show, working
from fastdaae.data.arrays import array_names, read_arrays
from fastdaae.data.dataset import as_samples

Root = Annotated[Path | None, Option(help="Where data sets lie (default: the environment's FASTDAAE_DATA).")]


def _samples(path: Path, name: str | None) -> Tensor:
    """The samples [N, D] of an .npy file, or of one array of an .npz file."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; `fastdaae sample` writes such files")
    names = array_names(path)
    if not names:
        raise ValueError(f"{path} must hold an array of samples, got an empty archive; write it again")
    name = name or names[-1]
    if name not in names:
        raise ValueError(f"--array must be one of {', '.join(names)} in {path}, got {name!r}")
    return as_samples(read_arrays(path, [name])[name], f"{name} in {path}")


def likelihood(
    samples: Annotated[Path, Argument(help="Samples: an .npy file, or an .npz file as `fastdaae sample` writes.")],
    data: Annotated[str, Option(help="The data set whose test images are scored.")] = "digits",
    array: Annotated[str | None, Option(help="The array of an .npz file (default: its last).")] = None,
    bandwidth: Annotated[
        float | None, Option(help="A fixed bandwidth (default: chosen on the validation images).")
    ] = None,
    root: Root = None,
) -> None:
    """The Parzen-window log-likelihood of a data set's test images under a file of samples, in nats."""
    points = _samples(samples, array)
    dataset = fd.data.load(data, root=root)
    if dataset.test is None or dataset.validation is None:
        raise ValueError(f"--data must have validation and test images, {data} has not")
    window = fd.ParzenWindow(bandwidth="auto" if bandwidth is None else bandwidth)
    pixels = dataset.test.images[0].numel()
    if points.shape[1] != pixels:
        raise ValueError(f"{samples} must hold samples of {pixels} pixels as {data} does, got {points.shape[1]}")
    with working(f"{len(points):,} samples against {len(dataset.test.images):,} test images"):
        window.fit(points, validation=dataset.validation.images.flatten(1))
        mean, error = window.mean_log_likelihood(dataset.test.images.flatten(1))
    if bandwidth is None:
        table = Table("bandwidth", "validation, nats", title="mean log-likelihood over bandwidths")
        for h, value in zip(window.bandwidths_, window.validation_log_likelihoods_, strict=True):
            table.add_row(f"{h:.4f}", f"{value:.2f}", style="bold green" if h == window.bandwidth_ else None)
        show(table)
    say((f"{mean:.2f} ± {error:.2f}", "bold"), f" nats on the test images at bandwidth {window.bandwidth_:.4f}")


def dimension(
    data: Annotated[str, Argument(help="A data set's name, an .npy or .npz file, or a folder of images.")],
    n: Annotated[int, Option(help="Use the first n training images (0: all).")] = 10_000,
    k: Annotated[int, Option(help="Neighbours.")] = 100,
    estimator: Annotated[str, Option(help="mle, mackay or twonn.")] = "mle",
    root: Root = None,
) -> None:
    """The intrinsic dimension of a data set's training images, for every k from one neighbour pass."""
    if n < 0:
        raise ValueError(f"--n must be >= 0, got {n}; 0 takes all images")
    images = fd.data.load(data, root=root).train.images
    images = images[:n] if n else images
    with working(f"{len(images):,} images, {k} neighbours each"):
        fitted = fd.IntrinsicDimension(k=k, estimator=estimator).fit(images.flatten(1))
    say(f"intrinsic dimension of {len(images):,} images of {data}")
    table = Table("k", "dimension")
    shown = sorted({2, 5, 10, 20, 50, 100, 200, 500, fitted.k_} & set(fitted.ks_.tolist()))
    for wanted in shown:
        found = float(fitted.dimension_per_k_[wanted - 2])
        table.add_row(str(wanted), f"{found:.2f}" if math.isfinite(found) else "all points tie")
    show(table)
    ties = ", ".join(f"{fitted.ties_per_k_[k - 2]:,} at k = {k}" for k in shown if fitted.ties_per_k_[k - 2])
    if ties:
        say(f"points whose k nearest neighbours are all at one distance: {ties}")
    say(
        (f"{fitted.dimension_:.2f} ± {fitted.standard_error_:.2f}", "bold"),
        f" at n = {len(images):,}, k = {fitted.k_}",
    )


def doctor() -> None:
    """What is live on this machine, and why the rest is not."""
    table = Table("backend", "live", "detail", title=f"fastdaae {fd.__version__}")
    for name, (live, detail) in fd.backends().items():
        table.add_row(name, Text("yes", "green") if live else Text("no", "yellow"), detail)
    show(table)
    names = ", ".join(fd.data.names())
    say(f"data sets: {names} (FASTDAAE_DATA = {_environment('FASTDAAE_DATA')}, or --root)")
    say(f"FASTDAAE_BACKEND = {_environment('FASTDAAE_BACKEND')}")


def _environment(name: str) -> str:
    import os

    return os.environ.get(name) or "not set"
