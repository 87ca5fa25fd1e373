"""The commands, and how a command line becomes a call."""

import typer

from fastdaae.cli import measures, runs

app = typer.Typer(
    name="fastdaae",
    help="Train, sample and measure denoising adversarial autoencoders.",
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


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code, 0 (also for --help, and for no command, which shows the help).

    Raises what the command raises, and ValueError, with the command whose --help lists what there is, for an unknown
    command or option.
    """
    group = typer.main.get_command(app)
    try:
        with group.make_context("fastdaae", list(arguments) or ["--help"]) as context:
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
