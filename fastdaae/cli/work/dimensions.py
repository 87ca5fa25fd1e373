"""`fastdaae dimension`."""

import math

from rich.table import Table

import fastdaae as fd
from fastdaae.cli.console import say, show, working
from fastdaae.device import choose_device
from fastdaae.evaluation.telling import number

_SHOWN = (2, 5, 10, 20, 50, 100, 200, 500)


def dimension(*, data, n, k, estimator, device, root) -> None:
    """Print the intrinsic dimension of a data set's training images over k."""
    target = choose_device(device)
    if n < 0:
        raise ValueError(f"--n must be >= 0, got {n}; 0 takes all images")
    images = fd.data.load(data, root=root).train.images
    images = images[:n] if n else images
    with working(f"{len(images):,} images, {k} neighbours each"):
        fitted = fd.IntrinsicDimension(k=k, estimator=estimator).fit(images.flatten(1).to(target))
    say(f"intrinsic dimension of {len(images):,} images of {data}")
    shown = sorted({*_SHOWN, fitted.k_} & set(fitted.ks_.tolist()))
    show(_over_k(fitted, shown))
    ties = ", ".join(f"{fitted.ties_per_k_[k - 2]:,} at k = {k}" for k in shown if fitted.ties_per_k_[k - 2])
    if ties:
        say(f"points whose k nearest neighbours are all at one distance: {ties}")
    told = f"{number(fitted.dimension_, 2)} ± {number(fitted.standard_error_, 2)}"
    say((told, "bold"), f" at n = {len(images):,}, k = {fitted.k_}")


def _over_k(fitted, shown: list[int]) -> Table:
    table = Table("k", "dimension")
    for k in shown:
        found = float(fitted.dimension_per_k_[k - 2])
        table.add_row(str(k), number(found, 2) if math.isfinite(found) else "all points tie")
    return table
