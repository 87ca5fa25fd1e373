"""Runs cases in a process that may die, with a limit on its memory and an alarm on the time of each."""

import json
import os
import resource
import shutil
import signal
import sys
import tempfile
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

MEMORY = 3 << 30  # beyond what the libraries have mapped
SECONDS = 20  # for one case on a busy machine; whole ones take less than one
REFUSALS = (ValueError, TypeError, OSError)


class Hang(BaseException):
    """A case took longer than its limit."""


def make_case(kinds: dict, kind: str, seed: int, index: int) -> bytes:
    """The input of a case: a function of its name alone."""
    rng = Random(f"{kind}/{seed}/{index}")
    chosen = kinds[kind]
    return rng.choice(chosen.mutations)(rng, rng.choice(chosen.examples))


def run_case(kinds: dict, kind: str, content: bytes, folder: Path) -> tuple[str, str | None]:
    """(outcome, traceback of a failure or None): "accepted", or the documented error's class, or what went wrong."""
    place = Path(tempfile.mkdtemp(dir=folder))
    try:
        with _time_limit(SECONDS):
            kinds[kind].read(place, content)
        return "accepted", None
    except REFUSALS as error:
        name = type(error).__name__
        told = str(error)
        if type(error).__str__ is not OSError.__str__ and ("\n" in told or not told):
            return f"{name} in several lines", traceback.format_exc()
        return name, None
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        return f"FAILED: {type(error).__name__}", traceback.format_exc()
    finally:
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def stop(*_):
        raise Hang(f"more than {seconds} s")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def limit_memory() -> None:
    """No more than MEMORY bytes beyond what is mapped now."""
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if sys.platform.startswith("linux") else 0
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Reads cases [kind, seed, index] from stdin, a JSON line each, and answers each with [outcome, traceback].

    The input of the case that is running lies in the file that the command line names.
    """
    answers = os.fdopen(os.dup(1), "w")
    # what a case prints is nobody's business; a crash's last words go to stderr
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    import faulthandler

    faulthandler.enable()
    warnings.simplefilter("ignore")
    from tests.fuzz.kinds import all_kinds

    with tempfile.TemporaryDirectory() as folder:
        kinds = all_kinds(Path(folder))
        limit_memory()
        print(json.dumps(list(kinds)), file=answers, flush=True)
        for line in sys.stdin:
            kind, seed, index = json.loads(line)
            content = make_case(kinds, kind, seed, index)
            Path(sys.argv[1]).write_bytes(content)
            outcome = run_case(kinds, kind, content, Path(folder))
            print(json.dumps(outcome), file=answers, flush=True)


if __name__ == "__main__":
    main()
