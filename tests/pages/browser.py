"""Headless Chromium looking at a page: what is wrong with it at a width, light or dark, or on paper."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests import tools

_ARGUMENTS = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
--disable-component-update --disable-sync"""
_SEEN = (Path(__file__).parent / "seen.js").read_text()


class Seen(NamedTuple):
    """What a reader meets: the faults by kind, the page's ground as (red, green, blue), and the classes of charts."""

    faults: dict[str, list[str]]
    ground: tuple[int, ...]
    charts: list[str]


@contextmanager
def chromium() -> Iterator:
    """A browser of Playwright's; skips the test where there is none."""
    path = tools.chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_ARGUMENTS.split())
        yield browser
        browser.close()


def look_at(browser, page: Path, width: int, scheme: str, media: str = "screen") -> Seen:
    """Open a page in a window of that many CSS pixels, for a reader who prefers the scheme, and look at all of it."""
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    errors: list[str] = []
    tab = context.new_page()
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.goto(page.as_uri())
    tab.emulate_media(media=media, color_scheme=scheme)
    tab.wait_for_function("[...document.images].every(image => image.complete)")
    found = tab.evaluate(_SEEN)
    context.close()
    faults = {kind: told for kind, told in {**found["faults"], "errors": errors}.items() if told}
    return Seen(faults, tuple(found["ground"]), found["charts"])
