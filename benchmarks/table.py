"""The records of a folder as a table for people: `python benchmarks/table.py results/MACHINE`.

A line for every row of ours: its time, its share of the ceiling, and each peer with its time and ratio, the best
correct one first. A peer that fails the gate says by how much it is wrong.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

BENCHMARKS = Path(__file__).parent
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "us"))


def lines(folder: Path) -> Iterator[str]:
    """The table's lines, Markdown."""
    yield "| row | ours | of ceiling | peers, in turn with ours: the best correct one, then the others |"
    yield "|---|---|---|---|"
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text())["rows"] if (BENCHMARKS / f"bench_{path.stem}.py").exists() else []
        rows = {(row["group"], row["row"]): row for row in found}
        yield from (_line(row, rows) for row in rows.values() if "ratio_quartiles" in row and _shown(row))


def _shown(row: dict) -> bool:
    return row["row"] != "ours-reference"


def _line(row: dict, rows: dict) -> str:
    group, name = row["group"], row["row"].removeprefix("ours").removeprefix("-").replace("-", " ")
    moved = " *" if row.get("ceiling_moved") else ""
    told = f"{group}, {name}{moved}" if name else f"{group}{moved}"
    share = row.get("share_of_ceiling")
    best = row.get("best_peer")
    peers = sorted(row["ratio_quartiles"], key=lambda peer: (peer != best, rows[group, peer]["median"]))
    listed = "; ".join(_peer(peer, rows[group, peer], row["ratio_quartiles"][peer]) for peer in peers)
    return f"| {told} | {seconds(row['median'])} | {'-' if share is None else f'{share:.0%}'} | {listed} |"


def _peer(name: str, peer: dict, quartiles: list[float]) -> str:
    low, median, high = quartiles
    wrong = f", {peer['wrong']}" if "wrong" in peer else ""
    return f"{name} {seconds(peer['median'])}{wrong}: {median:.2f}x [{low:.2f}, {high:.2f}]"


def seconds(value: float) -> str:
    """A time with three digits: "361 ms"."""
    scale, unit = next(((scale, unit) for scale, unit in UNITS if value >= scale), UNITS[-1])
    return f"{float(f'{value / scale:.3g}'):g} {unit}"


if __name__ == "__main__":
    print(*lines(Path(sys.argv[1])), sep="\n")
