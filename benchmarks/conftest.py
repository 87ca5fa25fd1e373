"""Each row is a test; its group is timed once, in turn (see interleaved.py), and pytest-benchmark shows those times.

The numbers of pytest-benchmark's table and JSON are the rows' measured seconds a call, one for each round of the
interleaved measurement: it calls no row itself. Its timer is a clock that shows the recorded rounds, which the JSON
names as "timer": "recorded_seconds". Rows that were not selected (-k) are not timed either.
"""

import statistics

import pytest
import torch
from accounting import line_of, notes_of
from ceilings import FMA
from common import machine
from gates import require
from interleaved import Group, Measured, Row, Timed, Unavailable, measure

_SECONDS = 4.0  # of rounds for a group whose calls are short; longer ones are timed three times
_MEASURED, _SHOWN = pytest.StashKey[dict[str, Measured]](), pytest.StashKey[list]()
_clock = [0.0]


def recorded_seconds() -> float:
    """pytest-benchmark's timer: moves by a recorded time whenever that round is shown."""
    return _clock[0]


def pytest_generate_tests(metafunc):
    if "case" in metafunc.fixturenames:
        marked = pytest.mark.benchmark(timer=recorded_seconds)
        metafunc.parametrize("case", [pytest.param(case, marks=marked, id=case) for case in _cases(metafunc.module)])


def _cases(module) -> dict[str, tuple[Group, Row]]:
    return {f"{group.name} | {row.name}": (group, row) for group in module.GROUPS for row in group.rows}


@pytest.fixture(autouse=True)
def _random_state_is_restored():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def show(benchmark, request):
    """show(case): times the group if this is its first row, and gives this row's times to pytest-benchmark."""

    def run(case):
        group, row = _cases(request.module)[case]
        if not benchmark.enabled:  # --benchmark-disable checks the gates alone
            ready = _or_skip(row.prepare)
            if row.by is None:
                require(row.name, ready.gates)
            benchmark.pedantic(ready.call)
            return
        measured = _measured(group, request)
        timed = _or_skip(lambda: _raised(measured.rows[row.name]))
        benchmark.group = group.name
        benchmark.extra_info.update(notes_of(group, row, measured))
        rounds = iter(timed.seconds)

        def play():
            _clock[0] += next(rounds)

        benchmark.pedantic(play, rounds=len(timed.seconds))
        request.config.stash.setdefault(_SHOWN, []).append((group, row.name, timed, benchmark.extra_info))

    return run


def _or_skip(make):
    try:
        return make()
    except Unavailable as reason:
        pytest.skip(str(reason))


def _raised(found: Timed | Exception) -> Timed:
    if isinstance(found, Exception):
        raise found
    return found


def _measured(group: Group, request) -> Measured:
    known = request.config.stash.setdefault(_MEASURED, {})
    if group.name not in known:
        given = [getattr(item, "callspec", None) for item in request.session.items]
        selected = {spec.params.get("case") for spec in given if spec}
        rows = [row for row in group.rows if f"{group.name} | {row.name}" in selected]
        known[group.name] = measure(group, rows, budget=_SECONDS)
    return known[group.name]


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["fastdaae"] = machine()


def pytest_terminal_summary(terminalreporter, config):
    shown = config.stash.get(_SHOWN, [])
    if not shown:
        return
    write, line = terminalreporter.write_line, machine()
    terminalreporter.section(
        "rows beside their peers (medians; times over ours: the best correct peer's, then each [quartiles])"
    )
    write(f"{line['machine']}, {line['threads']} threads, data: {line['data']}")
    write(line["cpp"])
    moved = {}
    for group in dict.fromkeys(group for group, *_ in shown):
        write(f"\n{group.name}")
        members = [member[1:] for member in shown if member[0] is group]
        for name, timed, info in sorted(members, key=lambda member: statistics.median(member[1].seconds)):
            write(line_of(name, timed, info))
        if members[0][-1]["ceiling_moved"]:
            moved[group.name] = members[0][-1][FMA]
    for name, (before, after) in moved.items():
        write(f"\nTHE CEILING MOVED beside {name!r}: {before:.0f} -> {after:.0f} GFLOP/s; measure it again")
