"""Tournaments of games that are not for two: everyone in every seat or on the same seeds, and tables that tell it."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.agents.kinds.random import RandomAgent
from lanista.arena.formats import load_format
from lanista.arena.many_standings import ManyTable
from lanista.arena.meetings import Meeting, meeting_seeds, seatings
from lanista.arena.merging import merge
from lanista.arena.report import report_html
from lanista.arena.score_standings import ScoreTable
from lanista.arena.store import Store
from lanista.arena.tables import any_table_of
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.cli.main import main
from lanista.envs.core import Agent, Array, Choice, Turn
from lanista.errors import UsageError

CARTPOLE, ADVERSARY = "gym:CartPole-v1", "zoo:mpe/simple_adversary_v3"
SPREAD = "zoo:mpe/simple_spread_v3?local_ratio=0.0"  # all have the same return


class Balance(RandomAgent):
    """Pushes the pole's cart towards where the pole falls; in other games it plays at random."""

    name = "balance"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        seen = next(iter(turn.observation.values()))
        return Choice((seen[:, 2] + seen[:, 3] > 0).astype(np.int64))


class Other(RandomAgent):
    """Plays at random under another name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


class Crashes(Other):
    """Crashes in every fifth game."""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 5 == 0).any():
            raise RuntimeError("no idea")
        return super().act(turn, memory)


@pytest.mark.parametrize("players", [1, 2, 3, 4, 5, 6, 7, 8])
def test_everyone_sits_in_each_seat_equally_often(players: int) -> None:
    orders = seatings(players)
    assert len(orders) == len(set(orders)) and all(sorted(order) == list(range(players)) for order in orders)
    counts = Counter((seat, who) for order in orders for seat, who in enumerate(order))
    assert set(counts.values()) == {len(orders) // players} and len(counts) == players**2
    follows = Counter(pair for order in orders for pair in itertools.pairwise(order))
    assert len(set(follows.values())) <= 1 and len(follows) == players * (players - 1)


def test_two_sit_as_they_always_did_and_have_the_seeds_that_they_had() -> None:
    assert seatings(2) == ((0, 1), (1, 0))
    # What commit 0778b7a drew for these two.
    assert meeting_seeds(3, [Meeting(("first-legal", "minimax:depth=1"), 0)]) == [12695222495769410]


def test_who_plays_alone_plays_what_the_others_play(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    table = tournament(CARTPOLE, ["random", "first-legal", Balance()], games=30, db=db)
    assert isinstance(table, ScoreTable) and [row.name for row in table.rows] == ["balance", "random", "first-legal"]
    best, second, _ = table.rows
    assert best.mean is not None and best.middle is not None and best.improvement is not None
    assert 150 < best.mean.low < best.mean.value < best.mean.high <= 500
    assert best.improvement.value == 1 and second.improvement is not None and second.improvement.low > 0.5
    with Store(db, write=False) as store:
        games = store.games()
        seeds = [
            [game.seed for game in games if game.names == (name,)] for name in ("random", "first-legal", "balance")
        ]
        assert seeds[0] == seeds[1] == seeds[2] and len(set(seeds[0])) == 30
        scores = [game.returns[0] for game in games if game.names == ("random",)]
        assert second.mean is not None and np.mean(scores) == pytest.approx(second.mean.value)
        assert verify(store).true
    more = tournament(CARTPOLE, ["random", "first-legal"], games=40, db=db)
    assert more.games == 110, "only the ten new games of two were missing"
    assert "balance" in str(more) and json.dumps(more.to_json())


def test_three_meet_in_all_seatings_and_a_table_tells_who_is_best(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    who: list[str | Agent] = ["random", "first-legal", Other("a"), Crashes("crashes")]
    table = tournament(ADVERSARY, who, games=6, db=db)
    assert isinstance(table, ManyTable) and table.games == 4 * 6 and not table.shared
    assert table.rows[-1].name == "crashes" and table.rows[-1].faults > 0
    for row in table.rows:
        assert row.games == 18 and row.low < row.skill < row.high
        assert row.score is not None and 0 <= row.score.low <= row.score.value <= row.score.high <= 1
    assert sum(row.score.value for row in table.rows if row.score is not None) == pytest.approx(2)
    with Store(db, write=False) as store:
        verdict = verify(store)
        assert verdict.true, verdict.wrong
        for (names, number), games in itertools.groupby(store.games(), lambda game: (game.names, game.number)):
            some = list(games)
            assert sorted(game.seats for game in some) == sorted(itertools.permutations(names)), number
            assert len({(game.seed, game.opening) for game in some}) == 1
    again = tournament(ADVERSARY, who, games=6, db=db)
    assert again == table


def test_who_play_together_are_ranked_by_their_mean_return() -> None:
    table = tournament(SPREAD, ["random", "first-legal", Other("a"), Other("b")], games=6)
    assert isinstance(table, ManyTable) and table.shared
    means = [row.mean_return.value for row in table.rows if row.mean_return is not None]
    assert means == sorted(means, reverse=True) and len(set(means)) == 4
    assert "play together" in str(table)


def test_tables_are_drawn_evenly_where_there_are_many() -> None:
    names = [f"p{number:02d}" for number in range(14)]
    contest = load_format("round_robin:tables=6")
    met = contest.meetings(names, 6, [], 3)
    assert met == contest.meetings(names[::-1], 6, [], 3), "they do not depend on the order of the names"
    tables = [meeting.names for meeting in met]
    assert len(tables) == len(set(tables)) == 14 * 6 // 3
    assert set(Counter(name for table in tables for name in table).values()) == {6}
    pairs = Counter(pair for table in tables for pair in itertools.combinations(table, 2))
    assert max(pairs.values()) <= 2, "nobody meets anybody much more often than others"
    assert contest.fixes(names, 3) and not load_format("round_robin").fixes(names[:5], 3)
    whole = load_format("round_robin").meetings(names[:5], 12, [], 3)
    assert len(whole) == 10 * 2
    assert len({meeting.names for meeting in load_format("round_robin").meetings(names, 6, [], 3)}) == 14 * 24 // 3
    met = load_format("gauntlet").meetings(names[:5], 6, [], 3)
    assert len(met) == 6 and all("p00" in meeting.names for meeting in met)


@pytest.mark.parametrize(
    ("game", "words", "says"),
    [
        (SPREAD, {"games": 8}, "a multiple of its 6 seatings, as 12 is, not 8"),
        (SPREAD, {"contestants": ["random", "first-legal"]}, "3 or more contestants"),
        (SPREAD, {"format": "swiss"}, "'swiss' is for games of two players, and this one has 3"),
        (SPREAD, {"format": "round_robin:tables=2"}, "at 1 different tables each, not at 2"),
        (SPREAD, {"anchors": {"random": 0.0}}, "anchors are Elo ratings"),
        (CARTPOLE, {"games": 0}, "at least 1, not 0"),
        (CARTPOLE, {"format": "gauntlet"}, "nobody meets anybody"),
        (CARTPOLE, {"format": "knockout"}, "'knockout' is for games of two players"),
        ("tictactoe", {"anchors": {"nobody": 0.0}}, "the anchor 'nobody' does not play"),
    ],
)
def test_what_such_games_do_not_have_is_said(game: str, words: dict[str, object], says: str) -> None:
    given: dict[str, object] = {"contestants": ["random", "first-legal", Other("a")]} | words
    with pytest.raises(UsageError, match=says):
        tournament(game, **given)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("others")
    paths = {"scores": folder / "scores.sqlite", "tables": folder / "tables.sqlite"}
    tournament(f"{CARTPOLE}?max_episode_steps=60", ["random", Balance()], games=6, db=paths["scores"])
    tournament(ADVERSARY, ["random", "first-legal", Crashes("crashes")], games=6, db=paths["tables"])
    return paths


@pytest.mark.parametrize("kind", [pytest.param("scores", marks=pytest.mark.thorough), "tables"])
def test_commands_work_on_such_stores(
    kind: str, stores: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    db = str(stores[kind])
    assert main(["standings", db, "--report", str(tmp_path / "t.html")]) == 0
    assert "95 % interval" in capsys.readouterr().out
    assert main(["verify", db]) == 0
    for form in ("csv", "jsonl"):
        assert main(["export-games", db, "--out", str(tmp_path / f"games.{form}")]) == 0
    assert main(["export-games", db, "--out", str(tmp_path / "t.csv"), "--format", "table"]) == 0
    with Store(stores[kind], write=False) as store:
        table, count = any_table_of(store), store.count()
    lines = (tmp_path / "games.csv").read_text().splitlines()
    assert len(lines) == count + 1 and ("return_3" in lines[0]) == (kind == "tables")
    assert len((tmp_path / "t.csv").read_text().splitlines()) == len(table.rows) + 1
    page = (tmp_path / "t.html").read_text()
    assert all(row.name in page for row in table.rows) and "http://" not in page.replace("http://www.w3.org", "")
    assert ("no idea" in page) == (kind == "tables")
    capsys.readouterr()
    assert main(["export-games", db, "--out", str(tmp_path / "games.pgn")]) == 2
    assert main(["analyse", db, "1"]) == 2
    assert merge([stores[kind], stores[kind]], tmp_path / "both.sqlite").games == count
    with Store(tmp_path / "both.sqlite", write=False) as store:
        assert any_table_of(store) == table


def test_the_contest_is_told_in_the_report(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    table = tournament("tictactoe", ["random", "first-legal", "minimax:depth=2"], games=2, db=db, format="knockout",
                       report=tmp_path / "t.html", anchors={"random": 100.0})  # fmt: skip
    assert any(line in (tmp_path / "t.html").read_text() for line in table.standing) and table.standing
    assert [row.elo for row in table.rows if row.name == "random"] == [100]  # type: ignore[union-attr]
    with Store(db, write=False) as store:
        assert "Knockout" not in report_html(store), "only who asks for it is told"
    assert main(["standings", str(db), "--report", str(tmp_path / "again.html")]) == 0
    assert table.standing[-1] in (tmp_path / "again.html").read_text()


def test_all_that_is_known_before_is_looked_at_before() -> None:
    agent = load_agent("random")
    assert tournament(CARTPOLE, [agent], games=2).games == 2, "one alone has a score too"
