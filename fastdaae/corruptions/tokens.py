"""Corruptions of sequences of token ids: frozen descriptions; `fastdaae.ops.corrupt_tokens` applies them.

They change the movable tokens of a row: those before its length that are none of the operator's `keep` ids.
"""

from dataclasses import dataclass

from fastdaae.arguments import is_number, whole_in
from fastdaae.corruptions.entries import probability

_LONGEST_MEAN = 100.0


def _take_spans(spans: "SpanMasking | Infilling") -> None:
    mean = spans.mean_length
    if not (is_number(mean) and 1.0 <= mean <= _LONGEST_MEAN):
        raise ValueError(f"mean_length must be a number of tokens in 1..{_LONGEST_MEAN:g}, got {mean!r}")
    object.__setattr__(spans, "share", probability("share", spans.share))
    object.__setattr__(spans, "mean_length", float(mean))
    object.__setattr__(spans, "mask_id", whole_in("mask_id", spans.mask_id, 0))


@dataclass(frozen=True)
class TokenMasking:
    """Each movable token becomes `mask_id` with probability p; token j reads column j of its row's words.

    Raises ValueError for a p outside [0, 1] or a mask_id < 0. Source: Devlin et al. 2019 (BERT), section 3.1; Lewis et
    al. 2020 (BART), section 2.2, token masking.
    """

    p: float
    mask_id: int

    def __post_init__(self):
        object.__setattr__(self, "p", probability("p", self.p))
        object.__setattr__(self, "mask_id", whole_in("mask_id", self.mask_id, 0))


@dataclass(frozen=True)
class TokenDeletion:
    """Each movable token is left out with probability p, and what follows moves up; token j reads column j.

    Raises ValueError for a p outside [0, 1]. Source: Lewis et al. 2020 (BART), section 2.2, token deletion.
    """

    p: float

    def __post_init__(self):
        object.__setattr__(self, "p", probability("p", self.p))


@dataclass(frozen=True)
class TokenPermutation:
    """Spans of movable tokens change places, every order with the same probability; kept tokens stay where they are.

    Either spans of `span` tokens, from the first movable one on, the last as short as it comes (span=1 permutes
    tokens), or sentences, each up to and with a `sentence_end` id and what follows the last of them. Span k reads
    column k of its row's words, and they are put in the order of these. Raises ValueError unless exactly one of the two
    is given, TypeError for what is no whole number. Source: Lewis et al. 2020 (BART), section 2.2, sentence
    permutation.
    """

    span: int | None = None
    sentence_end: int | None = None

    def __post_init__(self):
        if (self.span is None) == (self.sentence_end is None):
            raise ValueError(
                "span or sentence_end must be given, and not both: span=4 moves four tokens at a time, sentence_end=id "
                f"moves sentences, got span={self.span!r}, sentence_end={self.sentence_end!r}"
            )
        if self.span is not None:
            object.__setattr__(self, "span", whole_in("span", self.span, 1))
        else:
            object.__setattr__(self, "sentence_end", whole_in("sentence_end", self.sentence_end, 0))


@dataclass(frozen=True)
class SpanMasking:
    """Spans of movable tokens, together a `share` of them, become `mask_id`, token by token.

    Of n movable tokens share n are masked, rounded up or down so that the mean is that. Lengths are drawn from a
    Poisson distribution with the mean `mean_length` until they make that number; the last one is cut to fit, and the
    nth span is the last. Spans do not overlap, and every arrangement of them among the other tokens has the same
    probability. Column 0 of the row's words rounds, column 4k + 5 makes the length of span k, and columns 4i + 6 and
    4i + 7 say which of the places 2i and 2i + 1, counting spans and other tokens, are spans: those with the smallest
    words. Raises ValueError for a share outside [0, 1], a mean_length outside 1..100 or a mask_id < 0. Source: Joshi et
    al. 2020 (SpanBERT), section 3.1, with the lengths of Lewis et al. 2020 (BART), section 2.2.
    """

    share: float
    mean_length: float
    mask_id: int

    def __post_init__(self):
        _take_spans(self)


@dataclass(frozen=True)
class Infilling:
    """The spans of `SpanMasking`, each replaced by one `mask_id`; a span of length 0 inserts one.

    So the model must also tell how many tokens are missing. A kept token inside a span comes after the span's mask.
    Arguments, noise and errors as `SpanMasking`. Source: Lewis et al. 2020 (BART), section 2.2, text infilling (there
    share=0.3, mean_length=3).
    """

    share: float
    mean_length: float
    mask_id: int

    def __post_init__(self):
        _take_spans(self)


TokenCorruption = TokenMasking | TokenDeletion | TokenPermutation | SpanMasking | Infilling
