"""A figure as the bytes of a file, the same for the same figure: pixels for the page, PNG, SVG and PDF for a paper."""

import io

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

# text stays text: SVG names its font, PDF embeds it as TrueType; the salt makes the names of SVG's parts repeatable
_VECTORS = {"svg.fonttype": "none", "svg.hashsalt": "fastdaae", "pdf.fonttype": 42}
_NO_DATES = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "ModDate": None}}


def picture_of(figure: Figure) -> Image.Image:
    """The figure's pixels; its layout is kept for later files."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    figure.set_layout_engine("none")
    return Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")


def png_bytes(picture: Image.Image) -> bytes:
    """A picture as a PNG file."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG")
    return buffer.getvalue()


def webp_bytes(picture: Image.Image) -> bytes:
    """A picture as a WebP file without loss, a third of its PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, format="WEBP", lossless=True, quality=50, method=3)
    return buffer.getvalue()


def vector_bytes(figure: Figure, kind: str) -> bytes:
    """The figure as an "svg" or "pdf" file, without dates."""
    buffer = io.BytesIO()
    with matplotlib.rc_context(_VECTORS):
        figure.savefig(buffer, format=kind, metadata=_NO_DATES[kind])
    return buffer.getvalue()
