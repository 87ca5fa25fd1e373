"""The command line: `fastdaae demo | train | sample | evaluate | likelihood | dimension | report | doctor`."""

from fastdaae.cli.entry import main

__all__ = ["main"]
