"""The commands, and how a command line becomes a call."""

import os
import shlex
from typing import Annotated

import typer

from fastdaae.cli import experiments, measures, runs
from fastdaae.cli.done_by import done_by

_COMPLETION = "_FASTDAAE_COMPLETE"  # where a shell asks for what may stand next

app = typer.Typer(name="fastdaae", pretty_exceptions_enable=False)
for command in (
    runs.demo,
    runs.train,
    runs.sample,
    runs.evaluate,
    runs.report,
    measures.likelihood,
    measures.compare,
    measures.dimension,
    experiments.reproduce,
    measures.doctor,
):
    app.command()(command)


@done_by("machine")
def version() -> None:
    """Print the versions of fastdaae and of what it stands on, and the backends that are live."""


def _tell_version(asked: bool) -> None:
    if asked:
        version()
        raise typer.Exit


@app.callback()
def _every_command(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the versions and exit.")
    ] = False,
) -> None:
    """Train, sample and measure denoising adversarial autoencoders."""


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code, 0 (also for --help, and for no command, which shows the help).

    Raises what the command raises, and ValueError, with the command whose --help lists what there is, for an unknown
    command or option. Where a shell asks what may stand next, that is answered, and SystemExit raised.
    """
    group = typer.main.get_command(app)
    if os.environ.get(_COMPLETION):
        group.main([], prog_name="fastdaae")
    typed = shlex.join(["fastdaae", *arguments])
    try:
        with group.make_context("fastdaae", list(arguments) or ["--help"], obj=typed) as context:
            group.invoke(context)
    except typer.Exit as done:
        return done.exit_code
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        raise ValueError(_usage(error)) from error
    return 0


def _usage(error) -> str:
    """What typer says about a wrong command line, and where to look."""
    where = error.ctx.command_path if getattr(error, "ctx", None) else "fastdaae"
    return f"{error.format_message().rstrip('.')}; `{where} --help` lists what there is"
