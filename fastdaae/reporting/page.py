"""The report as one HTML page that needs nothing else: styles, tables and figures are inside, all text is escaped."""

import base64
import itertools
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import NamedTuple

import fastdaae as fd
from fastdaae.evaluation.measures import LIKELIHOOD
from fastdaae.evaluation.telling import Row
from fastdaae.reporting import captions
from fastdaae.reporting.figures.samples import ACROSS, Block, Gallery
from fastdaae.reporting.stylesheet import STYLE

LIKELIHOOD_CAUTION = (
    "Parzen-window likelihoods deserve caution: a model may score higher than real data, as smooth samples often "
    "do, so compare orders and differences between rows, not the values themselves (Theis et al. 2016)."
)
NOT_EVALUATED = "This run has not been evaluated yet: fastdaae evaluate adds likelihood, classification and dimension."

# the policy makes a browser refuse anything that is not in the page itself
_HEAD = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
"""


class Picture(NamedTuple):
    """A WebP file and the size at which it is shown, in CSS pixels."""

    webp: bytes
    width: int
    height: int


class Chart(NamedTuple):
    """One chart for every page: wide or narrow, on a light or a dark ground."""

    light_wide: Picture
    light_narrow: Picture
    dark_wide: Picture
    dark_narrow: Picture


class Panel(NamedTuple):
    """A figure of the page: its file's name (without ending), what to look for, and a chart or a gallery.

    A gallery has one Picture for each of its blocks. Where there is neither, the caption says why.
    """

    name: str
    caption: str
    chart: Chart | None = None
    gallery: tuple[Gallery, Sequence[Picture]] | None = None


def render(
    title: str,
    summary: Sequence[str],
    numbers: Sequence[Row] | None,
    settings: Sequence[tuple[str, str]],
    panels: Sequence[Panel],
    notes: Sequence[str] = (),
) -> str:
    """The whole page; `numbers` None says that the run was not evaluated, `notes` are told before the numbers.

    The first sentence of the summary is about the run, the others are what was found.
    """
    found = "".join(f"<li>{escape(sentence)}</li>\n" for sentence in summary[1:])
    parts = [f'<ul class="findings">\n{found}</ul>\n' if found else ""]
    if numbers is None:
        parts.append(f'<p class="caution">{escape(NOT_EVALUATED)}</p>\n')
    else:
        parts += [
            "<h2>Numbers</h2>\n",
            *(f'<p class="note">{escape(note)}</p>\n' for note in notes),
            numbers_table(numbers),
        ]
        if any(LIKELIHOOD in row.measure for row in numbers):
            parts.append(f'<p class="caution">{escape(LIKELIHOOD_CAUTION)}</p>\n')
    parts += [f'<h2>Figures</h2>\n<p class="caution">{escape(captions.PAPER)}</p>\n', *figures(panels)]
    if settings:
        parts += ["<h2>Settings</h2>\n", settings_table(settings)]
    return document(title, summary[0], parts)


def document(title: str, summary: str, parts: Iterable[str]) -> str:
    """A page of these parts, which are HTML, under its title and a sentence on what it is of."""
    made = f"Made with fastdaae {fd.__version__}. The figures are also in figures/, as PNG, SVG and PDF."
    return "".join(
        [
            _HEAD.format(title=escape(title), style=STYLE),
            f"<h1>{escape(title)}</h1>\n",
            f'<p class="summary">{escape(summary)}</p>\n',
            *parts,
            f"<footer>{escape(made)}</footer>\n</body>\n</html>\n",
        ]
    )


def numbers_table(rows: Sequence[Row]) -> str:
    """The table of an evaluation's numbers."""
    head = '<tr><th>of</th><th class="value">value</th><th>measured with</th></tr>'
    groups = itertools.groupby(rows, key=lambda row: row.measure)
    bodies = "".join(
        f'<tbody>\n<tr class="group"><th colspan="3" scope="rowgroup">{escape(measure)}</th></tr>\n'
        f"{''.join(map(_number_row, group))}</tbody>\n"
        for measure, group in groups
    )
    return f'<table class="numbers">\n<thead>{head}</thead>\n{bodies}</table>\n'


def _number_row(row: Row) -> str:
    of, value, settings = escape(row.of), escape(row.value), escape(row.settings)
    cells = f'<td>{of}</td><td class="value">{value}</td><td class="settings">{settings}</td>'
    return f'<tr class="{"real" if row.real else "model"}">{cells}</tr>\n'


def settings_table(pairs: Sequence[tuple[str, str]]) -> str:
    """A table of names and their values."""
    rows = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(value)}</td></tr>\n' for name, value in pairs)
    return f'<table class="run">\n<tbody>\n{rows}</tbody>\n</table>\n'


def figures(panels: Sequence[Panel]) -> Iterator[str]:
    """Each panel with its number and caption, or the reason why it is not drawn."""
    places = itertools.count(1)
    for panel in panels:
        if panel.chart is None and panel.gallery is None:
            yield f'<p class="note">The figure {escape(panel.name)} is not drawn: {escape(panel.caption)}</p>\n'
            continue
        place = next(places)
        alt = escape(f"Figure {place}: {panel.name.replace('-', ' ')}")
        shown = _gallery(*panel.gallery, alt) if panel.gallery else _chart(panel.chart, alt)
        caption = f"<figcaption><b>Figure {place}.</b> {escape(panel.caption)}</figcaption>"
        yield f"<figure>\n{shown}{caption}\n</figure>\n"


def _chart(chart: Chart, alt: str) -> str:
    shown = "".join(_image(picture, alt, name.replace("_", "-")) for name, picture in chart._asdict().items())
    return f'<div class="chart">\n{shown}</div>\n'


def _gallery(gallery: Gallery, pictures: Sequence[Picture], alt: str) -> str:
    blocks = "".join(_block(*pair, alt) for pair in zip(gallery.blocks, pictures, strict=True))
    first = gallery.blocks[0]
    kind = "gallery" + (" labelled" if first.rows else "") + (" titled" if first.rows and first.title else "")
    style = f"--blocks: {min(ACROSS, len(pictures))}; --width: {max(picture.width for picture in pictures)}px"
    return f'<h3>{escape(gallery.title)}</h3>\n<div class="{kind}" style="{style}">\n{blocks}</div>\n'


def _block(block: Block, picture: Picture, alt: str) -> str:
    rows = "".join(f"<span>{escape(name)}</span>" for name in block.rows)
    beside = '<div class="head" aria-hidden="true">&nbsp;</div>' if block.title else ""
    columns = "".join(f"<span>{escape(name)}</span>" for name in block.columns)
    return "".join(
        [
            f'<div class="side">{beside}<div class="rows">{rows}</div></div>\n' if rows else "",
            "<div>",
            f'<div class="head">{escape(block.title)}</div>' if block.title else "",
            f'<div class="columns" style="--columns: {len(block.columns)}">{columns}</div>' if columns else "",
            f"{_image(picture, alt, 'pictures')}</div>\n",
        ]
    )


def _image(picture: Picture, alt: str, kind: str) -> str:
    address = f"data:image/webp;base64,{base64.b64encode(picture.webp).decode('ascii')}"
    return f'<img class="{kind}" src="{address}" width="{picture.width}" height="{picture.height}" alt="{alt}">\n'
