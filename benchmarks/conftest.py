"""The fixture that times a row and notes what stands beside its time, and the table of those notes at the end."""

import pytest
import torch
from common import BackendsUsed, arithmetic_ceiling, copy_ceiling, machine, peak_memory

from fastdaae import backend

_ROWS = pytest.StashKey[list]()


@pytest.fixture(autouse=True)
def _random_state_is_restored():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield


@pytest.fixture
def use_backend(monkeypatch):
    """use_backend("reference"): what "auto" means in this row; skips where the machine lacks that backend."""

    def use(name: str) -> None:
        if name == "cpp" and backend.EXTENSION_PROBLEM is not None:
            pytest.skip(backend.EXTENSION_PROBLEM)
        monkeypatch.setattr(backend, "DEFAULT", name)

    return use


@pytest.fixture
def measure(benchmark, monkeypatch, request):
    """measure(group, call, ...): time a call that passed its gate, and write its extra_info.

    `by` names a peer and its version (ours: the backends that ran); flops and moved (bytes) are the operation's own,
    whatever the implementation does beyond them, so that rates compare within a group.
    """

    def run(group: str, call, *, rounds: int, by: str | None = None, flops=0, moved=0, dtype=torch.float32, **notes):
        benchmark.group = group
        info = benchmark.extra_info
        info.update(machine(), **notes)
        used = BackendsUsed(monkeypatch)
        memory = peak_memory(lambda: used(call))  # the warm-up too
        if memory is not None:
            info["peak_memory_mib"] = round(memory, 1)
        info["backend"] = by or str(used)
        # measured before the first row that needs it, once for the session
        ceiling = arithmetic_ceiling(dtype) if flops else copy_ceiling()
        benchmark.pedantic(call, rounds=rounds, iterations=1)
        if benchmark.stats is None:  # --benchmark-disable checks the gates alone
            return
        seconds = benchmark.stats.stats.median
        rate, unit = (flops / seconds / 1e9, "gflops") if flops else (moved / seconds / 1e9, "gb_per_s")
        info[unit], info[ceiling.name] = round(rate, 2), round(ceiling.rate, 1)
        info["share_of_ceiling"] = round(rate / ceiling.rate, 4)
        name = request.node.name.removeprefix("test_")
        request.config.stash.setdefault(_ROWS, []).append((group, name, seconds, rate, unit, info))

    return run


def pytest_terminal_summary(terminalreporter, config):
    rows = config.stash.get(_ROWS, [])
    if not rows:
        return
    terminalreporter.section("rows beside their peers (medians)")
    terminalreporter.write_line(f"{machine()['machine']}, {machine()['threads']} threads, data: {machine()['data']}")
    terminalreporter.write_line(machine()["engine"])
    for group in dict.fromkeys(row[0] for row in rows):
        terminalreporter.write_line(f"\n{group}")
        members = [row for row in rows if row[0] == group]
        for row in sorted(members, key=lambda row: row[2]):
            terminalreporter.write_line(_line(*row[1:]))


def _line(name: str, seconds: float, rate: float, unit: str, info: dict) -> str:
    speed = f"{rate:8.1f} {'GFLOP/s' if unit == 'gflops' else 'GB/s   '} ({info['share_of_ceiling']:6.1%} of ceiling)"
    memory = f"{info['peak_memory_mib']:8.1f} MiB" if "peak_memory_mib" in info else " " * 12
    errors = ", ".join(f"{key} {value:.2g}" for key, value in info.items() if "error" in key or "identical" in key)
    return f"  {name:42s} {seconds * 1e3:10.3f} ms {speed} {memory}  {errors}  [{info['backend']}]"
