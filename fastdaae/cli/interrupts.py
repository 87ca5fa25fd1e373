"""What Ctrl-C does: it leaves at once while libraries load, and is Python's KeyboardInterrupt while a command works."""

import contextlib
import os
import signal
from collections.abc import Iterator

INTERRUPTED = 130  # Ctrl-C, as shells have it: 128 + SIGINT


def on_interrupt(handler) -> None:
    """Set what SIGINT does, where this process may; one that was started to ignore Ctrl-C goes on ignoring it."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        with contextlib.suppress(ValueError):  # not the main thread: not ours to decide
            signal.signal(signal.SIGINT, handler)


@contextlib.contextmanager
def leaving_at_once() -> Iterator[None]:
    """While libraries are imported: interrupted there they raise anything, and nothing is lost by leaving."""
    before = signal.getsignal(signal.SIGINT)
    on_interrupt(_leave)
    try:
        yield
    finally:
        if before is not None:  # None stands for a handler that Python did not set
            on_interrupt(before)


def _leave(*_) -> None:
    os.write(2, b"stopped\n")
    os._exit(INTERRUPTED)
