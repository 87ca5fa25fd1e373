"""Commands that measure data sets and sample files, and the one that looks at the machine."""

from pathlib import Path
from typing import Annotated

import numpy as np
from rich.table import Table
from typer import Argument, Option

import fastdaae as fd
from fastdaae.cli.tables import console

Root = Annotated[Path | None, Option(help="Where data sets lie (default: the environment's FASTDAAE_DATA).")]


def _samples(path: Path, name: str | None) -> np.ndarray:
    """The samples [N, D] of an .npy file, or of one array of an .npz file."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist; `fastdaae sample` writes such files")
    try:
        loaded = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path} must be an .npy or .npz file of numbers ({error}); write it again") from None
    if isinstance(loaded, np.ndarray):
        return loaded.reshape(len(loaded), -1)
    name = name or loaded.files[-1]
    if name not in loaded.files:
        raise ValueError(f"--array must be one of {', '.join(loaded.files)} in {path}, got {name!r}")
    return loaded[name].reshape(len(loaded[name]), -1)


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
    with console.status(f"{len(points):,} samples against {len(dataset.test.images):,} test images"):
        window.fit(points, validation=dataset.validation.images.flatten(1))
        mean, error = window.mean_log_likelihood(dataset.test.images.flatten(1))
    if bandwidth is None:
        table = Table("bandwidth", "validation, nats", title="mean log-likelihood over bandwidths")
        for h, value in zip(window.bandwidths_, window.validation_log_likelihoods_, strict=True):
            chosen = "[bold green]" if h == window.bandwidth_ else ""
            table.add_row(f"{chosen}{h:.4f}", f"{chosen}{value:.2f}")
        console.print(table)
    console.print(f"[bold]{mean:.2f} ± {error:.2f}[/] nats on the test images at bandwidth {window.bandwidth_:.4f}")


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
    with console.status(f"{len(images):,} images, {k} neighbours each"):
        fitted = fd.IntrinsicDimension(k=k, estimator=estimator).fit(images.flatten(1))
    table = Table("k", "dimension", title=f"intrinsic dimension of {len(images):,} images of {data}")
    shown = sorted({2, 5, 10, 20, 50, 100, 200, 500, fitted.k_} & set(fitted.ks_.tolist()))
    for wanted in shown:
        found = fitted.dimension_per_k_[wanted - 2]
        table.add_row(str(wanted), f"{found:.2f}" if np.isfinite(found) else "all points tie")
    console.print(table)
    ties = ", ".join(f"{fitted.ties_per_k_[k - 2]:,} at k = {k}" for k in shown if fitted.ties_per_k_[k - 2])
    if ties:
        console.print(f"points whose k nearest neighbours are all at one distance: {ties}")
    console.print(
        f"[bold]{fitted.dimension_:.2f} ± {fitted.standard_error_:.2f}[/] at n = {len(images):,}, k = {fitted.k_}"
    )


def doctor() -> None:
    """What is live on this machine, and why the rest is not."""
    table = Table("backend", "live", "detail", title=f"fastdaae {fd.__version__}")
    for name, (live, detail) in fd.backends().items():
        table.add_row(name, "[green]yes[/]" if live else "[yellow]no[/]", detail)
    console.print(table)
    names = ", ".join(fd.data.names())
    console.print(f"data sets: {names} (FASTDAAE_DATA = {_environment('FASTDAAE_DATA')}, or --root)")
    console.print(f"FASTDAAE_BACKEND = {_environment('FASTDAAE_BACKEND')}")


def _environment(name: str) -> str:
    import os

    return os.environ.get(name) or "not set"
