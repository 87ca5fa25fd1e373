"""`--config run.toml`: a file of a command's own options, which stand where the command line says nothing else."""

import difflib
import tomllib
from pathlib import Path

from typer import Context

ENDING = ".toml"


def take_options(context: Context, config: str | None) -> str | None:
    """The callback of `--config`: a file's options become the command's defaults; another text is left to the command.

    Raises ValueError for a file that is no TOML, for an option that the command has not, with the nearest, and for
    values that no option takes; OSError for a file that cannot be read.
    """
    if config is not None and config.endswith(ENDING):
        known = [str(parameter.name) for parameter in context.command.params if parameter.name != "config"]
        context.default_map = {**(context.default_map or {}), **read_options(Path(config), known)}
    return config


def read_options(path: Path, known: list[str]) -> dict[str, str | int | float]:
    """The options of a file, by the names of their parameters; lists as "1000,1000"."""
    with open(path, "rb") as file:
        try:
            found = tomllib.load(file)
        except ValueError as error:  # of UTF-8 too
            raise ValueError(f"{path} is no TOML ({error}); an option is a line such as lr = 1e-3") from None
    return {_name(key, known, path): _value(key, value, path) for key, value in found.items()}


def _name(key: str, known: list[str], path: Path) -> str:
    name = key.replace("-", "_")
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {close[0].replace('_', '-')!r}?" if close else "; --help lists the options"
        raise ValueError(f"{path} has {key!r}, which is no option of this command{hint}")
    return name


def _value(key: str, value, path: Path) -> str | int | float:
    if isinstance(value, list) and value and all(isinstance(part, int | float | str) for part in value):
        return ",".join(map(str, value))
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{path} must have a number, a text or a list of them as {key!r}, got {value!r}")
    return value
