"""Processes that need not import PyTorch, scikit-learn and matplotlib each for themselves.

One process imports the libraries that fastdaae stands on, and forks a child for each request; fastdaae itself is
imported by the child, under the request's own environment. So a command line takes tenths of a second where a process
from nothing takes seconds, and is a process of its own all the same: it can be killed, and leaves nothing behind.
"""

import atexit
import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARIES = (
    "torch",
    "torch._dynamo",  # which the first step of an optimiser imports
    "numpy",
    "sklearn.svm",
    "sklearn.datasets",
    "sklearn.utils.validation",
    "safetensors.torch",
    "matplotlib.figure",
    "matplotlib.backends.backend_agg",
    "typer",
    "rich.console",
    "rich.progress",
    "rich.table",
    "PIL.Image",
)
COMMAND_LINE = "from fastdaae.cli import main\nmain()\n"
STOPPED = 600  # seconds after which a child that has not ended has failed


class Child:
    """A forked process, as `subprocess.Popen` shows its own."""

    def __init__(self, pid: int, nursery: "Nursery", out: Path, err: Path):
        self.pid, self._nursery, self._out, self._err = pid, nursery, out, err
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit status, negative for a signal, or None while it runs."""
        if self.returncode is None:
            self.returncode = self._nursery.ask({"poll": self.pid})
        return self.returncode

    def wait(self, seconds: float = STOPPED) -> int:
        deadline = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > deadline:
                self.send_signal(signal.SIGKILL)
                raise TimeoutError(f"process {self.pid} did not end within {seconds} s: {self._err.read_text()}")
            time.sleep(0.002)
        return self.returncode

    def send_signal(self, number: int) -> None:
        # a process that has ended stays there, until it is polled
        if self.returncode is None:
            os.kill(self.pid, number)

    def finished(self, seconds: float = STOPPED) -> subprocess.CompletedProcess:
        """Waits, and reads what it printed."""
        status = self.wait(seconds)
        return subprocess.CompletedProcess(self.pid, status, self._out.read_text(), self._err.read_text())


class Nursery:
    """The process that has imported the libraries; made once for all tests."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory()
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.nursery"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._answer() == "ready"
        atexit.register(self.close)

    def ask(self, request: dict):
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        assert line, "the nursery ended"
        return json.loads(line)

    def start(self, code: str, *arguments, environment: dict[str, str], folder: Path | None = None) -> Child:
        """A child that runs `code` with the arguments in sys.argv[1:], in a folder, and no more of the environment."""
        self._count += 1
        out, err = (Path(self._folder.name) / f"{self._count}.{name}" for name in ("out", "err"))
        request = {"code": code, "arguments": list(map(str, arguments)), "environment": environment}
        places = {"folder": str(folder or Path.cwd()), "out": str(out), "err": str(err)}
        return Child(self.ask({**request, **places}), self, out, err)

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(30)
        self._folder.cleanup()


@functools.cache
def nursery() -> Nursery:
    """The one of this test run."""
    return Nursery()


def start(code: str, *arguments, folder: Path | None = None, **environment: str) -> Child:
    """A child with the environment of this process and of `environment`."""
    return nursery().start(code, *arguments, environment={**os.environ, **environment}, folder=folder)


def run(code: str, *arguments, folder: Path | None = None, **environment: str) -> subprocess.CompletedProcess:
    """As `start`, to its end: what it printed and its exit status."""
    return start(code, *arguments, folder=folder, **environment).finished()


# the process itself


def _become(request: dict) -> None:
    """The child's life: its own environment, folder and outputs, and then the code."""
    for number, name in ((1, "out"), (2, "err")):
        descriptor = os.open(request[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["-c", *request["arguments"]]
    sys.path[0] = ""
    threads = request["environment"].get("OMP_NUM_THREADS")
    if threads:  # OpenMP read it when the libraries were imported
        importlib.import_module("torch").set_num_threads(int(threads))
    exec(compile(request["code"], "<nursery>", "exec"), {"__name__": "__main__"})


def _fork(request: dict) -> int:
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        _become(request)
        status = 0
    except SystemExit as ending:
        status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with open(os.devnull, "w") as nowhere:
            for stream in (sys.stdout, sys.stderr):
                try:
                    stream.flush()
                except OSError:
                    print("lost", file=nowhere)
        os._exit(status)


def _poll(child: int) -> int | None:
    ended, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def main() -> None:
    for name in LIBRARIES:
        importlib.import_module(name)
    print(json.dumps("ready"), flush=True)
    # unbuffered, so that a child inherits no half-read request
    for line in iter(sys.stdin.readline, ""):
        request = json.loads(line)
        print(json.dumps(_poll(request["poll"]) if "poll" in request else _fork(request)), flush=True)


if __name__ == "__main__":
    main()
