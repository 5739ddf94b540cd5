"""The bench: its statistic, its sides, its tables and its words. What it measures is no matter of tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace

import numpy as np
import pytest

from lanista.bench.claims import Claim, judge, median_interval
from lanista.bench.environments import NotInstalledError, python_of
from lanista.bench.processes import waited_seconds
from lanista.bench.race import Lane, Plan, Running, Side, SideError, Slice, race
from lanista.bench.results import Row, as_json, as_markdown, figure, machine
from lanista.bench.run import rows_at_once
from lanista.cli.main import main
from lanista.errors import UsageError

STEPPING = Side("ours", "lanista.bench.ours.stepping", {"game": "connect_four", "copies": 64}, packages=("numpy",))
PETTINGZOO = Side("PettingZoo", "lanista.bench.peers.pettingzoo_stepping", packages=("pettingzoo",))
NOT_HERE = Side("pgx", "lanista.bench.peers.pgx_stepping", {"game": "connect_four", "copies": 8})


@pytest.fixture
def plan() -> Plan:
    return Plan(rounds=3, seconds=0.05, core=max(os.sched_getaffinity(0)), quick=True, report=lambda text: None)


def lane(side: Side, rates: Sequence[float]) -> Lane:
    return Lane(side, [Slice(rate, 1.0, 2.0) for rate in rates], {"numpy": "2"})


def test_twenty_values_have_the_interval_of_the_sign_test() -> None:
    found = median_interval([float(value) for value in range(20, 0, -1)])
    assert (found.median, found.low, found.high) == (10.5, 6, 15)
    assert found.confidence == pytest.approx(0.9586, abs=1e-4)


@pytest.mark.parametrize(("values", "confidence"), [([3.0], 0.0), ([1.0, 2.0], 0.5), ([1.0, 2, 3, 4, 5], 0.9375)])
def test_too_few_values_tell_the_confidence_they_have(values: list[float], confidence: float) -> None:
    found = median_interval(values)
    assert (found.low, found.high, found.confidence) == (min(values), max(values), confidence)


def test_who_shares_a_core_waits_for_it() -> None:
    core = max(os.sched_getaffinity(0))
    busy = [sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"]
    both = [subprocess.Popen(busy) for _ in range(2)]
    try:
        while not all(waited_seconds(each.pid) > 0.02 for each in both):
            time.sleep(0.01)
    finally:
        for each in both:
            each.kill()
            each.wait()
    assert waited_seconds(both[0].pid) == 0  # it is gone


def test_no_values_have_no_median() -> None:
    with pytest.raises(ValueError, match="no median"):
        median_interval([])


def test_interval_covers_the_median_of_skewed_values() -> None:
    drawn = np.random.default_rng(0).lognormal(size=(2000, 20))
    intervals = [median_interval(values.tolist()) for values in drawn]
    covered = np.mean([found.low <= 1.0 <= found.high for found in intervals])
    assert covered == pytest.approx(0.9586, abs=0.015)


def test_ratio_is_of_slices_side_by_side() -> None:
    # The machine slows down fourfold over the race: both sides suffer, their ratio does not.
    pace = np.geomspace(1, 0.25, 20).tolist()
    lanes = [lane(STEPPING, [300 * at for at in pace]), lane(PETTINGZOO, [100 * at for at in pace])]
    verdict = judge(Claim("faster", "ours", "PettingZoo", least=2.9), lanes)
    assert verdict.found is not None and verdict.met is True
    assert verdict.found.low == pytest.approx(3) and verdict.found.high == pytest.approx(3)
    assert judge(Claim("faster", "ours", "PettingZoo", least=3.1), lanes).met is False


def test_own_figures_and_seconds_a_step() -> None:
    lanes = [lane(STEPPING, [4.0, 4.0, 4.0])]
    rate = judge(Claim("steps", "ours", least=5, unit="steps/s"), lanes)
    wait = judge(Claim("start", "ours", most=0.5, unit="s"), lanes)
    assert rate.found is not None and rate.found.median == 4 and rate.met is False
    assert wait.found is not None and wait.found.median == 0.25 and wait.met is True
    assert judge(Claim("compared", "ours"), lanes).met is None


def test_sides_take_turns_and_one_that_fails_drops_out(plan: Plan) -> None:
    ours, peer, missing = race([STEPPING, PETTINGZOO, NOT_HERE], plan)
    for measured in (ours, peer):
        assert measured.trouble is None and len(measured.slices) == 3
        assert all(piece.steps > 0 and piece.cpu_seconds > 0 for piece in measured.slices)
    assert set(peer.versions) == {"pettingzoo"}
    assert missing.trouble is not None and "jax" in missing.trouble
    verdict = judge(Claim("faster", "ours", "pgx", least=1), [ours, peer, missing])
    assert verdict.found is None and verdict.met is None
    table = as_markdown([Row("stepping", "Stepping.", "steps", [verdict], [ours, peer, missing])], machine(plan))
    assert "not measured: pgx: ModuleNotFoundError" in table


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core only")
def test_a_quick_look_measures_a_row_on_each_core_at_once(plan: Plan) -> None:
    together = Barrier(2)

    def measure(own: Plan) -> Row:
        together.wait(120)  # nobody passes before two rows are here
        lanes = race([STEPPING], own)
        assert os.sched_getaffinity(0) == cores, "a row's thread is not bound, only its sides are"
        return Row(str(own.core), "A row.", "steps", [], lanes)

    cores = os.sched_getaffinity(0)
    rows = {name: SimpleNamespace(measure=measure) for name in ("one", "other")}
    alone = SimpleNamespace(ALONE=True, measure=lambda own: Row("last", "Alone.", "steps", [], []))
    found = dict(rows_at_once({"alone": alone, **rows}, plan))
    assert list(found)[-1] == "alone"
    assert {int(found[name].id) for name in rows} <= cores and found["one"].id != found["other"].id
    assert all(len(found[name].lanes[0].slices) == plan.rounds for name in rows)


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core only")
def test_a_row_that_is_the_users_mistake_ends_the_one_beside_it(plan: Plan) -> None:
    said: list[str] = []

    def endless(own: Plan) -> Row:
        return Row("endless", "A row.", "steps", [], race([STEPPING], own))

    def mistaken(own: Plan) -> Row:
        while "round 1 of 100000" not in said:  # the other is at work
            time.sleep(0.01)
        raise UsageError("no such thing")

    rows = {"endless": SimpleNamespace(measure=endless), "mistaken": SimpleNamespace(measure=mistaken)}
    with pytest.raises(UsageError, match="no such thing"):
        list(rows_at_once(rows, replace(plan, rounds=100_000, report=said.append)))


def test_a_side_that_is_killed_says_so_and_leaves_nothing(plan: Plan) -> None:
    running = Running(PETTINGZOO, plan)
    number = running._process.pid
    assert os.sched_getaffinity(number) == {plan.core}
    running._process.kill()
    with pytest.raises(SideError, match="ended with code -9"):
        running.run(0.05)
    running.stop()
    assert not Path(f"/proc/{number}").exists()


def test_an_environment_that_cannot_be_made_is_no_number(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(NotInstalledError, match="cannot be made"):
        python_of("envpool", plan.report)
    (apart,) = race([replace(NOT_HERE, environment="envpool")], plan)
    assert apart.trouble is not None and "cannot be made" in apart.trouble


def test_tables_and_json_hold_every_slice(plan: Plan) -> None:
    lanes = [lane(STEPPING, [4e6] * 20), lane(PETTINGZOO, [2e4] * 20)]
    claims = [Claim("faster | much", "ours", "PettingZoo", least=100), Claim("steps", "ours", unit="steps/s")]
    row = Row("stepping", "Stepping.", "steps", [judge(claim, lanes) for claim in claims], lanes, ["A note."])
    told = json.loads(json.dumps(as_json([row], machine(plan))))
    assert told["rows"][0]["machine"]["core"] == plan.core
    assert [len(side["slices"]) for side in told["rows"][0]["lanes"]] == [20, 20]
    assert told["rows"][0]["verdicts"][0]["found"]["median"] == 200
    table = as_markdown([row], machine(plan))
    assert "| faster / much | 200 x | 200 to 200 | at least 100 x | yes |" in table
    assert "| PettingZoo | 20 k | 10 k | numpy 2 |" in table and "- A note." in table


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(12345678, "steps/s", "12.3 M steps/s"), (12345, "", "12.3 k"), (1234, "x", "1234 x"), (0.5, "%", "50.0 %")],
)
def test_figures_are_short(value: float, unit: str, text: str) -> None:
    assert figure(value, unit) == text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["steping"], "did you mean 'stepping'?"),
        (["strength"], "--agent runs/x"),
        (["perception"], "--encoders runs/bench"),
        (["stepping", "--encoders", "x"], "only the rows perception and transfer"),
        (["stepping", "--ways", "text"], "only the row transfer has --levels, --ways and --steps"),
        (["transfer", "--encoders", "x", "--ways", "txt"], "did you mean 'text'?"),
        (["stepping", "--agent", "random"], "only the row strength"),
        (["start", "--plots", "pyproject.toml/x"], "cannot write to pyproject.toml/x"),
        (["start", "--quick", "--readme", "README.md"], "--quick is a look and no result"),
        (["start", "--readme", "CONTRIBUTING.md"], "has no place for the table: it needs a line <!-- bench -->"),
        (["start", "--json", "mkdocs.yml"], "mkdocs.yml cannot be read as JSON"),
        (["stepping", "--json", "no/folder/x.json"], "cannot write no/folder/x.json"),
        (["strength", "--agent", "nobody"], "unknown agent 'nobody'"),
    ],
)
def test_wrong_words_exit_with_two(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", *words]) == 2
    assert said in capsys.readouterr().err
