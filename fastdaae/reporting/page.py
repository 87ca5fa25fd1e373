"""The report as one HTML page that needs nothing else: styles, tables and figures are inside, all text is escaped."""

import base64
import itertools
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from fastdaae.evaluation.telling import Row
from fastdaae.reporting import captions

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
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ margin: 0 auto; max-width: 1080px; padding: 40px 24px 80px; background: #fff; color: #1f2328;
       font: 17px/1.55 "DejaVu Sans", Verdana, system-ui, sans-serif; }}
h1 {{ font-size: 32px; line-height: 1.2; margin: 0 0 12px; }}
h2 {{ font-size: 22px; margin: 48px 0 12px; }}
p.summary {{ font-size: 18px; max-width: 62em; }}
p.note {{ border-left: 4px solid #d55e00; padding-left: 12px; }}
p.caution, figcaption {{ color: #57606a; font-size: 15px; }}
table {{ border-collapse: collapse; width: 100%; font-size: 15px; }}
th {{ text-align: left; border-bottom: 2px solid #1f2328; padding: 8px 12px 8px 0; }}
td {{ border-bottom: 1px solid #e5e7eb; padding: 7px 12px 7px 0; vertical-align: top; }}
td.value, th.value {{ text-align: right; white-space: nowrap; padding-right: 28px; }}
tbody tr:first-child > td.measure {{ font-weight: 600; white-space: nowrap; }}
tbody + tbody tr:first-child td {{ border-top: 1.5px solid #9ca3af; }}
tr.real td:not(.measure) {{ background: #f3f4f6; }}
td.of {{ white-space: nowrap; }}
td.settings {{ color: #57606a; }}
figure {{ margin: 44px 0; break-inside: avoid; }}
figure img {{ display: block; max-width: 100%; height: auto; margin: 0 auto 10px; }}
@media (max-width: 700px) {{ td.settings, th.settings {{ display: none; }} }}
</style>
</head>
<body>
"""


class Panel(NamedTuple):
    """A figure of the page: its file's name (without ending) and bytes, what to look for, its width in CSS pixels.

    Where it could not be drawn, there are no bytes, and the caption says why.
    """

    name: str
    png: bytes | None
    caption: str
    width: int


def render(
    title: str,
    summary: str,
    numbers: Sequence[Row] | None,
    settings: Sequence[tuple[str, str]],
    panels: Sequence[Panel],
    notes: Sequence[str] = (),
) -> str:
    """The whole page; `numbers` None says that the run was not evaluated, `notes` are told before the numbers."""
    parts = [
        _HEAD.format(title=escape(title)),
        f"<h1>{escape(title)}</h1>\n",
        f'<p class="summary">{escape(summary)}</p>\n',
    ]
    if numbers is None:
        parts.append(f'<p class="caution">{escape(NOT_EVALUATED)}</p>\n')
    else:
        parts += [
            "<h2>Numbers</h2>\n",
            *(f'<p class="note">{escape(note)}</p>\n' for note in notes),
            _numbers_table(numbers),
            f'<p class="caution">{escape(LIKELIHOOD_CAUTION)}</p>\n',
        ]
    parts += [
        f'<h2>Figures</h2>\n<p class="caution">{escape(captions.PAPER)}</p>\n',
        *_figures(panels),
    ]
    if settings:
        parts += ["<h2>Settings</h2>\n", _settings_table(settings)]
    return "".join([*parts, "</body>\n</html>\n"])


def _numbers_table(rows: Sequence[Row]) -> str:
    head = '<tr><th>measure</th><th>of</th><th class="value">value</th><th class="settings">measured with</th></tr>'
    groups = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row.measure)]
    bodies = "".join(
        f"<tbody>\n{''.join(_number_row(group, i) for i in range(len(group)))}</tbody>\n" for group in groups
    )
    return f'<table class="numbers">\n<thead>{head}</thead>\n{bodies}</table>\n'


def _number_row(group: Sequence[Row], place: int) -> str:
    row = group[place]
    measure = f'<td class="measure" rowspan="{len(group)}">{escape(row.measure)}</td>' if place == 0 else ""
    of, value, settings = escape(row.of), escape(row.value), escape(row.settings)
    kind = "real" if row.real else "model"
    cells = f'<td class="of">{of}</td><td class="value">{value}</td><td class="settings">{settings}</td>'
    return f'<tr class="{kind}">{measure}{cells}</tr>\n'


def _settings_table(pairs: Sequence[tuple[str, str]]) -> str:
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>\n" for name, value in pairs)
    return f'<table class="run">\n<tbody>\n{rows}</tbody>\n</table>\n'


def _figures(panels: Sequence[Panel]) -> Iterator[str]:
    places = itertools.count(1)
    for panel in panels:
        if panel.png is None:
            yield f'<p class="note">The figure {escape(panel.name)} is not drawn: {escape(panel.caption)}</p>\n'
        else:
            yield _figure(next(places), panel)


def _figure(place: int, panel: Panel) -> str:
    data = base64.b64encode(panel.png).decode("ascii")
    image = f'<img src="data:image/png;base64,{data}" width="{panel.width}" alt="{escape(panel.caption)}">'
    return f"<figure>\n{image}\n<figcaption><b>Figure {place}.</b> {escape(panel.caption)}</figcaption>\n</figure>\n"
