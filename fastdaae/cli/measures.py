"""Commands that measure data sets and sample files, and the one that looks at the machine, as they are typed."""

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from fastdaae.cli.done_by import done_by
from fastdaae.cli.options import Bandwidth, Bandwidths, Device, Root

Scored = Annotated[str, Option(help="The data set whose test images are scored.")]
Samples = Annotated[
    Path, Argument(help="Samples: an .npy file, an .npz file as `fastdaae sample` writes, or a run's folder.")
]


@done_by("likelihoods")
def likelihood(
    samples: Samples,
    data: Scored = "digits",
    array: Annotated[str | None, Option(help="The array of an .npz file (default: its last).")] = None,
    bandwidth: Bandwidth = None,
    bandwidths: Bandwidths = None,
    device: Device = "auto",
    root: Root = None,
) -> None:
    """The Parzen-window log-likelihood of a data set's test images under a file of samples, in nats."""


@done_by("likelihoods")
def compare(
    a: Samples,
    b: Samples,
    data: Scored = "digits",
    array: Annotated[
        str | None, Option(help="The array of .npz files (default: their last), or one for each, as in x0,x5.")
    ] = None,
    bandwidth: Bandwidth = None,
    bandwidths: Bandwidths = None,
    device: Device = "auto",
    root: Root = None,
) -> None:
    """Which of two sets of samples explains a data set's test images better, by how many nats, and how sure that is."""


@done_by("dimensions")
def dimension(
    data: Annotated[str, Argument(help="A data set's name, an .npy or .npz file, or a folder of images.")],
    n: Annotated[int, Option(help="Use the first n training images (0: all).")] = 10_000,
    k: Annotated[int, Option(help="Neighbours.")] = 100,
    estimator: Annotated[str, Option(help="mle, mackay or twonn.")] = "mle",
    device: Device = "auto",
    root: Root = None,
) -> None:
    """The intrinsic dimension of a data set's training images, for every k from one neighbour pass."""


@done_by("machine")
def doctor() -> None:
    """What is live on this machine, and why the rest is not."""
