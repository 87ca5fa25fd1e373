"""The space of codes as pictures: decoded grids over two of its dimensions, and paths between images."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from fastdaae.arrays import to_tensor
from fastdaae.evaluation.attempt import require_finite
from fastdaae.noise import Site
from fastdaae.priors import Normal
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.samples import Gallery, sample_grids, strip

_SIDE, _LINE, _STEPS = 11, 20, 6
_DRAWS = 10_000
_LOW, _HIGH = 0.05, 0.95
_PAIRS = 6


def draw(subject: Subject) -> Iterator[Drawn]:
    """A grid over the codes where a prior or few dimensions say which codes to decode, and paths between images."""
    if not subject.reconstructs:
        return
    if subject.prior is not None or _size(subject) in (1, 2):
        yield pictured("latent-grid", lambda: grid(subject))
    yield pictured("interpolation", lambda: interpolation(subject))


def _size(subject: Subject) -> int:
    return subject.model.encode(subject.few[:1]).numel()


def grid(subject: Subject) -> tuple[str, Gallery]:
    """Decoded codes over the quantiles of the prior, or of the images' codes where there is no prior."""
    codes, told, caption = _codes(subject)
    pixels = subject.model.decode(codes.to(subject.noise.device))
    require_finite("decoded codes", pixels)
    columns = _SIDE if len(codes) > _LINE else _LINE // 2
    return caption + subject.pixels_told, sample_grids([("", subject.pictures(pixels))], told, columns=columns)


def _codes(subject: Subject) -> tuple[Tensor, str, str]:
    """(the codes [N, Z], a title, a caption)."""
    prior = subject.prior
    if prior is None:
        reference, source = to_tensor(subject.codes), f"the {subject.kind} images' codes"
    else:
        reference, source = prior.sample(_DRAWS, subject.noise).float().cpu(), "the prior"
    size = reference.shape[1]
    if size == 1:
        codes = _quantiles(reference[:, 0], _LINE)[:, None]
        caption = f"Codes at {_LINE} quantiles of {source}, from {_LOW:.0%} to {_HIGH:.0%}, in rows."
        return codes, "Images along the code", f"{caption} {_LOOK_FOR}"
    down, across = (_quantiles(reference[:, place], _SIDE) for place in (1, 0))
    # code 2 rises from the bottom to the top, as in a plot
    plane = torch.cartesian_prod(down.flip(0), across).flip(1)
    caption = (
        f"Code 1 rises to the right and code 2 upwards, over {_SIDE} quantiles of {source} each, from {_LOW:.0%} to "
        f"{_HIGH:.0%}."
    )
    if size == 2:
        return plane, "Images over the two codes", f"{caption} {_LOOK_FOR}"
    rest = prior.sample(1, subject.noise, site=Site.INITIAL).float().cpu()[:, 2:].expand(len(plane), -1)
    fixed = f"The other {size - 2} codes stay at one draw of the prior (Figure 6 of the report)."
    codes = torch.cat([plane, rest], dim=1)
    return codes, "Images over the first two codes, the others fixed", f"{caption} {fixed} {_LOOK_FOR}"


_LOOK_FOR = (
    "Neighbours should change smoothly from one kind of image to another, with no ground that looks like none; where "
    "nothing changes, the decoder does without the code."
)


def _quantiles(values: Tensor, count: int) -> Tensor:
    levels = torch.linspace(_LOW, _HIGH, count, dtype=torch.float64, device=values.device)
    return torch.quantile(values.double(), levels).float()


def interpolation(subject: Subject) -> tuple[str, Gallery]:
    """Decoded codes on the way from one image's code to another's, the images themselves at both ends."""
    x = subject.split.images[: 2 * _PAIRS].to(subject.noise.device)
    pairs = len(x) // 2
    if pairs == 0:
        raise ValueError("a path between images needs two of them")
    z, spherical = subject.model.encode(x), isinstance(subject.prior, Normal)
    between = _spherical if spherical else torch.lerp
    weights = np.linspace(0, 1, _STEPS)
    paths = [subject.model.decode(between(z[:pairs], z[pairs : 2 * pairs], float(weight))) for weight in weights]
    require_finite("decoded codes", torch.cat(paths))
    columns = [x[:pairs], *paths, x[pairs : 2 * pairs]]
    pictures = np.stack([subject.pictures(column) for column in columns])
    names = ("a", *(f"{weight:.1g}" for weight in weights), "b")
    how = "spherical, as draws of the normal prior lie near a sphere" if spherical else "linear"
    caption = (
        f"Each row leads from image a to image b, two of the first {subject.kind} images, by codes between theirs "
        f"({how}): the numbers are the share of the way. Each step should look like the data; two images blended over "
        "each other are a sign of codes between which the decoder knows nothing."
    )
    return caption + subject.pixels_told, strip(pictures, names, "Between the codes of two images")


def _spherical(start: Tensor, end: Tensor, weight: float) -> Tensor:
    """Points on the arcs between rows [N, Z], by the angle between them; straight where that is none."""
    lengths = start.norm(dim=1, keepdim=True) * end.norm(dim=1, keepdim=True)
    angle = torch.acos(((start * end).sum(1, keepdim=True) / lengths.clamp_min(1e-12)).clamp(-1, 1))
    sine = torch.sin(angle)
    arc = (torch.sin((1 - weight) * angle) * start + torch.sin(weight * angle) * end) / sine.clamp_min(1e-6)
    return torch.where(sine < 1e-3, torch.lerp(start, end, weight), arc)
