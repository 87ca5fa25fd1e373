"""Each row is a test; its group is timed once, in turn (see interleaved.py), and pytest-benchmark shows those times.

The numbers of pytest-benchmark's table and JSON are the rows' measured seconds a call, one for each round of the
interleaved measurement: it calls no row itself. Its timer is a clock that shows the recorded rounds, which the JSON
names as "timer": "recorded_seconds". Rows that were not selected (-k) are not timed either.
"""

import statistics

import pytest
import torch
from ceilings import BF16, COPY, FMA
from common import machine, version_of
from interleaved import Measured, Row, Timed, Unavailable, measure, ratio_quartiles

_SECONDS = 4.0  # of rounds for a group whose calls are short; longer ones are timed three times
_MEASURED, _SHOWN = pytest.StashKey[dict[str, Measured]](), pytest.StashKey[list]()
_DISTRIBUTIONS = {"sklearn": "scikit-learn", "faiss": "faiss-cpu"}
_clock = [0.0]


def recorded_seconds() -> float:
    """pytest-benchmark's timer: moves by a recorded time whenever that round is shown."""
    return _clock[0]


def pytest_generate_tests(metafunc):
    if "row" in metafunc.fixturenames:
        marked = pytest.mark.benchmark(timer=recorded_seconds)
        cases = [(group, row) for group in metafunc.module.GROUPS for row in group.rows]
        given = [pytest.param(group, row, marks=marked, id=f"{group.name} | {row.name}") for group, row in cases]
        metafunc.parametrize("group, row", given)


@pytest.fixture(autouse=True)
def _random_state_is_restored():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def show(benchmark, request):
    """show(group, row): times the group if this is its first row, and gives this row's times to pytest-benchmark."""

    def run(group, row):
        if not benchmark.enabled:  # --benchmark-disable checks the gates alone
            benchmark.pedantic(_or_skip(row.prepare).call)
            return
        measured = _measured(group, request)
        timed = _or_skip(lambda: _raised(measured.rows[row.name]))
        benchmark.group = group.name
        benchmark.extra_info.update(_notes(group, row, measured))
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


def _measured(group, request) -> Measured:
    known = request.config.stash.setdefault(_MEASURED, {})
    if group.name not in known:
        given = [getattr(item, "callspec", None) for item in request.session.items]
        selected = [spec.params["row"] for spec in given if spec and spec.params.get("group") is group]
        known[group.name] = measure(group, selected, budget=_SECONDS)
    return known[group.name]


def _notes(group, row: Row, measured: Measured) -> dict:
    """What stands beside a row's times: its rate and share of the ceiling, its peers' ratios, memory and ceilings."""
    timed = measured.rows[row.name]
    notes = {**timed.notes, "backend": timed.backends, "calls_per_round": timed.calls}
    if row.by:
        notes["backend"] = f"{row.by} {version_of(_DISTRIBUTIONS.get(row.by, row.by))}"
    else:
        peers = {peer.name: measured.rows.get(peer.name) for peer in group.rows if peer.by}
        ratios = {name: ratio_quartiles(t.seconds, timed.seconds) for name, t in peers.items() if isinstance(t, Timed)}
        notes["ratio_quartiles"] = ratios
    if timed.memory_mib is not None:
        notes["peak_memory_mib"] = round(timed.memory_mib, 1)
    notes["ceiling_moved"] = measured.ceiling_moved
    for name, before in measured.before.items():
        notes[name] = [round(before, 1), round(measured.after[name], 1)]
    return notes | _rate(group, row, measured)


def _rate(group, row: Row, measured: Measured) -> dict[str, float]:
    """The row's rate and its share of the ceiling, the larger one of before and after; empty without arithmetic."""
    highest = {name: max(before, measured.after[name]) for name, before in measured.before.items()}
    done, unit = (group.flops, "gflops") if group.flops else (group.moved, "gb_per_s")
    if not done:
        return {}
    # bfloat16 products may run as float32 multiply-adds, where a processor has no others
    sum_rate = highest[FMA] if row.dtype == torch.float32 else max(highest[FMA], highest[BF16])
    rate = done / statistics.median(measured.rows[row.name].seconds) / 1e9
    ceiling = sum_rate if group.flops else highest[COPY]
    return {unit: round(rate, 2), "share_of_ceiling": round(rate / ceiling, 4)}


@pytest.hookimpl(optionalhook=True)
def pytest_benchmark_update_machine_info(config, machine_info):
    machine_info["fastdaae"] = machine()


def pytest_terminal_summary(terminalreporter, config):
    shown = config.stash.get(_SHOWN, [])
    if not shown:
        return
    write, line = terminalreporter.write_line, machine()
    terminalreporter.section("rows beside their peers (medians; a peer's time over ours: median [quartiles])")
    write(f"{line['machine']}, {line['threads']} threads, data: {line['data']}")
    write(line["cpp"])
    moved = {}
    for group in dict.fromkeys(group for group, *_ in shown):
        write(f"\n{group.name}")
        members = [member[1:] for member in shown if member[0] is group]
        for name, timed, info in sorted(members, key=lambda member: statistics.median(member[1].seconds)):
            write(_line(name, timed, info))
        if members[0][-1]["ceiling_moved"]:
            moved[group.name] = members[0][-1][FMA]
    for name, (before, after) in moved.items():
        write(f"\nTHE CEILING MOVED beside {name!r}: {before:.0f} -> {after:.0f} GFLOP/s; measure it again")


def _line(name: str, timed: Timed, info: dict) -> str:
    unit = next((unit for unit in ("gflops", "gb_per_s") if unit in info), None)
    words = {"gflops": "GFLOP/s", "gb_per_s": "GB/s   "}
    speed = f"{info[unit]:8.1f} {words[unit]} ({info['share_of_ceiling']:6.1%} of ceiling)" if unit else " " * 36
    memory = f"{info['peak_memory_mib']:8.1f} MiB" if "peak_memory_mib" in info else " " * 12
    ratios = [
        f"{peer} {m:.2f}x [{low:.2f}, {up:.2f}]" for peer, (low, m, up) in info.get("ratio_quartiles", {}).items()
    ]
    errors = [f"{key} {value:.2g}" for key, value in timed.notes.items()]
    return f"  {name:22s} {statistics.median(timed.seconds) * 1e3:10.4f} ms {speed} {memory}  " + ", ".join(
        [*ratios, *errors, f"[{info['backend']}]"]
    )
