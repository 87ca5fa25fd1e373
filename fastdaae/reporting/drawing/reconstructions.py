"""Images, corrupted as in training, and what the model and as many principal components make of them."""

from collections.abc import Iterator

import numpy as np
from torch import Tensor

from fastdaae.evaluation.attempt import require_finite
from fastdaae.reference import as_float
from fastdaae.reporting.drawing.drawn import Drawn, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.samples import Gallery, image_rows

_FITTED, _NUMBERS = 5000, 20_000_000  # training images of the principal components, and pixels in all
_MOST = 256  # principal components, beyond which they leave nothing out that is seen

# of a corruption's numbers, what each is called in a picture
SYMBOLS = {"sigma": "σ", "drop": "drop", "p": "p", "count": "patches", "size": "size"}


def draw(subject: Subject) -> Iterator[Drawn]:
    """The reconstructions, of a model that makes some."""
    if subject.reconstructs:
        yield pictured("reconstructions", lambda: reconstructions(subject))


def reconstructions(subject: Subject) -> tuple[str, Gallery]:
    """The first images above what the model makes of them, and what as many principal components do."""
    x, model = subject.few, subject.model
    rebuilt = model.reconstruct(x, subject.noise)
    require_finite("reconstructions", rebuilt)
    rows = [("clean", subject.pictures(x))]
    if subject.corrupts:
        strength = strength_of(getattr(model, "corruption", None))
        rows.append((f"corrupted\n{strength}".strip(), subject.pictures(subject.corrupted(x))))
    rows.append(("reconstructed", subject.pictures(rebuilt)))
    numbers = model.encode(x[:1]).numel()
    projected = _projected(subject, numbers)
    if projected is not None:
        rows.append((f"PCA of\n{numbers:,} numbers", subject.pictures(projected)))
    title = f"The first {len(x)} {subject.kind} images and their reconstructions"
    return _caption(subject, projected is not None), image_rows(rows, title)


def _caption(subject: Subject, has_components: bool) -> str:
    kept = "lose the noise and keep what makes each image its own" if subject.corrupts else "be like the images above"
    told = f"Reconstructions should {kept} (beside Figure 7 of the paper)."
    if has_components:
        told += (
            " The last row is what as many principal components of the training images as a code has numbers make of "
            "the clean images: a nonlinear code should keep more."
        )
    return told + (subject.pixels_told or " Pixels are clipped to [0, 1] to be shown.")


def strength_of(corruption) -> str:
    """A corruption's strength in a picture: "σ = 0.5"."""
    return ", ".join(
        f"{text} = {_told(getattr(corruption, name))}" for name, text in SYMBOLS.items() if hasattr(corruption, name)
    )


def _told(value: float | tuple[int, int]) -> str:
    return " x ".join(map(str, value)) if isinstance(value, tuple) else f"{value:g}"


def _projected(subject: Subject, numbers: int) -> Tensor | None:
    """The first images from principal components of training images; None where there are not as many, or too many."""
    pixels = subject.few[0].numel()
    images = subject.dataset.train.images[: max(1, min(_FITTED, _NUMBERS // pixels))]
    if numbers >= min(len(images), pixels, _MOST):
        return None
    from sklearn.decomposition import PCA

    rows = as_float(images).flatten(1).cpu().numpy()
    with np.errstate(all="ignore"):  # equal images vary by nothing
        components = PCA(numbers, random_state=0).fit(rows)
        shown = as_float(subject.few).flatten(1).cpu().numpy()
        rebuilt = components.inverse_transform(components.transform(shown))
    return subject.few.new_tensor(rebuilt, dtype=as_float(subject.few).dtype)
