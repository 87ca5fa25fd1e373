"""The figures of an evaluation: of each kind of measure that has curves to show."""

from collections.abc import Iterator, Sequence

from fastdaae.evaluation import Measure
from fastdaae.evaluation.measures import DIMENSION, LIKELIHOOD
from fastdaae.reporting import captions
from fastdaae.reporting.drawing.drawn import Drawn, Redraw, chart
from fastdaae.reporting.drawing.subject import Subject
from fastdaae.reporting.figures import measures as curves

_CURVES = {
    LIKELIHOOD: ("likelihood", captions.likelihood, curves.likelihood_curves),
    DIMENSION: ("dimension", captions.dimension, curves.dimension_curves),
}


def draw(subject: Subject) -> Iterator[Drawn]:
    """The figures of the measures; of a model without a prior there are no samples to compare with the real data."""
    measures = subject.measures
    if subject.prior is None:
        sampled = {one.name for one in measures if one.value is not None and not one.is_of_real_data}
        measures = [one for one in measures if one.name in sampled]
    yield from draw_measures(measures)


def draw_measures(measures: Sequence[Measure]) -> Iterator[Drawn]:
    """A figure for each kind of measure that has curves to show."""
    for kind, (name, caption, figure) in _CURVES.items():
        found = [measure for measure in measures if measure.name == kind]
        if found:
            yield chart(name, lambda found=found, caption=caption, figure=figure: _drawn(found, caption, figure))


def _drawn(measures: list[Measure], caption, figure) -> tuple[str, Redraw]:
    taken = [measure for measure in measures if measure.value is not None]
    if not taken:
        raise ValueError(measures[0].reason)
    return caption(taken), lambda look: figure(taken, look)
