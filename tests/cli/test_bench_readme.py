"""What the bench writes beside its tables: the file of figures, the README's summary, the pictures of rows."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from lanista.bench.claims import Claim, Verdict, judge
from lanista.bench.race import Lane, Plan, Side, Slice
from lanista.bench.results import Row, as_json, machine
from lanista.bench.run import Targets
from lanista.bench.summary import check_marked, kept_rows, merged, put
from lanista.errors import UsageError


@pytest.fixture
def plan() -> Plan:
    return Plan(rounds=1, seconds=0.05, core=max(os.sched_getaffinity(0)), quick=True, report=lambda text: None)


def row_of_stepping(rate: float) -> Row:
    sides = [(Side("ours", "lanista.bench.ours.stepping"), rate), (Side("PettingZoo", "lanista.bench.peers.x"), 2e4)]
    lanes = [Lane(side, [Slice(steps, 1.0, 2.0)] * 20, {"numpy": "2.0"}) for side, steps in sides]
    claims = [Claim("random play", "ours", least=5e6, unit="steps/s"), Claim("times it", "ours", "PettingZoo", least=9)]
    return Row("stepping", "Stepping.", "steps", [judge(claim, lanes) for claim in claims], lanes)


def test_summary_stands_between_the_marks_and_nothing_else_changes(plan: Plan, tmp_path: Path) -> None:
    readme, figures = tmp_path / "README.md", tmp_path / "bench.json"
    readme.write_text("# Ours\n\n<!-- bench -->\nold\n<!-- /bench -->\n\nAfter it.\n")
    where = machine(replace(plan, quick=False))
    targets = Targets(json=figures, readme=readme, plots=tmp_path / "pictures")
    for rate in (3e6, 4e6):  # measured anew: the newer one stands
        targets.check(quick=False)
        targets.write([row_of_stepping(rate)], where, ModuleType("a row that has no drawing of its own"))
    start = replace(row_of_stepping(1.0), id="start", verdicts=[Verdict(Claim("slow", "ours"), None, None, "gone")])
    targets.write([start], where, ModuleType("another"))
    quick = as_json([replace(start, id="agents")], machine(plan))["rows"]
    put(readme, merged(kept_rows(figures), quick), figures)
    text = readme.read_text()
    assert text.startswith("# Ours\n\n<!-- bench -->\n") and text.endswith("\n<!-- /bench -->\n\nAfter it.\n")
    assert "old" not in text and f"\nlanista bench start stepping --json {figures} --readme {readme}\n" in text
    assert "| `stepping` | random play | 4 M steps/s (4 M to 4 M) |  |  | at least 5 M steps/s | **no** |" in text
    assert "|  | times it | 4 M steps/s | PettingZoo: 20 k steps/s | 200 (200 to 200) | at least 9 x | yes |" in text
    assert "| `start` | slow | not measured |  |  |  |  |" in text and "Versions: numpy 2." in text
    assert "agents" not in text, "quick figures are no results"
    drawn = (tmp_path / "pictures" / "stepping.svg").read_text()
    told = "\n".join(re.findall("<!-- (.*?) -->", drawn))
    assert all(words in told for words in ("lanista bench stepping", "PettingZoo", "times it", "steps a CPU second"))


def test_files_that_are_no_figures_and_marks_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text('{"rows": [{"id": "stepping"}]}')
    with pytest.raises(UsageError, match="holds no rows of the bench"):
        kept_rows(file)
    assert kept_rows(tmp_path / "not_there.json") == [] == kept_rows(None)
    file.write_text("<!-- /bench -->\n<!-- bench -->\n")
    with pytest.raises(UsageError, match="has no place for the table"):
        check_marked(file)
