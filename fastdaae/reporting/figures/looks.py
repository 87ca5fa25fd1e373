"""What a figure is drawn for: a light or a dark ground, a wide or a narrow page; two palettes for colour-blind readers.

Text keeps a contrast of 4.5 to its ground, and what is drawn one of 3, as the Web Content Accessibility Guidelines ask.
"""

from typing import NamedTuple


class Palette(NamedTuple):
    """Colours on one ground: `fill` of areas in charts, `shade` behind text, `series` of lines and `classes` of points.

    Labels have the colour of their series.
    """

    ground: str
    ink: str
    muted: str
    lines: str
    fill: str
    shade: str
    series: tuple[str, ...]
    classes: tuple[str, ...]


# the hues of Okabe and Ito (2008) for series and of Paul Tol's "muted" scheme for classes, as dark or light as it takes
LIGHT = Palette(
    ground="#ffffff",
    ink="#1f2328",
    muted="#57606a",
    lines="#d7dae0",
    fill="#e3e6eb",
    shade="#f2f4f6",
    series=("#0072b2", "#b84e00", "#00785a", "#a3427f", "#7a6000"),
    classes=(
        *("#332288", "#c75b6c", "#117733", "#a97d10", "#3d8fc7"),
        *("#882255", "#26927f", "#7a7a7a", "#aa4499", "#7b7b1e"),
    ),
)
DARK = Palette(
    ground="#12161c",
    ink="#e6e9ee",
    muted="#a3acb9",
    lines="#2e3540",
    fill="#333b47",
    shade="#1c222b",
    series=("#5cb3ee", "#ff9152", "#3fd0a4", "#e79bd0", "#e0b84c"),
    classes=(
        *("#8f88ff", "#ff8a9a", "#4fc46f", "#f0c04a", "#7cc4f5"),
        *("#e0679f", "#5fd6c4", "#b8bec8", "#d98be0", "#cfd06a"),
    ),
)


class Look(NamedTuple):
    """A palette and whether the page is narrow, where panels are stacked."""

    palette: Palette
    narrow: bool = False

    @property
    def title(self) -> float:
        """The size of titles, in points."""
        return 13 if self.narrow else 15

    @property
    def text(self) -> float:
        """The size of labels, in points."""
        return 11 if self.narrow else 12.5

    @property
    def small(self) -> float:
        """The size of the numbers at an axis, in points."""
        return 10 if self.narrow else 11


WIDE = Look(LIGHT)
NARROW = Look(LIGHT, narrow=True)
DARK_WIDE = Look(DARK)
DARK_NARROW = Look(DARK, narrow=True)
