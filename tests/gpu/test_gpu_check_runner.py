"""gpu-check's runner without a GPU: commands that hang, crash or start others, and the rows that tests leave."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from gpu_check import __main__ as gpu_check
from gpu_check.runner import Group, Records, run

from tests import tools


@pytest.fixture
def records(tmp_path) -> Records:
    return Records(tmp_path / "results")


def rows(records: Records) -> list[dict]:
    return [json.loads(line) for line in records.rows.read_text().splitlines()]


def python(code: str, name: str = "group", limit: float = 60, **environment: str) -> Group:
    return Group("part", name, [sys.executable, "-c", code], limit, environment)


def ends(pid: int) -> bool:
    """Whether a process is gone, or soon is: a signal takes its time on a busy machine."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True
        if "State:\tZ" in state:  # it ended, and nobody has waited for it
            return True
        time.sleep(0.05)
    return False


STARTS_ANOTHER = """
import subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print("the other is", other.pid)
time.sleep(600)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_a_time_out_ends_every_process_of_the_group_and_keeps_what_it_printed(records, tmp_path):
    assert run(python(STARTS_ANOTHER), 3, records, tmp_path, io.BytesIO()) == "too slow"
    printed = records.log.read_text()
    assert rows(records)[0]["end"] == [printed.strip()] and rows(records)[0]["outcome"] == "too slow"
    assert ends(int(printed.split()[-1]))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_a_group_that_ends_leaves_no_process_behind(records, tmp_path):
    code = STARTS_ANOTHER.replace("time.sleep(600)\n", "")
    assert run(python(code), 60, records, tmp_path, io.BytesIO()) == "ok"
    assert ends(int(records.log.read_text().split()[-1]))


def test_output_passes_through_while_the_group_runs(records, tmp_path):
    class Screen:
        seen = []

        def write(self, chunk: bytes) -> None:
            self.seen.append((chunk, os.path.exists(tmp_path / "go on")))
            (tmp_path / "go on").touch()

        def flush(self) -> None:
            pass

    # without a newline, as pytest prints its dots
    waits = "import os, time\nprint('.', end='')\nwhile not os.path.exists('go on'): time.sleep(0.01)\nprint('end')"
    assert run(python(waits), 60, records, tmp_path, Screen()) == "ok"
    assert Screen.seen[0] == (b".", False)


def test_a_crash_spoils_its_own_group_alone(records):
    crash = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    part = [python("print(1)", "before"), python(crash, "crash"), python("print(2)", "after")]
    assert gpu_check.run_part(part, 60, records) == ["ok", "failed", "ok"]
    assert [(row["group"], row["outcome"]) for row in rows(records)] == [
        ("before", "ok"),
        ("crash", "failed"),
        ("after", "ok"),
    ]


def test_a_part_s_limit_ends_the_group_in_hand_and_starts_no_other(records):
    part = [python("import time; time.sleep(600)", "slow"), python("print(1)", "late")]
    started = time.monotonic()
    assert gpu_check.run_part(part, 1, records) == ["too slow", "not started"]
    assert time.monotonic() - started < 30 and rows(records)[1]["outcome"] == "not started"


def test_absent_tools_and_commands_that_cannot_start_are_told_apart(records):
    missing = Group("part", "missing", ["/nonexistent/tool"], 5)
    part = [missing._replace(absent="no tool here"), missing]
    assert gpu_check.run_part(part, 60, records) == ["absent", "cannot start"]
    assert rows(records)[0]["end"] == ["no tool here"] and "/nonexistent/tool" in rows(records)[1]["end"][0]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are looked up in /proc")
def test_a_stopped_check_ends_its_group_and_writes_its_line(tmp_path):
    code = f"""
import signal, sys
from pathlib import Path
from gpu_check.runner import Group, Records, run
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
group = Group("part", "group", [sys.executable, "-c", {STARTS_ANOTHER!r}], 600)
run(group, 600, Records(Path({str(tmp_path)!r})), Path("."), sys.stdout.buffer)
"""
    environment = os.environ | {"PYTHONPATH": str(tools.ROOT / "benchmarks")}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as check:
        other = int(check.stdout.readline().split()[-1])
        check.send_signal(signal.SIGTERM)
        assert check.wait(60) == 143
    assert ends(other) and rows(Records(tmp_path))[0]["outcome"] == "interrupted"


def pytest_group(folder, records: Records, code: str, *options: str) -> Group:
    (folder / "test_some.py").write_text(code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "gpu_check.rows", *options]
    paths = {"PYTHONPATH": str(tools.ROOT / "benchmarks"), "FASTDAAE_GPU_ROWS": str(records.rows)}
    return Group("test", "some", [*command, "test_some.py"], 60, paths)


THREE_TESTS = """
import os, signal
def test_quick(): pass
def test_wrong(): assert 1 == 2
def test_last():
    if LAST_IS_KILLED: os.kill(os.getpid(), signal.SIGKILL)
"""


def test_tests_that_ended_have_their_rows_when_the_next_one_is_killed(records, tmp_path):
    group = pytest_group(tmp_path, records, THREE_TESTS.replace("LAST_IS_KILLED", "True"))
    assert run(group, 60, records, tmp_path, io.BytesIO()) == "failed"
    quick, wrong, whole = rows(records)
    assert quick["test"] == "test_some.py::test_quick" and quick["outcome"] == "passed"
    assert wrong["outcome"] == "failed" and "assert 1 == 2" in wrong["why"]
    assert whole["group"] == "some" and whole["outcome"] == "failed"


def test_a_benchmark_row_has_its_times_and_notes(records, tmp_path):
    pytest.importorskip("pytest_benchmark")
    code = """
def test_row(benchmark):
    benchmark.group = "sums"
    benchmark.extra_info.update(gflops=1.5, torch="2")
    benchmark.pedantic(sum, ([1, 2],), rounds=3)
"""
    assert run(pytest_group(tmp_path, records, code, "--benchmark-only"), 60, records, tmp_path, io.BytesIO()) == "ok"
    row = rows(records)[0]
    assert row["group"] == "sums" and row["rounds"] == 3 and row["gflops"] == 1.5 and "torch" not in row
    assert 0 < row["min"] <= row["median"] <= row["max"]


def test_workers_of_xdist_write_every_row_once(records, tmp_path):
    pytest.importorskip("xdist")
    group = pytest_group(tmp_path, records, THREE_TESTS.replace("LAST_IS_KILLED", "False"), "-p", "xdist", "-n", "2")
    given = os.environ.get("PYTHONPATH", "")
    group.environment["PYTHONPATH"] += os.pathsep + given
    assert run(group, 60, records, tmp_path, io.BytesIO()) == "failed"
    assert sorted(row["test"][-5:] for row in rows(records)[:-1]) == ["_last", "quick", "wrong"]
