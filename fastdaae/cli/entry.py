"""The command line's door: whatever goes wrong behind it is told in one line on stderr, and by the exit code."""

import contextlib
import os
import signal
import sys
import warnings

from fastdaae.cli.interrupts import INTERRUPTED, leaving_at_once, on_interrupt
from fastdaae.schema import printable

REFUSED = 2  # what was asked for cannot be done: the command, a file or the disk needs mending
FAILED = 1  # it broke while it ran, or the reader of its output has gone


def main() -> None:
    """Run the command line on `sys.argv` and exit with its code: 0, 1 (failed), 2 (refused) or 130 (interrupted).

    FASTDAAE_DEBUG=1 shows the traceback before the line.
    """
    code = _guarded(sys.argv[1:])
    # from here to the interpreter's end Ctrl-C ends the process without a word
    on_interrupt(signal.SIG_DFL)
    sys.exit(code)


def _guarded(arguments: list[str]) -> int:
    try:
        with leaving_at_once():
            _write_any_text()
            from fastdaae.cli.app import run
        on_interrupt(signal.default_int_handler)
        sys.unraisablehook = _keep_interrupts
        warnings.showwarning = _show_warning
        code = run(arguments)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except BaseException as error:
        on_interrupt(signal.SIG_DFL)
        return _report(error, resumable=arguments[:1] in (["train"], ["demo"], ["reproduce"]))


def _keep_interrupts(unraisable) -> None:
    """Ctrl-C in a finaliser, where Python would print a traceback and go on, is raised again outside of it."""
    if unraisable.exc_type is KeyboardInterrupt:
        signal.raise_signal(signal.SIGINT)
    else:
        sys.__unraisablehook__(unraisable)


def _write_any_text() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # file names are any bytes, and terminals not always UTF-8


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    _tell(f"warning: {_one_line(message)}")


def _report(error: BaseException, resumable: bool) -> int:
    code, told = _judge(error)
    if code == INTERRUPTED and resumable and told is not None:
        told += "; the same command resumes from the last checkpoint"
    if not _stdout_works():
        # what is still in Python's buffer has nowhere to go
        with contextlib.suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if os.environ.get("FASTDAAE_DEBUG", "0") not in ("", "0") and told is not None:
        sys.excepthook(type(error), error, error.__traceback__)
    if told is not None:
        _tell(told)
    return code


def _judge(error: BaseException) -> tuple[int, str | None]:
    """The exit code that an error stands for, and the line that tells it."""
    if isinstance(error, SystemExit):
        return (error.code if isinstance(error.code, int) else 0 if error.code is None else FAILED), None
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED, "stopped"
    if isinstance(error, BrokenPipeError):
        return FAILED, None
    if isinstance(error, OSError) and error.strerror:
        where = "" if error.filename is None else f"{_one_line(error.filename)}: "
        return REFUSED, f"error: {where}{error.strerror}"
    if isinstance(error, ValueError | TypeError | OSError):
        return REFUSED, f"error: {_one_line(error)}"
    if isinstance(error, MemoryError):
        return FAILED, f"error: out of memory ({_one_line(error)}); use less data or more memory"
    if isinstance(error, RuntimeError | ImportError):
        return FAILED, f"error: {_one_line(error)}"
    return FAILED, f"internal error: {type(error).__name__} {_one_line(error)}; FASTDAAE_DEBUG=1 shows where"


def _stdout_works() -> bool:
    try:
        sys.stdout.flush()
    except OSError:
        return False
    except (ValueError, AttributeError):  # closed, or there is none
        pass
    return True


def _tell(line: str) -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        print(line, file=sys.stderr, flush=True)


def _one_line(error: object) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return printable(text)
