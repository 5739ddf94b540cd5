"""What stands beside a table: repeated games, whether they were enough, cycles; in the terminal, as JSON, as a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lanista.arena.report import report_html
from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.cli.main import main
from lanista.envs.core import Array, Choice, Turn
from lanista.errors import UsageError


class LastLegal:
    name = "last-legal"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        legal = np.asarray(turn.legal)
        return Choice(legal.shape[1] - 1 - legal[:, ::-1].argmax(1))


BEATS = {("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")}


def filled(path: Path, chances: dict[tuple[str, str], float], games: int) -> None:
    """A store of games that the first of each two wins with this chance, every game different."""
    random = np.random.default_rng(1)
    with Store(path) as store:
        store.settle({"game": "tictactoe", "seed": 0, "opening_plies": [0, 8], "perfect_information": False})
        store.enter({name: name for pair in chances for name in pair})
        stored = []
        for (one, other), chance in chances.items():
            for place in range(games):
                won = random.random() < chance
                leg = place % 2
                returns = (1.0, -1.0) if won == (leg == 0) else (-1.0, 1.0)
                stored.append(StoredGame((one, other), place // 2, leg, place, (), (0,), returns, "finished", None))
        store.add(stored)


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("insight") / "circle.sqlite"
    filled(path, dict.fromkeys(sorted(BEATS), 0.75), 200)
    return path


def test_a_cycle_is_told_everywhere(circle: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["standings", str(circle), "--report", str(tmp_path / "t.html")]) == 0
    out = capsys.readouterr().out
    assert "A real cycle (p = " in out
    assert main(["standings", str(circle), "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    (cycle,) = told["cycles"]["found"]
    assert set(zip(cycle["names"], cycle["names"][1:] + cycle["names"][:1], strict=True)) == BEATS
    assert told["cycles"]["p_value"] < 0.001
    assert [round(each["alpha_rank"], 2) for each in told["game_theory"]] == [0.33] * 3
    assert all(each["nash_low"] <= each["nash"] <= each["nash_high"] for each in told["game_theory"])
    assert len(told["neighbours"]) == 2
    page = (tmp_path / "t.html").read_text()
    assert 'id="cycles"' in page and 'id="enough"' in page
    for score in cycle["scores"]:
        assert f"takes {score:.0%}" in out and f"takes {score:.0%}" in page


def test_a_ladder_shows_none(tmp_path: Path) -> None:
    filled(tmp_path / "t.sqlite", {("a", "b"): 0.8, ("b", "c"): 0.8, ("a", "c"): 0.95}, 200)
    with Store(tmp_path / "t.sqlite", write=False) as store:
        table = table_of(store)
    assert "No real cycle is seen" in str(table)
    assert "Enough games? Yes" in str(table)
    assert table.insight.game_theory[0].name == "a" and table.insight.game_theory[0].nash == 1.0


def test_two_contestants_have_no_cycles(tmp_path: Path) -> None:
    filled(tmp_path / "t.sqlite", {("a", "b"): 0.52}, 20)
    with Store(tmp_path / "t.sqlite", write=False) as store:
        table, page = table_of(store), report_html(store)
    assert table.insight.cycles is None and table.insight.game_theory == ()
    assert "cycle" not in str(table) and 'id="cycles"' not in page
    (pair,) = table.insight.neighbours
    assert f"{pair.better} above {pair.worse} is {pair.surety:.0%} sure" in str(table)


def test_who_has_not_met_all_has_no_mixture(tmp_path: Path) -> None:
    filled(tmp_path / "t.sqlite", {("a", "b"): 0.6, ("b", "c"): 0.6}, 20)
    with Store(tmp_path / "t.sqlite", write=False) as store:
        insight = table_of(store).insight
    assert insight.cycles is not None and not insight.cycles.found
    assert insight.game_theory == ()


def test_who_repeats_one_game_is_warned_and_gains_no_certainty(tmp_path: Path) -> None:
    few, many = (
        tournament("tictactoe", ["first-legal", LastLegal()], games=games, opening_plies=(0, 0), db=path)
        for games, path in ((2, tmp_path / "few.sqlite"), (40, tmp_path / "many.sqlite"))
    )
    assert isinstance(few, Table) and isinstance(many, Table)
    (repeats,) = many.insight.repeats
    assert (repeats.games, repeats.distinct) == (40, 2)
    assert "Warning: first-legal and last-legal repeat themselves: 2 of their 40 games differ" in str(many)
    assert few.insight.repeats == () and "Warning" not in str(few)
    assert [(row.elo, row.low, row.high) for row in many.rows] == [(row.elo, row.low, row.high) for row in few.rows]
    with Store(tmp_path / "many.sqlite", write=False) as store:
        assert re.search(r'class="warning">first-legal and last-legal repeat themselves: 2 of', report_html(store))


def test_anchors_in_a_table(circle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["standings", str(circle), "--json", "--anchors", "rock=1500"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert {row["name"]: row["elo"] for row in told["rows"]}["rock"] == 1500
    assert told["anchors"] == {"rock": 1500.0}
    with Store(circle, write=False) as store:
        assert "rock is held at +1500" in report_html(store, anchors={"rock": 1500.0})
        with pytest.raises(UsageError, match="'well' is not to be rated; it holds paper, rock, scissors"):
            table_of(store, anchors={"well": 0.0})
    for words in ("rock", "=5", "rock=high", "rock=nan"):
        assert main(["standings", str(circle), "--anchors", words]) == 2
        assert f"an anchor is NAME=ELO, as in random=0, not '{words}'" in capsys.readouterr().err
