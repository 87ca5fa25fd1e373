"""What stands beside a row's times: the best peer, ratios to all of them, the rate, and its share of the ceiling.

Rates count the operations that a row really does, or fewer: a self-join's pairs once where they are multiplied once, a
layer once where the mean over copies moves before it. A share is of the ceiling of the numbers that are multiplied.
"""

import statistics

import torch
from ceilings import BF16, BYTES, COPY, FMA, highest
from common import version_of
from interleaved import Group, Measured, Row, Timed, ratio_quartiles

_DISTRIBUTIONS = {"sklearn": "scikit-learn", "faiss": "faiss-cpu"}
_CEILINGS = {torch.float32: FMA, torch.float64: FMA, torch.bfloat16: BF16, torch.uint8: BYTES}


def notes_of(group: Group, row: Row, measured: Measured) -> dict:
    """A row's record beside its times, ready for JSON."""
    timed = measured.rows[row.name]
    notes = {**timed.notes, "backend": timed.backends, "calls_per_round": timed.calls}
    if row.by:
        notes["backend"] = f"{row.by} {version_of(_DISTRIBUTIONS.get(row.by, row.by))}"
        notes |= {"wrong": timed.wrong} if timed.wrong else {}
    else:
        notes |= _ratios(group, row, measured)
    if timed.memory_mib is not None:
        notes["peak_memory_mib"] = round(timed.memory_mib, 1)
    notes["ceiling_moved"] = measured.ceiling_moved
    for name, before in measured.before.items():
        notes[name] = [round(before, 1), round(measured.after[name], 1)]
    return notes | rate_of(group, row, measured)


def best_peer(group: Group, row: Row, measured: Measured) -> str | None:
    """The fastest peer that passed the gate of this row; None where none did.

    Rows in bfloat16 have a wider gate, and so are no peers of rows in float32; the other way round they are.
    """
    times = {
        peer.name: statistics.median(measured.rows[peer.name].seconds)
        for peer in _timed_peers(group, measured)
        if not measured.rows[peer.name].wrong and (peer.dtype != torch.bfloat16 or row.dtype == torch.bfloat16)
    }
    return min(times, key=times.get, default=None)


def _timed_peers(group: Group, measured: Measured) -> list[Row]:
    return [peer for peer in group.rows if peer.by and isinstance(measured.rows.get(peer.name), Timed)]


def _ratios(group: Group, row: Row, measured: Measured) -> dict:
    """A peer's time over the row's: the quartiles of the rounds' ratios, and the median of the best peer's."""
    seconds, best = measured.rows[row.name].seconds, best_peer(group, row, measured)
    peers = _timed_peers(group, measured)
    quartiles = {peer.name: ratio_quartiles(measured.rows[peer.name].seconds, seconds) for peer in peers}
    return {"ratio_quartiles": quartiles, "best_peer": best, "ratio_to_best": quartiles[best][1] if best else None}


def rate_of(group: Group, row: Row, measured: Measured) -> dict:
    """The row's rate and its share of the highest ceiling that was measured; empty without arithmetic.

    None for a share above 1: other work slowed the ceiling's measurement and not the row's, and there is no share.
    """
    flops = row.flops or group.flops
    if not flops and not group.moved:
        return {}
    unit, name = ("gflops", _CEILINGS[row.dtype]) if flops else ("gb_per_s", COPY)
    rate = (flops or group.moved) / statistics.median(measured.rows[row.name].seconds) / 1e9
    ceiling = max(measured.before[name], measured.after[name], highest(name, group.moved))
    if flops and row.dtype == torch.float64:  # half as many lanes
        ceiling /= 2
    share = round(rate / ceiling, 4)
    return {unit: round(rate, 2), "ceiling": name, "share_of_ceiling": share if share <= 1 else None}


def line_of(name: str, timed: Timed, info: dict) -> str:
    """A row of the terminal's table."""
    unit = next((unit for unit in ("gflops", "gb_per_s") if unit in info), None)
    words = {"gflops": "GFLOP/s", "gb_per_s": "GB/s   "}
    speed = f"{info[unit]:8.1f} {words[unit]} ({_told(info['share_of_ceiling'])})" if unit else " " * 36
    memory = f"{info['peak_memory_mib']:8.1f} MiB" if "peak_memory_mib" in info else " " * 12
    ratios = [
        f"{peer} {m:.2f}x [{low:.2f}, {up:.2f}]" for peer, (low, m, up) in info.get("ratio_quartiles", {}).items()
    ]
    errors = [f"{key} {value:.2g}" for key, value in timed.notes.items()]
    time = f"{statistics.median(timed.seconds) * 1e3:10.4f} ms"
    return f"  {name:22s} {time} {_against_best(info):28s} {speed} {memory}  " + ", ".join(
        [*ratios, *errors, f"[{info['backend']}]"]
    )


def _told(share: float | None) -> str:
    return f"{'no share':>17s}" if share is None else f"{share:6.1%} of ceiling"


def _against_best(info: dict) -> str:
    """The column of the best peer: the ratio to it, or by how much a peer is wrong."""
    if "best_peer" not in info:
        return info.get("wrong", "").replace("wrong by", "WRONG BY")
    return f"{info['ratio_to_best']:8.2f}x {info['best_peer']}" if info["best_peer"] else "no correct peer"
