"""Runs one group in a session of its own: passes on what it prints, and ends all its processes at the limit."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import NamedTuple

_LAST_BYTES = 4000
_SECONDS_TO_DRAIN = 5.0


class Group(NamedTuple):
    """What runs in one process: its part, its name, the command, its limit in seconds and its own environment.

    limit: inf where the part's is the only one.
    absent: why the command cannot run on this machine; empty where it can.
    """

    part: str
    name: str
    command: list[str]
    limit: float
    environment: dict[str, str] = {}
    absent: str = ""


class Records:
    """The folder of results: rows.jsonl, a JSON object a line, and log.txt, all that was printed."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.rows, self.log = folder / "rows.jsonl", folder / "log.txt"

    def append(self, row: dict) -> None:
        """Append one line; it is in the file when this returns."""
        append_row(self.rows, row)


def append_row(path: Path, row: dict) -> None:
    """Append a JSON line in one write, whoever else appends to the file."""
    with open(path, "ab", buffering=0) as file:
        file.write((json.dumps(row) + "\n").encode())


def run(group: Group, limit: float, records: Records, folder: Path, screen) -> str:
    """Run a group for at most `limit` seconds, append its line, and return its outcome.

    "ok", "failed", "too slow", "absent", "cannot start" or "interrupted". `screen` takes the bytes that it prints.
    """
    outcome, started, end = "interrupted", time.perf_counter(), bytearray()
    try:
        if group.absent:
            outcome, end = "absent", group.absent.encode()
        else:
            with open(records.log, "ab", buffering=0) as log:
                outcome = _run(group, limit, folder, [log, screen], end)
    finally:
        seconds = round(time.perf_counter() - started, 1)
        last = bytes(end).decode(errors="replace").splitlines()[-8:]
        records.append({"part": group.part, "group": group.name, "outcome": outcome, "seconds": seconds, "end": last})
    return outcome


def _run(group: Group, limit: float, folder: Path, outputs: list, end: bytearray) -> str:
    settings = {**os.environ, **group.environment, "PYTHONUNBUFFERED": "1"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    try:
        process = subprocess.Popen(group.command, cwd=folder, env=settings, start_new_session=True, **pipes)
    except OSError as error:
        end += str(error).encode()
        return "cannot start"
    reader = threading.Thread(target=_pass_on, args=(process.stdout, outputs, end), daemon=True)
    reader.start()
    try:
        return "ok" if process.wait(limit) == 0 else "failed"
    except subprocess.TimeoutExpired:
        return "too slow"
    finally:
        _end_all(process)
        reader.join(_SECONDS_TO_DRAIN)  # a process that left the session may hold the pipe for ever


def _pass_on(source, outputs: list, end: bytearray) -> None:
    while chunk := os.read(source.fileno(), 1 << 16):
        end += chunk
        del end[:-_LAST_BYTES]
        for output in outputs:
            with contextlib.suppress(OSError):  # a screen that was closed must not stop the log
                output.write(chunk)
                output.flush()


def _end_all(process: subprocess.Popen) -> None:
    """Ends the process and every other of its session's group, of which it is the leader."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):  # one that a driver holds does not end
        process.wait(_SECONDS_TO_DRAIN)
