"""Figures as files beside a page, and as the panels that the page shows."""

from pathlib import Path

from PIL import Image

from fastdaae import run_folder
from fastdaae.reporting.drawing.drawn import Drawn
from fastdaae.reporting.figures import files
from fastdaae.reporting.figures.looks import DARK_NARROW, DARK_WIDE, NARROW
from fastdaae.reporting.figures.style import DPI, PAGE_DPI
from fastdaae.reporting.page import Chart, Panel, Picture


def write_panel(drawn: Drawn, folder: Path) -> Panel:
    """Write a figure as PNG, SVG and PDF into `folder`, and give its panel; one that is not drawn removes old files."""
    paths = {kind: folder / f"{drawn.name}.{kind}" for kind in ("png", "svg", "pdf")}
    if drawn.figure is None:
        for path in paths.values():
            path.unlink(missing_ok=True)  # an earlier report's
        return Panel(drawn.name, drawn.caption)
    picture = files.picture_of(drawn.figure)
    written = {"png": files.png_bytes(picture)}
    written |= {kind: files.vector_bytes(drawn.figure, kind) for kind in ("svg", "pdf")}
    for kind, content in written.items():
        run_folder.replace_atomically(paths[kind], lambda temporary, content=content: temporary.write_bytes(content))
    if drawn.gallery is not None:
        blocks = [_shown(Image.fromarray(block.pictures)) for block in drawn.gallery.blocks]
        return Panel(drawn.name, drawn.caption, gallery=(drawn.gallery, blocks))
    others = [files.picture_of(drawn.redraw(look)) for look in (NARROW, DARK_WIDE, DARK_NARROW)]
    return Panel(drawn.name, drawn.caption, chart=Chart(*map(_shown, [picture, *others])))


def _shown(picture: Image.Image) -> Picture:
    width, height = (round(pixels * PAGE_DPI / DPI) for pixels in picture.size)
    return Picture(files.webp_bytes(picture), width, height)
