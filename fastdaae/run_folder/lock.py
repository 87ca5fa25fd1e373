"""One training a folder at a time."""

import json
import os
import platform
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from fastdaae.run_folder.errors import NotWritten, RunFolderBusy
from fastdaae.run_folder.flock import try_flock
from fastdaae.run_folder.names import LOCK


@contextmanager
def training_lock(run_dir: Path) -> Iterator[None]:
    """Hold a run's folder for one training; the system releases it when the process dies, however it dies.

    Raises RunFolderBusy with the holder's process, host and start. Where nothing can be locked (Windows, some network
    file systems) a RuntimeWarning says so and training goes on.
    """
    descriptor = _open(run_dir)
    held = False
    try:
        held = _take(descriptor, run_dir)
        if held:
            _sign(descriptor)
        yield
    finally:
        if held:
            os.ftruncate(descriptor, 0)
        os.close(descriptor)


def _open(run_dir: Path) -> int:
    path = run_dir / LOCK
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        run_dir.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o666)
    except OSError as error:
        raise NotWritten(path, error) from None


def _take(descriptor: int, run_dir: Path) -> bool:
    try:
        taken = try_flock(descriptor)
    except OSError as error:
        warnings.warn(
            f"run_dir {run_dir} cannot be locked ({error.strerror}); make sure that no other training writes to it",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    if not taken:
        raise RunFolderBusy(
            f"run_dir {run_dir} is being trained by {_holder(descriptor)}; wait for it to end, stop it, or use another "
            "run_dir"
        )
    return True


def _sign(descriptor: int) -> None:
    note = {"pid": os.getpid(), "host": platform.node(), "since": datetime.now().astimezone().isoformat("T", "seconds")}
    os.ftruncate(descriptor, 0)
    with suppress(OSError):  # a full disk: the lock holds without a name
        os.pwrite(descriptor, json.dumps(note).encode(), 0)


def _holder(descriptor: int) -> str:
    try:
        note = json.loads(os.pread(descriptor, 4096, 0))
        return f"process {note['pid']} on {note['host']} since {note['since']}"
    except (ValueError, TypeError, KeyError, OSError):
        return "another process"
