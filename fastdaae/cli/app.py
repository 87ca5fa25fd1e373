"""The command line's entry point: the commands, and errors as one line."""

import os
import sys

import typer

from fastdaae import run_folder
from fastdaae.cli import measures, runs
from fastdaae.cli.tables import console

app = typer.Typer(
    name="fastdaae",
    help="Train, sample and measure denoising adversarial autoencoders.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (
    runs.demo,
    runs.train,
    runs.sample,
    runs.evaluate,
    runs.report,
    measures.likelihood,
    measures.dimension,
    measures.doctor,
):
    app.command()(command)


def main() -> None:
    """Run the command line; what a user can mend is told in one line (FASTDAAE_DEBUG=1 shows the traceback)."""
    try:
        app()
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        if os.environ.get("FASTDAAE_DEBUG"):
            raise
        console.print(f"[bold red]error:[/] {_one_line(error)}", soft_wrap=True, highlight=False, markup=True)
        sys.exit(2 if isinstance(error, run_folder.RunFolderBusy) else 1)
    except KeyboardInterrupt:
        console.print("stopped; the same command resumes from the last checkpoint")
        sys.exit(130)


def _one_line(error: Exception) -> str:
    from rich.markup import escape

    return escape(" ".join(str(error).split()) or type(error).__name__)
