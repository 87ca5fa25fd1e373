"""`--networks file.py:make`: a user's own networks, made by a function of a file that the user names."""

import hashlib
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from torch import nn

from fastdaae.reading import open_regular
from fastdaae.schema import shortened

NETWORKS = ("encoder", "decoder", "discriminator")
_HANDED = ("image_shape", "code")
_LONGEST = 300  # letters of a user's error


class OwnNetworks(NamedTuple):
    """A function that makes networks, the file [absolute path] it stands in, and that file's SHA-256."""

    file: Path
    function: str
    sha256: str
    make: Callable

    def __str__(self) -> str:
        return f"{self.file}:{self.function}"

    def build(self, image_shape: tuple[int, ...] | None, code: int | None) -> tuple[dict[str, nn.Module], str | None]:
        """(networks by name, "decoder_output" or None) as the function returns them.

        It is called with those of image_shape and code that it takes and that are known. Raises ValueError, in one line
        with the file and the line, for what it raises itself, and for what is no dictionary of modules.
        """
        known = {"image_shape": image_shape and tuple(image_shape), "code": code}
        handed = self._handed({name: value for name, value in known.items() if value is not None})
        given = ", ".join(f"{name}={value}" for name, value in handed.items())
        with self.told(f"{self.function}({given}) failed"):
            made = self.make(**handed)
        expected = f"--networks {self} must return a dictionary of torch.nn.Modules named {', '.join(NETWORKS)}"
        if not isinstance(made, Mapping):
            raise ValueError(f"{expected}, got {shortened(made)}")
        made = dict(made)
        output = made.pop("decoder_output", None)
        unknown = [name for name in made if name not in NETWORKS]
        if unknown:
            raise ValueError(f"{expected} (and perhaps decoder_output), got one named {shortened(unknown[0])}")
        for name, network in made.items():
            if not isinstance(network, nn.Module):
                raise ValueError(f"{expected}, got {shortened(network)} as {name}")
        return made, output

    def _handed(self, offered: dict) -> dict:
        try:
            parameters = inspect.signature(self.make).parameters.values()
        except (TypeError, ValueError):  # made in C, and tells nothing of itself
            return offered
        if any(one.kind is one.VAR_KEYWORD for one in parameters):
            return offered
        demanded = [
            one.name
            for one in parameters
            if one.default is one.empty and one.kind is not one.VAR_POSITIONAL and one.name not in _HANDED
        ]
        if demanded:
            raise ValueError(
                f"--networks {self} is called with image_shape and code alone, and asks for {', '.join(demanded)} too; "
                "give the others defaults"
            )
        return {one.name: offered[one.name] for one in parameters if one.name in offered}

    @contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Raises whatever a user's code raises as a ValueError of one line, with the file and the line."""
        with _beside(self.file), _told(self.file, doing):
            yield


def read_own_networks(option: str) -> OwnNetworks:
    """The function that `--networks file.py:function` names; its file is run.

    What is run is what was hashed. Raises ValueError, in one line, for another form of the option, for a file that
    cannot be read or run (with the line), and for a function that it does not define (with those that it does).
    """
    file, colon, function = option.rpartition(":")
    if not (colon and file and function.isidentifier()):
        raise ValueError(f"--networks must be file.py:function, as in networks.py:make, got {shortened(option)}")
    path = Path(file).expanduser().absolute()
    try:
        with open_regular(path) as opened:
            content = opened.read()
    except FileNotFoundError:
        raise ValueError(f"--networks must name a Python file, and {path} does not exist") from None
    module = _run(path, content)
    make = getattr(module, function, None)
    if not callable(make):
        defined = [name for name, value in vars(module).items() if getattr(value, "__module__", "") == module.__name__]
        listed = ", ".join(name for name in defined if not name.startswith("_")) or "no function"
        raise ValueError(f"--networks must name a function of {path}, got {function!r}; it defines {listed}")
    return OwnNetworks(path, function, hashlib.sha256(content).hexdigest(), make)


def _run(path: Path, content: bytes) -> ModuleType:
    spec = spec_from_file_location(f"fastdaae_networks_of_{path.stem}", path)
    if spec is None or not isinstance(spec.loader, SourceFileLoader):
        raise ValueError(f"--networks must name a Python file, got {path}; rename it to {path.stem}.py")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclasses and torch look for the names of a class's own file
    with _beside(path), _told(path, "cannot be run"):
        exec(spec.loader.source_to_code(content, str(path)), vars(module))
    return module


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """What lies beside a file may be imported by it, as when Python runs it."""
    sys.path.insert(0, str(path.parent))
    try:
        yield
    finally:
        with suppress(ValueError):  # the file may have changed it too
            sys.path.remove(str(path.parent))


@contextmanager
def _told(path: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except (Exception, SystemExit) as error:
        line = _line(error, path)
        where = f"{path}, line {line}" if line else str(path)
        told = " ".join(f"{type(error).__name__}: {getattr(error, 'msg', None) or error}".split())
        raise ValueError(f"--networks: {doing} ({where}: {told[:_LONGEST]}); mend the file") from error


def _line(error: BaseException, path: Path) -> int | None:
    """The last line of the file that led to an error."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return lines[-1] if lines else None
