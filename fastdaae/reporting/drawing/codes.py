"""Codes: their distribution beside the prior's, and their plane by label."""

from collections.abc import Iterator, Mapping

import numpy as np
from torch import Tensor

from fastdaae import ops
from fastdaae.noise import Site
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.codes import code_histograms, code_plane
from fastdaae.reporting.figures.projection import codes_in_a_plane

_DRAWS = 10_000
_PLANE = 2000  # t-SNE of 2000 codes takes seconds


def draw(subject: Subject) -> Iterator[Drawn]:
    """Histograms and a plane of codes, of a model that encodes."""
    if not hasattr(subject.model, "encode"):
        return
    if subject.reconstructs:
        yield chart("code-histograms", lambda: histograms(subject))
    yield chart("code-plane", lambda: plane(subject))


def histograms(subject: Subject) -> tuple[str, Redraw]:
    """The densities of codes and of the prior, and of draws of the posterior where there is one."""
    codes = _sets(subject)
    title = f"Codes of {len(codes['clean']):,} {subject.kind} images" + (
        " beside the prior" if "prior" in codes else ""
    )
    return _matching(subject), lambda look: code_histograms(codes, title, look)


def _sets(subject: Subject) -> Mapping[str, np.ndarray]:
    codes, prior = {"clean": subject.codes}, subject.prior
    if hasattr(subject.model, "posterior"):
        codes["posterior"] = subject.encoded("draws of the posterior", lambda x, row: _draws(subject, x, row))
    elif subject.corrupts:
        codes["corrupted"] = subject.corrupted_codes
    if prior is None:
        return codes
    return {"prior": prior.sample(_DRAWS, subject.noise).cpu().numpy(), **codes}


def _draws(subject: Subject, x: Tensor, row: int) -> Tensor:
    """One draw of q(z | x), or of q(z | x~) where the model is trained on corrupted inputs."""
    posterior = subject.model.posterior(subject.corrupted(x, row) if subject.corrupts else x)
    return posterior.at(ops.normal(*posterior.mean.shape, subject.noise, row_offset=row, site=Site.POSTERIOR)[0])


def _matching(subject: Subject) -> str:
    """What should match the prior in this model: codes, or draws of the posterior; none without a prior."""
    name = subject.name
    if subject.prior is None:
        return f"This {name} has no prior: its codes may have any distribution, and samples need codes to start from."
    if hasattr(subject.model, "posterior"):
        inputs = "corrupted" if subject.corrupts else "clean"
        return (
            f"In this {name}, draws of the posterior, one of each {inputs} image, should have the distribution of the "
            "prior. The codes are the posterior's means and vary less: a peak at 0 are dimensions that the decoder "
            "does without."
        )
    matched = "the codes of corrupted images" if name == "DAAE" else "the codes of clean images"
    return f"In this {name}, {matched} should have the distribution of the prior (Figure 2 of the paper)."


def plane(subject: Subject) -> tuple[str, Redraw]:
    """The first codes in a plane, by their labels where there are some."""
    labels = None if subject.split.labels is None else subject.split.labels[:_PLANE].cpu().numpy()
    projected = codes_in_a_plane(subject.codes[:_PLANE], subject.seed)
    title = f"{projected.title} of {len(projected.points):,} {subject.kind} images"
    meaning = (
        "Labels that form separate groups can be told apart by codes alone"
        if labels is not None
        else "Groups in the plane are kinds of images that the codes keep apart"
    )
    caption = f"{projected.method} {meaning} (Figures 12b and 13b of the paper, Figure 7 of the report).".lstrip()
    told = {"title": title, "axis_names": projected.axis_names, "classes": subject.dataset.classes}
    return caption, lambda look: code_plane(projected.points, labels, **told, look=look)
