"""A pytest plugin, `-p gpu_check.rows`: every test and benchmark row appends its JSON line when it ends.

The file is that of FASTDAAE_GPU_ROWS. Under pytest-xdist the controller writes what its workers report.
"""

import os
from pathlib import Path

import pytest

from gpu_check.runner import append_row

# the machine's line has these
_OF_THE_MACHINE = ("machine", "threads", "torch", "data", "isa", "cpp", "versions", "gpu")
_LONGEST_ERROR = 2000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    timed = getattr(getattr(item, "funcargs", {}).get("benchmark"), "stats", None)
    if call.when == "call" and timed is not None:
        report.user_properties.append(("benchmark", _times(item.funcargs["benchmark"])))
    return report


def _times(benchmark) -> dict:
    """A row's group, its times in seconds, and what the benchmark noted beside them."""
    stats = benchmark.stats.stats
    times = {name: round(getattr(stats, name), 7) for name in ("median", "min", "max")}
    notes = {name: value for name, value in benchmark.extra_info.items() if name not in _OF_THE_MACHINE}
    return {"group": benchmark.group, **times, "rounds": stats.rounds, **notes}


def pytest_configure(config):
    # a worker's reports are the controller's too
    if "FASTDAAE_GPU_ROWS" in os.environ and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Writer(Path(os.environ["FASTDAAE_GPU_ROWS"])), "gpu_check_writer")


class _Writer:
    def __init__(self, path: Path):
        self.path = path

    def pytest_runtest_logreport(self, report):
        if report.when != "call" and report.outcome == "passed":
            return
        row = {"test": report.nodeid, "when": report.when, "outcome": report.outcome}
        row["seconds"] = round(report.duration, 3)
        if report.outcome != "passed":
            row["why"] = str(report.longrepr)[-_LONGEST_ERROR:]
        append_row(self.path, row | dict(report.user_properties).get("benchmark", {}))
