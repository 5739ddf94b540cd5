"""Tournaments: exactly the scheduled games, whoever kills them whenever."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lanista.arena.formats.round_robin import pairings
from lanista.arena.standings import pairs_of, table_of
from lanista.arena.store import Store, StoredGame
from lanista.arena.tournament import tournament
from lanista.envs.core import Array, Choice, Turn
from lanista.errors import UsageError

WHO = ["random", "first-legal", "minimax:depth=1"]


def games_of(path: Path) -> list[tuple[object, ...]]:
    """All that is stored, the time aside."""
    with Store(path, write=False) as store:
        return [tuple(v for k, v in vars(game).items() if k != "stored_at") for game in store.games()]


def test_everyone_meets_everyone_from_both_seats_of_the_same_openings(tmp_path: Path) -> None:
    table = tournament("tictactoe", WHO, games=10, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games = store.games()
    assert len(games) == 3 * 10 == table.games
    for game in games:
        (twin,) = [
            g for g in games if (g.one, g.other, g.number, g.leg) == (game.one, game.other, game.number, 1 - game.leg)
        ]
        assert twin.opening == game.opening == twin.moves[: len(game.opening)] and twin.seats == game.seats[::-1]
    assert len({game.opening for game in games}) > 3
    for row in table.rows:
        assert (row.games, row.wins + row.draws + row.losses) == (20, 20)
        assert row.low < row.elo < row.high
    assert sum(row.score for row in table.rows) == pytest.approx(1.5)


def test_no_result_depends_on_the_order_of_play(tmp_path: Path) -> None:
    tournament("connect_four", WHO, games=6, db=tmp_path / "one.sqlite")
    tournament("connect_four", WHO[::-1], games=6, db=tmp_path / "two.sqlite")
    tournament("connect_four", WHO[:2], games=4, db=tmp_path / "three.sqlite")
    tournament("connect_four", [WHO[2], WHO[0]], games=2, db=tmp_path / "three.sqlite")
    tournament("connect_four", WHO, games=6, db=tmp_path / "three.sqlite")
    assert games_of(tmp_path / "one.sqlite") == games_of(tmp_path / "two.sqlite") == games_of(tmp_path / "three.sqlite")


def test_the_same_command_again_plays_nothing(tmp_path: Path) -> None:
    first = tournament("tictactoe", WHO, games=4, db=tmp_path / "t.sqlite")
    heard: list[tuple[int, int]] = []
    again = tournament("tictactoe", WHO, games=4, db=tmp_path / "t.sqlite", progress=lambda *a: heard.append(a))
    assert heard == [] and again == first


def test_a_later_contestant_plays_only_what_is_missing(tmp_path: Path) -> None:
    tournament("tictactoe", WHO[:2], games=4, db=tmp_path / "t.sqlite")
    before = games_of(tmp_path / "t.sqlite")
    heard: list[tuple[int, int]] = []
    tournament("tictactoe", WHO, games=4, db=tmp_path / "t.sqlite", progress=lambda *a: heard.append(a))
    assert heard[-1] == (12, 12)
    assert set(before) <= set(games_of(tmp_path / "t.sqlite"))


SCRIPT = """
import sys
from lanista.arena.tournament import tournament
tournament("connect_four", ["random", "minimax:depth=1", "minimax:depth=3"], games=600, db=sys.argv[1],
           progress=lambda done, all: print(done, flush=True))
"""


def test_killed_at_random_instants_nothing_is_lost_or_played_twice(tmp_path: Path) -> None:
    path, chance = tmp_path / "t.sqlite", random.Random(3)
    unbroken = tmp_path / "unbroken.sqlite"
    subprocess.run([sys.executable, "-c", SCRIPT, str(unbroken)], check=True, capture_output=True)
    kept: set[tuple[object, ...]] = set()
    kills = 0
    while kills < 5:
        process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        told = process.stdout.readline()  # something is stored
        if not told:
            break
        time.sleep(chance.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        kills += 1
        now = games_of(path)
        assert len(now) == len(set(now)) >= int(told)
        assert kept <= set(now), "a stored game was lost"
        kept = set(now)
    assert kills >= 2, "it was never killed under way"
    subprocess.run([sys.executable, "-c", SCRIPT, str(path)], check=True, capture_output=True)
    assert games_of(path) == games_of(unbroken)
    assert len(games_of(path)) == 3 * 600


class Breaks:
    """Plays the first legal move, and raises in every third game."""

    name = "breaks"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 3 == 0).any():
            raise RuntimeError("no idea")
        return Choice(np.asarray(turn.legal).argmax(1))


def test_a_fault_loses_its_game_and_is_told(tmp_path: Path) -> None:
    table = tournament("tictactoe", [Breaks(), "random"], games=12, db=tmp_path / "t.sqlite")
    (row,) = [row for row in table.rows if row.name == "breaks"]
    assert 1 <= row.faults == sum("no idea" in str(game[8]) for game in games_of(tmp_path / "t.sqlite")) < 12
    assert row.losses >= row.faults
    assert "faults" in str(table)


def game(
    number: int, leg: int, moves: tuple[int, ...], returns: tuple[float, float], reason: str = "end"
) -> StoredGame:
    return StoredGame("a", "b", number, leg, 0, (), moves, returns, reason, None)


def test_identical_games_count_once_and_broken_ones_not_at_all() -> None:
    games = [
        game(0, 0, (1, 2), (1, -1)),
        game(0, 1, (1, 2), (1, -1)),  # the same moves from the other seats: another game
        game(1, 0, (1, 2), (1, -1)),  # a repetition
        game(1, 1, (2, 1), (0, 0)),
        game(2, 0, (3,), (0, 0), "broken"),
    ]
    first, second, third = sorted(pairs_of(games), key=lambda pair: (pair.as_first is None, pair.as_second is None))
    assert (first.as_first, first.as_second) == (1.0, 0.0)
    assert (second.as_first, second.as_second) == (None, 0.5)
    assert (third.as_first, third.as_second) == (None, None)


def test_deterministic_players_do_not_grow_certain_by_repeating_themselves(tmp_path: Path) -> None:
    table = tournament("tictactoe", ["first-legal", Second()], games=40, opening_plies=(0, 0))
    assert [row.distinct for row in table.rows] == [2, 2]
    assert table.rows[0].high - table.rows[0].low > 100


class Second:
    """Plays the last legal move."""

    name = "second"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        legal = np.asarray(turn.legal)
        return Choice(legal.shape[1] - 1 - legal[:, ::-1].argmax(1))


def test_round_robin_names_every_pairing_once() -> None:
    met = pairings(["c", "a", "b"], 4, [])
    assert sorted((p.one, p.other, p.number) for p in met) == [
        (one, other, number) for one, other in (("a", "b"), ("a", "c"), ("b", "c")) for number in (0, 1)
    ]


def test_a_table_of_some_leaves_the_others_out(tmp_path: Path) -> None:
    tournament("tictactoe", WHO, games=2, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        assert {row.name for row in table_of(store, WHO[:2]).rows} == set(WHO[:2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"games": 3}, "must be even"),
        ({"contestants": ["random", "random"]}, "two contestants are called 'random'"),
        ({"contestants": ["random"]}, "at least two"),
        ({"contestants": ["random", "minmax:depth=2"]}, "did you mean 'minimax'"),
        ({"game": "gym:CartPole-v1"}, "games of two players"),
        ({"game": "conect_four"}, "did you mean 'connect_four'"),
        ({"format": "round-robbin"}, "did you mean 'round_robin'"),
    ],
)
def test_wrong_words_name_the_right_ones(change: dict[str, object], says: str) -> None:
    words: dict[str, object] = {"game": "tictactoe", "contestants": WHO, "games": 2} | change
    with pytest.raises(UsageError, match=says):
        tournament(**words)  # type: ignore[arg-type]
