"""A command is declared where it is typed, and done in `fastdaae.cli.work`, which is imported when it is needed."""

import functools
import importlib
import inspect
from collections.abc import Callable

from fastdaae.cli.interrupts import leaving_at_once


def done_by(module: str) -> Callable[[Callable], Callable]:
    """Makes a declaration a command that calls the function of its name in a module of `fastdaae.cli.work`.

    The function takes the declared parameters as keywords, with the declared defaults; `command.work` names its module.
    """
    work = f"fastdaae.cli.work.{module}"

    def decorate(declared: Callable) -> Callable:
        signature = inspect.signature(declared)

        @functools.wraps(declared)
        def command(*arguments, **options):
            given = signature.bind(*arguments, **options)
            given.apply_defaults()
            with leaving_at_once():
                loaded = importlib.import_module(work)
            return getattr(loaded, declared.__name__)(**given.arguments)

        command.work = work  # type: ignore[attr-defined]
        return command

    return decorate
