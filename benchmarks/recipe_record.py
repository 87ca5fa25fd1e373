"""Keeps what matters of a recipe's result: `python benchmarks/recipe_record.py RESULT_DIR results/MACHINE/recipes`.

Every measure of every cell with its value for each seed, the paper's figure beside, and what became of the claims;
curves stay in the result's own folder. `python benchmarks/recipe_record.py results/MACHINE/recipes` shows the records
of a folder as Markdown.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from record import commit

FACTS = ("recipe", "title", "source", "budget", "settings", "precision", "seeds", "machine")
CLAIM = ("claim", "verdict", "paper", "differences")


def write_record(result_dir: Path, target: Path) -> Path:
    """Write target/RECIPE.json of a result's folder, a line for each measure and claim."""
    result = json.loads((result_dir / "result.json").read_text())
    paper = {(one["cell"], one["measure"], one["of"]): one for one in result["figures"]}
    claimed = {tuple(place.values()) for one in result["verdicts"] for place in one["places"]}
    parts = {
        "rows": [row for cell in result["cells"] for row in _rows(cell, paper, claimed)],
        "claims": [{key: one[key] for key in CLAIM} for one in result["verdicts"]],
    }
    seconds = {cell["name"]: [run["seconds"] for run in cell["runs"]] for cell in result["cells"]}
    line = {**{key: result[key] for key in FACTS}, "commit": commit(), "seconds": seconds}
    told = [f' "{key}": [\n  ' + ",\n  ".join(map(json.dumps, some)) + "\n ]" for key, some in parts.items()]
    path = target / f"{result['recipe']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(line)[:-1] + ",\n" + ",\n".join(told) + "}\n")
    return path


def _rows(cell: dict, paper: dict, claimed: set[tuple]) -> Iterator[dict]:
    for measure in cell["measures"]:
        place = cell["name"], measure["name"], measure["of"]
        row = {"cell": cell["title"], **{key: part for key, part in measure.items() if key != "curve"}}
        row["seeds"] = [_value(run, measure) for run in cell["runs"]]
        row |= {"paper": paper[place]["value"], "table": paper[place]["table"]} if place in paper else {}
        yield row | {"shown": place in paper or place in claimed}


def _value(run: dict, measure: dict) -> float | None:
    same = (one["value"] for one in run["measures"] if (one["name"], one["of"]) == (measure["name"], measure["of"]))
    return next(same, None)


def lines(folder: Path) -> Iterator[str]:
    """The records of a folder, Markdown: the numbers that the paper prints or claims something of, and its claims."""
    for path in sorted(folder.glob("*.json")):
        record = json.loads(path.read_text())
        minutes = sum(map(sum, record["seconds"].values())) / 60
        yield f"### `{record['recipe']}`: {record['title']}\n"
        seeds = ", ".join(map(str, record["seeds"]))
        machine, when = record["machine"]["machine"], f"{minutes:.0f} minutes, commit {record['commit']}"
        yield f"Budget {record['budget']}, seeds {seeds}, {machine}, {when}.\n"
        yield "| measure | of | ours | paper |"
        yield "|---|---|---|---|"
        yield from (_line(row) for row in record["rows"] if row["shown"])
        yield ""
        yield "| the paper's claim | our numbers | its own figures |"
        yield "|---|---|---|"
        yield from (f"| {one['claim']} | {one['verdict']} | {one['paper'] or '-'} |" for one in record["claims"])
        yield ""


def _line(row: dict) -> str:
    unit = f", {row['unit']}" if row.get("unit") not in (None, "share") else ""
    spread = row.get("seed_deviation", row.get("standard_error"))
    ours = "not measured" if row["value"] is None else _number(row, row["value"])
    ours += "" if spread is None or row["value"] is None else f" ± {_number(row, spread)}"
    paper = f"{_number(row, row['paper'])} ({row['table']})" if "paper" in row else "-"
    return f"| {row['name']}{unit}: {row['of']} | {row['cell']} | {ours} | {paper} |"


def _number(row: dict, value: float) -> str:
    digits = row.get("digits", 2)
    return f"{100 * value:.{digits}f} %" if row.get("unit") == "share" else f"{value:,.{digits}f}"


if __name__ == "__main__":
    given = [Path(one) for one in sys.argv[1:]]
    print(*([write_record(*given)] if len(given) == 2 else lines(*given)), sep="\n")
