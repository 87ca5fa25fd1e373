"""`fastdaae doctor` and `fastdaae --version`."""

import os
import platform

import torch
from rich.table import Table
from rich.text import Text

import fastdaae as fd
from fastdaae.cli.console import say, show


def doctor() -> None:
    """Print what is live on this machine, and why the rest is not."""
    table = Table("backend", "live", "detail", title=f"fastdaae {fd.__version__}")
    for name, (live, detail) in fd.backends().items():
        table.add_row(name, Text("yes", "green") if live else Text("no", "yellow"), detail)
    show(table)
    names = ", ".join(fd.data.names())
    say(f"data sets: {names} (FASTDAAE_DATA = {_environment('FASTDAAE_DATA')}, or --root)")
    say(f"FASTDAAE_BACKEND = {_environment('FASTDAAE_BACKEND')}")


def version() -> None:
    """Print the versions that a bug report needs, on one line."""
    live = ", ".join(name for name, status in fd.backends().items() if status.live)
    say(f"fastdaae {fd.__version__} (torch {torch.__version__}, Python {platform.python_version()}; backends: {live})")


def _environment(name: str) -> str:
    return os.environ.get(name) or "not set"
