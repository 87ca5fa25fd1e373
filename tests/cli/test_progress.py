"""What those who wait are told: lines where output is redirected, at once; a bar and numbers on a terminal."""

import io
import re
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace

import pytest
import torch
from rich.console import Console

import fastdaae as fd
from fastdaae import output, run_folder
from fastdaae.cli import console
from fastdaae.kernels import compiled
from fastdaae.training import progress
from tests import nursery
from tests.runs.small import build, images, trainer

LOSSES = r"reconstruction \d\.\d{4}  discriminator \d\.\d{4}  encoder -?\d\.\d{4}"
VALIDATION = r"  validation \d\.\d{4} \(mse \d\.\d{4}\)"
SPEED = r"  [\d,]+ samples/s"
REDIRECTED = """
import os
os.dup2(os.open("out", os.O_WRONLY | os.O_CREAT), 1)
"""
WITHOUT_A_READER = """
import os
read, write = os.pipe()
os.dup2(write, 1)
os.close(read)
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch) -> Terminal:
    """A terminal that the command line's console writes to."""
    monkeypatch.setenv("TERM", "xterm-256color")
    made = Terminal()
    monkeypatch.setattr(console, "_console", Console(file=made, force_terminal=True, width=120))
    return made


@pytest.fixture
def clock(monkeypatch) -> SimpleNamespace:
    made = SimpleNamespace(now=100.0)
    monkeypatch.setattr(console, "time", SimpleNamespace(monotonic=lambda: made.now))
    return made


def with_validation() -> fd.data.Dataset:
    return fd.data.Dataset(fd.data.Split(images(), None), fd.data.Split(images(8), None), None, "noise")


def fit(capsys, validation: bool = False, told: bool = True, **settings) -> list[str]:
    """The lines that training prints."""
    trainer(build(), **settings).fit(with_validation() if validation else images(), progress=told)
    printed = capsys.readouterr()
    assert printed.err == "" and not {"\r", "\x1b"} & set(printed.out)
    return printed.out.splitlines()


def wait_for(condition: Callable[[], bool], seconds: float = 100) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def require_lines(lines: list[str], *patterns: str) -> None:
    assert len(lines) == len(patterns), lines
    for line, pattern in zip(lines, patterns, strict=True):
        assert re.fullmatch(pattern, line), (line, pattern)


def test_a_line_an_epoch(capsys):
    numbers = LOSSES + VALIDATION + SPEED
    require_lines(
        fit(capsys, epochs=3, validation=True),
        rf"epoch 1/3  {numbers}  \d+ s left",
        rf"epoch 2/3  {numbers}  \d+ s left",
        rf"epoch 3/3  {numbers}  done in \d+ s",
    )
    require_lines(fit(capsys, epochs=1), rf"epoch 1/1  {LOSSES}{SPEED}  done in \d+ s")
    assert fit(capsys, told=False) == []


def test_resumed_runs_say_from_where(capsys, tmp_path):
    fit(capsys, epochs=2, run_dir=tmp_path)
    lines = fit(capsys, epochs=3, run_dir=tmp_path)
    require_lines(lines, "resuming after epoch 2", rf"epoch 3/3  {LOSSES}{SPEED}  done in \d+ s")
    assert fit(capsys, epochs=3, run_dir=tmp_path) == ["resuming after epoch 3: nothing is left of 3 epochs"]


def test_a_long_epoch_is_not_silent(capsys, monkeypatch):
    monkeypatch.setattr(progress, "LONGEST_SILENCE", 0.0)
    require_lines(
        fit(capsys, epochs=1),
        rf"epoch 1/1, 33 %  {LOSSES}{SPEED}  \d+ s left",
        rf"epoch 1/1, 67 %  {LOSSES}{SPEED}  \d+ s left",
        rf"epoch 1/1  {LOSSES}{SPEED}  done in \d+ s",
    )


def test_the_first_line_is_there_while_training_goes_on(tmp_path):
    arguments = ["train", "--out", "run", "--epochs", "100000", "--hidden", "16"]
    process = nursery.start(REDIRECTED + nursery.COMMAND_LINE, *arguments, folder=tmp_path)
    try:
        wait_for(lambda: (tmp_path / "out").exists() and "\n" in (tmp_path / "out").read_text())
        assert process.poll() is None
        assert (tmp_path / "out").read_text().startswith("epoch 1/100000  reconstruction ")
        assert run_folder.checkpoint_state(tmp_path / "run").epoch >= 1
    finally:
        process.send_signal(9)
        process.wait(100)


def test_a_reader_that_left_ends_training_after_a_whole_epoch(tmp_path):
    arguments = ["train", "--out", "run", "--epochs", "20", "--hidden", "16"]
    done = nursery.run(WITHOUT_A_READER + nursery.COMMAND_LINE, *arguments, folder=tmp_path)
    assert (done.returncode, done.stderr) == (1, "")
    assert run_folder.checkpoint_state(tmp_path / "run").epoch == 1


def test_a_terminal_sees_validation_in_the_bar(monkeypatch):
    shown = Terminal()
    monkeypatch.setattr("rich.get_console", lambda: Console(file=shown, force_terminal=True, width=120))
    monkeypatch.setattr("rich.progress.get_console", lambda: Console(file=shown, force_terminal=True, width=120))
    monkeypatch.setenv("TERM", "xterm-256color")
    trainer(build()).fit(with_validation(), progress=True)
    assert re.search(VALIDATION.strip(), shown.getvalue()) and "epoch 2/2" in shown.getvalue()
    assert shown.getvalue().count("\n") == 1  # of the bar that stays


@pytest.mark.parametrize(
    ("made", "term", "expected"),
    [
        ({"file": Terminal(), "force_terminal": True}, "xterm", True),
        ({"file": Terminal(), "force_terminal": True}, "dumb", False),
        ({"file": io.StringIO(), "force_terminal": True}, "xterm", False),  # as FORCE_COLOR does
        ({"file": io.StringIO()}, "xterm", False),
        ({"file": io.StringIO(), "force_jupyter": True}, "dumb", True),
    ],
)
def test_where_a_line_can_be_drawn_again(monkeypatch, made, term, expected):
    monkeypatch.setenv("TERM", term)
    assert output.redraws(Console(**made)) is expected


def test_durations():
    seconds = {
        0.4: "0 s",
        59.4: "59 s",
        59.6: "1 min 0 s",
        250: "4 min 10 s",
        12000: "3 h 20 min",
        1e7: "2,777 h 46 min",
    }
    assert {given: output.duration(given) for given in seconds} == seconds


def test_a_line_a_stage_elsewhere(capsys, clock, monkeypatch):
    monkeypatch.setattr(console, "_console", Console(force_terminal=True))
    with console.working("reading") as tell:
        clock.now += 0.5
        tell("drawing [10] samples")
        assert capsys.readouterr().out == "reading\ndrawing [10] samples\n"
        clock.now += 75
        tell("writing")
    assert capsys.readouterr().out == "drawing [10] samples: 1 min 15 s\nwriting\n"
    with pytest.raises(ValueError, match="broken"), console.working("breaking"):
        clock.now += 5
        raise ValueError("broken")
    assert capsys.readouterr().out == "breaking\n"


def test_a_terminal_sees_the_stage_and_its_time(terminal, clock):
    with console.working("reading") as tell:
        tell("drawing [10] samples")
        clock.now += 75
        wait_for(lambda: "1 min 15 s" in terminal.getvalue())
    assert "drawing [10] samples" in terminal.getvalue()


@pytest.mark.needs_cpp
def test_a_terminal_sees_the_kernels_count(terminal):
    samples, queries = torch.rand(4000, 200), 2000
    with console.working("likelihood"):
        while "queries/s" not in terminal.getvalue():  # as many as take this machine a while
            queries *= 2
            assert queries < 1_000_000
            fd.ops.parzen_log_density(torch.rand(queries, 200), samples, [0.1, 0.3])
    found = re.search(r"(\d+) %.*?([\d,]+) of ([\d,]+).*?[\d,]+ queries/s.*?\d+ s left", terminal.getvalue())
    done, total = (int(number.replace(",", "")) for number in found.groups()[1:])
    assert total == queries and 0 < done <= total and int(found[1]) == 100 * done // total


def chain(rows: int):
    mlp = fd.networks.mlp
    networks = mlp([4, 400, 100], output="sigmoid"), mlp([100, 400, 4])
    noise = fd.corruptions.Gaussian(0.5), fd.Noise(0)
    return fd.ops.sample_chain(*networks, torch.randn(rows, 4), *noise, steps=5)


OPERATORS = {
    "parzen": ("queries", lambda n: fd.ops.parzen_log_density(torch.rand(n, 60), torch.rand(5000, 60), [0.1, 0.3])),
    "own neighbours": ("points", lambda n: fd.ops.nearest_neighbors(torch.rand(n, 60), 20)),
    "neighbours": ("queries", lambda n: fd.ops.nearest_neighbors(torch.rand(5000, 60), 20, queries=torch.rand(n, 60))),
    "neighbours of bytes": (
        "points",
        lambda n: fd.ops.nearest_neighbors(torch.randint(256, (n, 60), dtype=torch.uint8), 20),
    ),
    "chain": ("samples", chain),
}


class Watch(threading.Thread):
    """Looks at the counter all the time."""

    def __init__(self):
        super().__init__()
        self.seen: list[compiled.Progress] = []
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(0.0005):
            found = compiled.progress()
            if found is not None:
                self.seen.append(found)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *error):
        self._ended.set()
        self.join()


@pytest.mark.needs_cpp
@pytest.mark.parametrize("operator", OPERATORS)
def test_kernels_count_their_work(operator):
    unit, call = OPERATORS[operator]
    count, seen = 1000, []
    while len({found.done for found in seen}) < 6:
        count *= 2
        assert count < 100_000
        with Watch() as watch:
            call(count)
        seen = watch.seen
        assert compiled.progress() is None
    assert {(found.unit, found.total) for found in seen} == {(unit, count)}
    for before, after in zip(seen, seen[1:], strict=False):
        assert 0 <= before.done <= after.done <= count and before.seconds <= after.seconds


@pytest.mark.needs_cpp
def test_operators_at_once_keep_their_own_counts():
    counts = {operator: 150 + place for place, operator in enumerate(OPERATORS)}

    def work(operator: str) -> None:
        for _ in range(10):
            OPERATORS[operator][1](counts[operator])

    threads = [threading.Thread(target=work, args=[operator]) for operator in OPERATORS]
    with Watch() as watch:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    allowed = {(OPERATORS[operator][0], count) for operator, count in counts.items()}
    assert watch.seen and {(found.unit, found.total) for found in watch.seen} <= allowed
    assert all(0 <= found.done <= found.total for found in watch.seen)
    assert compiled.progress() is None
