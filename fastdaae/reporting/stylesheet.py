"""The page's styles: light or dark as the reader prefers, tables as cards on a narrow screen, plain on paper."""

from fastdaae.reporting.figures.looks import DARK, LIGHT, Palette

_NARROW_SCREEN = "screen and (max-width: 720px)"
_DARK_SCREEN = "screen and (prefers-color-scheme: dark)"


def _variables(palette: Palette) -> str:
    named = {name: getattr(palette, name) for name in ("ground", "ink", "muted", "lines", "shade")}
    # between pictures a light page shows its ground, and a dark one a line, as most pictures are dark at their edges
    gutter = palette.ground if palette is LIGHT else palette.fill
    return "".join(
        f"--{name}: {color}; "
        for name, color in {**named, "alert": palette.series[1], "link": palette.series[0], "gutter": gutter}.items()
    )


_BASE = """
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 1084px; padding: 44px 24px 64px; background: var(--ground); color: var(--ink);
       font: 17px/1.55 "DejaVu Sans", Verdana, system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 34px; line-height: 1.2; margin: 0 0 14px; }
h2 { font-size: 24px; margin: 56px 0 14px; break-after: avoid; }
h3 { font-size: 20px; line-height: 1.3; margin: 0 0 14px; break-after: avoid; }
p.summary { font-size: 19px; max-width: 46em; margin: 0 0 14px; }
ul.findings { margin: 0; padding-left: 1.2em; }
ul.findings li { margin: 3px 0; }
p.note { border-left: 4px solid var(--alert); padding-left: 12px; }
p.caution, figcaption, footer, ul.findings { color: var(--muted); font-size: 15px; }
p.caution, figcaption { max-width: 58em; }
footer { margin-top: 48px; border-top: 1px solid var(--lines); padding-top: 12px; }
table { border-collapse: collapse; width: 100%; font-size: 15px; }
th, td { text-align: left; vertical-align: top; padding: 7px 14px 7px 0; border-bottom: 1px solid var(--lines); }
thead th { color: var(--muted); font-weight: normal; }
tr.group th { padding-top: 20px; border-bottom: 1.5px solid var(--muted); }
.numbers .value { text-align: right; white-space: nowrap; padding-right: 36px; font-variant-numeric: tabular-nums; }
.shared { color: var(--muted); font-weight: normal; margin-left: 1em; }
.beside td.paper { color: var(--muted); }
a { color: var(--link); }
td.settings, .run th { color: var(--muted); font-weight: normal; }
.numbers td:first-child { padding-left: 10px; }
tr.real td { background: var(--shade); }
.run th { width: 15em; }
figure { margin: 0 0 52px; break-inside: avoid; }
.gallery img { display: block; max-width: 100%; height: auto; }
.chart img { display: none; max-width: 100%; height: auto; margin-bottom: 10px; }
.chart .light-wide { display: block; }
.gallery img { background: var(--gutter); }
.gallery { display: grid; gap: 14px 28px; margin-bottom: 14px; font-size: 15px; line-height: 1.3;
           grid-template-columns: repeat(var(--blocks), minmax(0, var(--width))); }
.gallery.labelled { column-gap: 2px;
                    grid-template-columns: max-content repeat(var(--blocks), minmax(0, var(--width))); }
.gallery.titled { column-gap: 28px; }
.gallery.titled .side { margin-right: -26px; }
.side { display: flex; flex-direction: column; }
.rows { display: grid; grid-auto-rows: 1fr; align-items: center; text-align: right; white-space: pre-line;
        padding-right: 12px; flex: 1; }
.side ~ .side { display: none; }
.head { margin-bottom: 6px; }
.columns { display: grid; grid-template-columns: repeat(var(--columns), 1fr); text-align: center; margin-bottom: 6px;
           color: var(--muted); white-space: pre-line; }
"""

_NARROW = """
body { padding: 24px 16px 48px; font-size: 16px; }
h1 { font-size: 27px; }
h2 { font-size: 22px; margin-top: 40px; }
h3 { font-size: 17px; }
p.summary { font-size: 17px; }
.numbers, .numbers tbody, .run, .run tbody { display: block; }
.numbers thead { display: none; }
.numbers tr { display: grid; grid-template-columns: minmax(8em, 1fr) auto; gap: 2px 12px; padding: 9px 0;
              border-bottom: 1px solid var(--lines); }
.numbers tr.group { padding: 22px 0 6px; border-bottom: 1.5px solid var(--muted); }
.numbers tr.group th, .numbers td { border: 0; padding: 0; }
.numbers td:first-child { padding: 0; }
.numbers td.value { padding: 0; font-weight: bold; white-space: normal; }
.numbers td.settings { grid-column: 1 / -1; font-size: 14px; }
.shared { color: var(--muted); font-weight: normal; margin-left: 1em; }
.beside td.paper { grid-column: 1 / -1; font-weight: normal; text-align: left; }
.beside td.paper:not(:empty)::before { content: "the paper: "; }
.beside td.paper:empty { display: none; }
.numbers tr.real { background: var(--shade); margin: 0 -10px; padding: 9px 10px; }
.run tr { display: grid; grid-template-columns: 9em 1fr; gap: 8px; border-bottom: 1px solid var(--lines);
          padding: 7px 0; }
.run th, .run td { border: 0; padding: 0; width: auto; min-width: 0; font-size: 14px; }
figure { margin-bottom: 44px; }
.gallery { grid-template-columns: minmax(0, var(--width)); font-size: 14px; }
.gallery.labelled { grid-template-columns: max-content minmax(0, var(--width)); }
.side ~ .side { display: flex; }
.rows { font-size: 12px; padding-right: 8px; }
.columns { font-size: 12px; }
"""

# A4 holds 650 CSS pixels between these margins
_PRINT = """
@page { size: A4; margin: 16mm 15mm 18mm; }
body { padding: 0; max-width: none; font-size: 10.5pt; line-height: 1.45; -webkit-print-color-adjust: exact;
       print-color-adjust: exact; }
h1 { font-size: 20pt; }
h2 { font-size: 15pt; margin: 22pt 0 8pt; }
h3 { font-size: 12pt; margin-bottom: 7pt; }
p.summary { font-size: 11.5pt; }
p { orphans: 3; widows: 3; }
p.caution, figcaption, footer, ul.findings, table, .gallery { font-size: 9pt; }
td, th { padding-top: 3pt; padding-bottom: 3pt; }
tr.group th { padding-top: 9pt; }
table { break-inside: avoid; }
figure { margin-bottom: 18pt; }
h2 + p.caution { break-after: avoid; }
.gallery.labelled { font-size: 8pt; }
"""


def _chart_on(media: str, *, shown: str) -> str:
    """Which drawing of a chart a medium has; not by <source media>, which browsers do not choose anew on paper."""
    others = ", ".join(f".chart .{name}" for name in ("light-wide", "light-narrow", "dark-wide") if name != shown)
    return f"@media {media} {{ {others} {{ display: none; }} .chart .{shown} {{ display: block; }} }}\n"


STYLE = "".join(
    [
        f":root {{ color-scheme: light dark; {_variables(LIGHT)}}}\n",
        f"@media {_DARK_SCREEN} {{ :root {{ {_variables(DARK)}}} }}\n",
        _BASE,
        f"@media {_NARROW_SCREEN} {{{_NARROW}}}\n",
        _chart_on(_NARROW_SCREEN, shown="light-narrow"),
        _chart_on(_DARK_SCREEN, shown="dark-wide"),
        _chart_on(f"{_NARROW_SCREEN} and (prefers-color-scheme: dark)", shown="dark-narrow"),
        f"@media print {{ :root {{ color-scheme: light; }}{_PRINT}}}\n",
    ]
)
