"""Writing a file whole or not at all, and reading JSON that may be damaged."""

import glob
import json
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fastdaae.reading import open_regular, require_regular
from fastdaae.run_folder.errors import DamagedFile, NotWritten
from fastdaae.run_folder.flock import try_flock

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_LOOK = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def replace_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a new file beside `path`, then put it in place: a kill leaves the old or the new.

    The new file is a regular file of this process alone, and a link in its place is not followed. Raises NotWritten,
    with nothing left behind, where the system refuses (a full disk), and ValueError where a folder or a device stands
    at `path`.
    """
    if path.exists():
        require_regular(path.stat().st_mode, path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        with _partial(path) as temporary:
            write(temporary)
            _sync(temporary)
            os.replace(temporary, path)
        _sync(path.parent)
    except OSError as error:
        raise NotWritten(path, error) from error


@contextmanager
def _partial(path: Path) -> Iterator[Path]:
    """A new file beside `path`, locked while it is in the making, so that no other process takes it for abandoned."""
    temporary, descriptor = _create(path)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        os.close(descriptor)


def _create(path: Path) -> tuple[Path, int]:
    while True:
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}.partial")
        descriptor = os.open(temporary, _NEW, 0o666)
        with suppress(OSError):  # no locks here: then nobody removes abandoned files either
            # between creation and lock another process may have taken it for abandoned
            if not try_flock(descriptor) or os.fstat(descriptor).st_nlink == 0:
                os.close(descriptor)
                continue
        return temporary, descriptor


def _remove_abandoned(path: Path) -> None:
    """Remove the partial files that killed processes left beside `path`: regular files that nobody has locked."""
    for found in path.parent.glob(f".{glob.escape(path.name)}.*partial"):
        try:
            descriptor = os.open(found, _LOOK)
        except OSError:
            continue
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode) and try_flock(descriptor):
                found.unlink()
        except OSError:
            pass
        finally:
            os.close(descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically."""
    replace_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))


def write_json(path: Path, value: dict) -> None:
    """Write a JSON file atomically; raises ValueError for NaN and infinity, which are not JSON."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def read_json(path: Path, purpose: str) -> dict:
    """Read a JSON file; raises FileNotFoundError or DamagedFile, naming the file, what it is for and what to do."""
    if not path.exists():
        raise FileNotFoundError(f"{path} does not exist, and {purpose} needs it; is {path.parent} the folder of a run?")
    with open_regular(path) as file:
        content = file.read()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DamagedFile(f"{path} is not valid JSON ({error}); restore it, or start in another run_dir") from None
    if not isinstance(value, dict):
        raise DamagedFile(f"{path} must hold an object of JSON, got a {type(value).__name__}; restore it")
    return value
