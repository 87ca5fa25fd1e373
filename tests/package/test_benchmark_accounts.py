"""The benchmarks' honesty: one gate for all, the best correct peer, shares of what was done, peers at their best."""

import importlib
import json
import re

import accounting
import adversarial
import kernel_density
import numpy as np
import pytest
import torch
from ceilings import BF16, BYTES, COPY, FMA
from common import images, make_networks, pixels
from gates import Gate, distances, log_densities, require, wrong
from interleaved import Group, Measured, Ready, Row, Timed, measure
from torch.utils.flop_counter import FlopCounterMode

from tests import tools

BENCHMARKS = tools.ROOT / "benchmarks"
HALF, BYTE = torch.bfloat16, torch.uint8
FAILED, PASSED = Gate("max_error_nats", 641.5, 1e-3, "nats"), Gate("max_error_nats", 1e-5, 1e-3, "nats")


def test_a_gate_says_by_how_much_a_row_is_wrong():
    exact = torch.tensor([-67.6, -1e6], dtype=torch.float64)
    near, far = log_densities(exact + torch.tensor([9e-4, 0.9]), exact), log_densities(exact + 1.05, exact)
    assert near.passed and not far.passed and wrong((PASSED, far)) == "wrong by 1.05 nats" and wrong((near,)) == ""
    assert not log_densities(exact * float("nan"), exact).passed
    assert distances(torch.tensor([1.00000001]), torch.ones(1)).passed
    assert not distances(torch.tensor([1.0001]), torch.ones(1)).passed
    with pytest.raises(AssertionError, match="ours: max_error_nats must be at most 0.001 nats, got 642"):
        require("ours", (PASSED, FAILED))


def test_a_wrong_peer_is_shown_and_marked_where_ours_is_refused(monkeypatch):
    monkeypatch.setattr("interleaved.ceilings", lambda names, moved: dict.fromkeys(names, 1.0))
    rows = (Row("ours", lambda: Ready(int, (FAILED,))), Row("peer", lambda: Ready(int, (FAILED,)), "torch"))
    measured = measure(Group("group", rows), rows, budget=0.0)
    assert isinstance(measured.rows["ours"], AssertionError)
    timed = measured.rows["peer"]
    notes = accounting.notes_of(Group("group", rows), rows[1], measured)
    assert notes["wrong"] == timed.wrong == "wrong by 641.5 nats" and len(timed.seconds) == 3
    assert "WRONG BY 641.5 nats" in accounting.line_of("peer", timed, notes)


def measured_of(**seconds: tuple[float, str]) -> Measured:
    rows = {name: Timed([time] * 3, 1, {}, None, "", why) for name, (time, why) in seconds.items()}
    return Measured(
        rows, {FMA: 100.0, BF16: 200.0, BYTES: 400.0, COPY: 10.0}, {FMA: 90.0, BF16: 250.0, BYTES: 1.0, COPY: 9.0}
    )


@pytest.mark.parametrize(
    "dtype, wrong_ones, best, ratio",
    [
        (torch.float32, (), "plain", 6.0),
        (torch.float32, ("plain",), "slow", 9.0),
        (torch.float32, ("plain", "slow"), None, None),
        (HALF, (), "half", 2.0),  # whose gate is wider: it is no peer of float32
        (HALF, ("half",), "plain", 6.0),
    ],
)
def test_the_best_peer_is_the_fastest_correct_one(dtype, wrong_ones, best, ratio):
    names = {"plain": 6.0, "slow": 9.0, "half": 2.0}
    peers = tuple(Row(name, Ready, "torch", HALF if name == "half" else torch.float32) for name in names)
    ours = Row("ours", Ready, dtype=dtype)
    times = {name: (time, "wrong by 1 nats" if name in wrong_ones else "") for name, time in names.items()}
    measured = measured_of(ours=(1.0, ""), **times)
    group = Group("group", (ours, *peers))
    notes = accounting.notes_of(group, ours, measured)
    assert (notes["best_peer"], notes["ratio_to_best"]) == (best, ratio)
    assert (f"{ratio:.2f}x {best}" if best else "no correct peer") in accounting.line_of(
        "ours", measured.rows["ours"], notes
    )


@pytest.mark.parametrize(
    "dtype, ceiling, share",
    [(torch.float32, FMA, 0.9), (torch.float64, FMA, None), (HALF, BF16, 0.36), (BYTE, BYTES, 0.225)],
)
def test_a_share_is_of_the_ceiling_of_what_is_multiplied(dtype, ceiling, share):
    row = Row("ours", Ready, dtype=dtype)
    found = accounting.rate_of(Group("group", (row,), flops=90 * 10**9), row, measured_of(ours=(1.0, "")))
    assert found == {"gflops": 90.0, "ceiling": ceiling, "share_of_ceiling": share}
    if share is None:  # above 1 of half a ceiling: a share that is none
        half = accounting.rate_of(Group("group", (row,), flops=45 * 10**9), row, measured_of(ours=(1.0, "")))
        assert half["share_of_ceiling"] == 0.9
    own = accounting.rate_of(Group("group", (row,), flops=1), row._replace(flops=10**9), measured_of(ours=(1.0, "")))
    assert own["gflops"] == 1.0
    moved = accounting.rate_of(Group("group", (row,), moved=10**9), row, measured_of(ours=(1.0, "")))
    assert moved == {"gb_per_s": 1.0, "ceiling": COPY, "share_of_ceiling": 0.1}


OWN, EVERY = 784 * 10_000 * 9_999, 2 * 784 * 10_000**2


@pytest.mark.parametrize(
    "module, group, ours, peers",
    [
        ("bench_neighbors", "neighbors among 10000 x 784, k = 100", OWN, EVERY),  # a pair of a set's own points once
        ("bench_neighbors", "neighbors of 64 queries among 60000 x 784, k = 100", *[2 * 784 * 64 * 60_000] * 2),
        ("bench_parzen", "parzen 10000 x 10000 x 784, 10 bandwidths", EVERY, EVERY),
    ],
)
def test_pairs_are_counted_as_often_as_they_are_multiplied(module, group, ours, peers):
    [found] = [one for one in importlib.import_module(module).GROUPS if one.name == group]
    for row in found.rows:
        assert (row.flops or found.flops) == (peers if row.by else ours), row.name
        assert (row.dtype == BYTE) == ("bytes" in row.name)


COUNTED = {
    "bench_encoding": r"encode_mean|linear_mean|linear_sigmoid_corrupt, 64",
    "bench_layers": r"layer 64 |weight gradient|corrupted_linear",
    "bench_networks": r"Dropout",
    "bench_training_step": r"M = 5$",
}


@pytest.mark.slow
@pytest.mark.parametrize("module", COUNTED)
def test_arithmetic_is_what_pytorch_counts_or_less(module):
    rows = [
        (group, row)
        for group in importlib.import_module(module).GROUPS
        for row in group.rows
        if re.search(COUNTED[module], group.name) and row.name == "torch"
    ]
    assert rows
    for group, row in rows:
        call = row.prepare().call
        with FlopCounterMode(display=False) as counter:
            call()
        assert 1.0 <= counter.get_total_flops() / (row.flops or group.flops) < 1.01, group.name


@pytest.mark.needs_cpp
def test_ceilings_of_every_instruction_set():
    """Registers are not faster than 16 lanes, four products each, at 10 GHz on four ports; loops left out would be."""
    module = tools.compiled()
    usual = module.build_info()["isa"]
    try:
        for isa in module.build_info()["isas"]:
            module.choose_isa(isa)
            measures = (module.multiply_add_ceiling, module.bf16_product_ceiling, module.byte_product_ceiling)
            floats, halves, whole = (max(measure(0.01, 1) for _ in range(3)) for measure in measures)
            assert 0 < floats < 2e3
            assert (0 < halves < 4e3 and 0 < whole < 8e3) if isa == "avx512_bf16" else halves == whole == 0
    finally:
        module.choose_isa(usual)


def test_recorded_shares_are_shares():
    """Of the records that say which ceiling a share is of, as those of earlier versions do not."""
    records = [json.loads(path.read_text()) for path in (tools.ROOT / "results").glob("*-cores/*.json")]
    rows = [row for record in records for row in record.get("rows", ()) if isinstance(row, dict)]
    assert len(rows) > 100
    for row in rows:
        assert (row.get("share_of_ceiling") or 0) <= 1 or "ceiling" not in row, (row["group"], row["row"])


def test_every_adam_is_fused():
    for path in BENCHMARKS.rglob("*.py"):
        made = re.findall(r"optim\.Adam\(.*", path.read_text())
        assert all("fused=True" in one for one in made), path.name
    for plain in (False, True):
        eager = adversarial.Eager(make_networks((8, 4, 2)), None, plain=plain)
        assert all(optimizer.defaults["fused"] for optimizer in eager.optimizers.values())


def test_kernel_density_as_it_comes_is_wrong_in_784_dimensions():
    samples, queries = pixels(images()[:3000]).numpy(), pixels(images()[5000:5020]).numpy()
    default, one_leaf, ours = kernel_density.log_densities(samples, queries, 0.1)
    assert np.abs(one_leaf - ours).max() < 0.01 and np.abs(default - ours).max() > 10
