"""What a classifier confuses, and the images it is most wrong about."""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from fastdaae.arrays import to_tensor
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart, pictured
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures.matrices import confusion
from fastdaae.reporting.figures.samples import Block, Gallery, grid_of_rows

_SHOWN, _COLUMNS = 12, 6
_LETTERS = 9


class Told(NamedTuple):
    """The labels of images, what a classifier takes them for, and how sure it is of that; [N] each."""

    labels: Tensor
    answers: Tensor
    shares: Tensor


def draw(subject: Subject) -> Iterator[Drawn]:
    """The confusion matrix of labelled images, and the worst mistakes, of a model that classifies."""
    if hasattr(subject.model, "classify") and subject.split.labels is not None:
        told = _told(subject)
        yield chart("confusion", lambda: matrix(subject, told))
        if (told.answers != told.labels).any():
            yield pictured("most-wrong", lambda: most_wrong(subject, told))


def _told(subject: Subject) -> Told:
    logits = to_tensor(subject.encoded("logits", lambda x, row: subject.model.classify(x)))
    shares, answers = logits.softmax(1).max(1)
    return Told(subject.split.labels[: len(logits)].cpu().long(), answers, shares)


def matrix(subject: Subject, told: Told) -> tuple[str, Redraw]:
    """How many images of each label have which answer."""
    count = int(max(told.labels.max(), told.answers.max())) + 1
    counts = torch.bincount(told.labels * count + told.answers, minlength=count * count).reshape(count, count).numpy()
    names = [_name(subject, label) for label in range(count)]
    right = int(counts.trace())
    caption = (
        f"Of {len(told.labels):,} {subject.kind} images, {right:,} ({right / len(told.labels):.2%}) are told right. "
        "Numbers are per cent of the images of a label; what is off the diagonal is taken for something else."
    )
    title = "Per cent of each label"
    return caption, lambda look: confusion(counts, names, title=title, look=look)


def _name(subject: Subject, label: int) -> str:
    classes = subject.dataset.classes
    return classes[label] if classes is not None and label < len(classes) else str(label)


def most_wrong(subject: Subject, told: Told) -> tuple[str, Gallery]:
    """The wrong answers that the classifier is surest of, each with what it says and what is true."""
    wrong = (told.answers != told.labels).nonzero()[:, 0]
    worst = wrong[told.shares[wrong].argsort(descending=True, stable=True)][:_SHOWN]
    blocks = []
    for chosen in worst.split(_COLUMNS):
        names = tuple(f"{_short(subject, told.answers[i])}\nnot {_short(subject, told.labels[i])}" for i in chosen)
        blocks.append(Block(grid_of_rows([subject.pictures(subject.split.images[chosen])]), columns=names))
    shares = told.shares[worst]
    caption = (
        f"The {len(worst)} wrong answers that the classifier is surest of, with shares from {shares.min():.1%} to "
        f"{shares.max():.1%}, and what is true. Images that a person would get wrong too are no fault of the model."
    )
    return caption + subject.pixels_told, Gallery(
        f"Wrong answers on {subject.kind} images, the surest first", tuple(blocks)
    )


def _short(subject: Subject, label: Tensor) -> str:
    name = _name(subject, int(label))
    return name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
