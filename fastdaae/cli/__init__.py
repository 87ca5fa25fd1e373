"""The command line, `fastdaae --help`: commands are typed here, and done in `work`."""

from fastdaae.cli.entry import main

__all__ = ["main"]
