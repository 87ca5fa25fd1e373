"""The records of results: every number with its seeds, the paper's beside it, and what became of the claims."""

import json

from recipe_record import lines, write_record

from fastdaae.experiments import Figure, Order, across, reproduce
from tests.experiments.small import constant, recipe


def test_a_result_is_recorded_with_its_seeds_the_paper_s_figures_and_its_claims(tmp_path):
    made = recipe(
        constant(5.0),
        constant(1.0),
        figures=[Figure("a", "number", "seed", 9.0, "Table I")],
        orders=[Order("A >= B", across("number", "seed", "a", "b"))],
    )
    reproduce(made, "smoke", tmp_path / "out", progress=False, tell=lambda line: None)
    path = write_record(tmp_path / "out", tmp_path / "results")
    record = json.loads(path.read_text())
    assert path.name == "small.json" and record["seeds"] == [0, 1] and record["budget"] == "smoke"
    first, drawn, second, _ = record["rows"]
    assert (first["cell"], first["value"], first["seeds"], first["paper"], first["table"]) == (
        *("A", 5.5, [5.0, 6.0]),
        *(9.0, "Table I"),
    )
    assert (second["cell"], second["seeds"], second["shown"], drawn["shown"]) == ("B", [1.0, 2.0], True, False)
    assert "paper" not in second and "curve" not in first and record["claims"][0]["verdict"] == "holds"
    told = list(lines(path.parent))
    assert "| number: seed | A | 5.50 ± 0.71 | 9.00 (Table I) |" in told
    assert "| number: seed | B | 1.50 ± 0.71 | - |" in told
    assert any(line.startswith("| A >= B | holds |") for line in told)
