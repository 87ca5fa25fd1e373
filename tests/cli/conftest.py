"""A small run, trained once for all tests that edit its files, and the command line in this process."""

import signal
import sys

import pytest

from fastdaae.cli import entry
from tests.cli.edited_runs import train


@pytest.fixture(scope="session")
def original(tmp_path_factory):
    return train(tmp_path_factory.mktemp("run"))


@pytest.fixture
def run(original, tmp_path):
    """A copy of the run's folder."""
    for file in original.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def fastdaae(monkeypatch, capsys):
    """Runs a command line in this process: (exit code, stdout, lines of stderr)."""
    hooks = (sys.unraisablehook, entry.warnings.showwarning)

    def call(*arguments) -> tuple[int, str, list[str]]:
        monkeypatch.setattr(sys, "argv", ["fastdaae", *map(str, arguments)])
        handler = signal.getsignal(signal.SIGINT)
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as done:
                entry.main()
        finally:
            signal.signal(signal.SIGINT, handler)
            sys.unraisablehook, entry.warnings.showwarning = hooks
        printed = capsys.readouterr()
        return done.value.code, printed.out, printed.err.splitlines()

    return call
