"""Tournaments: exactly the scheduled games, whoever kills them whenever."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.contestant import load_agent
from lanista.arena.formats.round_robin import meetings
from lanista.arena.standings import Table, table_of, tally_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame, StoredGames
from lanista.arena.tournament import tournament
from lanista.envs import make
from lanista.envs.core import Array, Choice, Turn
from lanista.errors import UsageError

WHO = ["random", "first-legal", "minimax:depth=1"]


def games_of(path: Path) -> list[tuple[object, ...]]:
    """All that is stored, but for when and in which session."""
    with Store(path, write=False) as store:
        return [tuple(v for k, v in vars(game).items() if k not in ("stored_at", "session")) for game in store.games()]


def test_everyone_meets_everyone_from_both_seats_of_the_same_openings(tmp_path: Path) -> None:
    table = tournament("tictactoe", WHO, games=10, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        games = store.games()
    assert isinstance(table, Table) and len(games) == 3 * 10 == table.games
    for game in games:
        (twin,) = [g for g in games if (g.names, g.number, g.leg) == (game.names, game.number, 1 - game.leg)]
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


INTERRUPTED = """
import os, signal, sys
from lanista.arena.tournament import tournament
def progress(done, all):
    print(done, flush=True)
    os.kill(os.getpid(), signal.SIGINT)
tournament("connect_four", ["random", "minimax:depth=3"], games=600, db=sys.argv[1] if len(sys.argv) > 1 else None,
           progress=progress)
"""


def test_ctrl_c_keeps_what_is_finished_and_says_how_to_go_on(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    done = subprocess.run([sys.executable, "-c", INTERRUPTED, str(path)], capture_output=True, text=True)
    told = int(done.stdout.split()[0])
    said = f"KeyboardInterrupt: stopped: {told} of 600 games are stored in {path}; the same command goes on"
    assert said in done.stderr
    assert len(games_of(path)) == told < 600
    kept = subprocess.run([sys.executable, "-c", INTERRUPTED], capture_output=True, text=True)
    assert "of 600 games were played, and none is kept" in kept.stderr


def test_a_store_tells_what_played_its_games(tmp_path: Path) -> None:
    for games in (2, 2, 4):
        tournament("tictactoe", WHO[:2], games=games, db=tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        sessions = store.sessions()
        assert len(sessions) == 2, "a session in which nothing is played is not written down"
        assert {stored.session for stored in store.games()} == set(sessions)
        began, versions = sessions[1]
    assert time.time() - 60 < began < time.time()
    assert {"python", "numpy", "rules"} <= set(versions)


class First:
    """Plays the first legal move, under whatever name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        return Choice(np.asarray(turn.legal).argmax(1))


def test_a_contestant_is_known_by_what_decides_its_moves(tmp_path: Path) -> None:
    tournament("tictactoe", ["random", load_agent("first-legal")], games=2, db=tmp_path / "t.sqlite")
    again = tournament("tictactoe", [load_agent("random"), "first-legal"], games=2, db=tmp_path / "t.sqlite")
    assert again.games == 2
    with pytest.raises(UsageError, match="'first-legal' has changed"):
        tournament("tictactoe", ["random", First("first-legal")], games=2, db=tmp_path / "t.sqlite")


def test_a_trained_agent_is_known_by_its_files(tmp_path: Path) -> None:
    from lanista.agents.artifact import save_agent
    from lanista.agents.policy_network import build_network

    folder = tmp_path / "agent"

    def train() -> None:
        save_agent(folder, build_network(make("tictactoe").spec, "mlp"), "tictactoe", "float32", {})

    train()
    first = tournament("tictactoe", [str(folder), "random"], games=2, db=tmp_path / "t.sqlite")
    tournament("tictactoe", [load_agent(str(folder)), "random"], games=2, db=tmp_path / "t.sqlite")
    assert {row.name for row in first.rows} == {folder.as_posix(), "random"}
    train()
    with pytest.raises(UsageError, match="has changed since its games"):
        tournament("tictactoe", [str(folder), "random"], games=2, db=tmp_path / "t.sqlite")


class Breaks:
    """Plays the first legal move, and raises in every third game."""

    name = "breaks"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        if (turn.games % 3 == 0).any():
            raise RuntimeError("no idea")
        return Choice(np.asarray(turn.legal).argmax(1))


def test_a_fault_loses_its_game_and_is_told(tmp_path: Path) -> None:
    table = tournament("tictactoe", [Breaks(), "random"], games=12, db=tmp_path / "t.sqlite")
    assert isinstance(table, Table)
    (row,) = [row for row in table.rows if row.name == "breaks"]
    assert 1 <= row.faults == sum("no idea" in str(game[7]) for game in games_of(tmp_path / "t.sqlite")) < 12
    assert row.losses >= row.faults
    assert "faults" in str(table)


def game(
    number: int, leg: int, moves: tuple[int, ...], returns: tuple[float, float], reason: str = "end"
) -> StoredGame:
    return StoredGame(("a", "b"), number, leg, 0, (), moves, returns, reason, None)


def test_identical_games_count_once_and_broken_ones_not_at_all() -> None:
    games = [
        game(0, 0, (1, 2), (1, -1)),
        game(0, 1, (1, 2), (1, -1)),  # the same moves from the other seats: another game
        game(1, 0, (1, 2), (1, -1)),  # a repetition
        game(1, 1, (2, 1), (0, 0)),
        game(2, 0, (3,), (0, 0), "broken"),
    ]
    stored = StoredGames.of(games)
    distinct = stored.distinct(perfect_information=True)
    assert distinct.tolist() == [True, True, False, True, False]
    found = tally_of(stored, distinct, ("a", "b"))
    assert found.names == ("a", "b") and found.who.tolist() == [[0, 1]]
    # One pair won and lost; one whose first game is a repetition and whose second is drawn; one broke.
    assert np.argwhere(found.cells[0]).tolist() == [[0, 2], [3, 1]] and found.cells.sum() == 2
    turned = StoredGames.of([replace(each, names=("b", "a")) for each in games])
    other = tally_of(turned, turned.distinct(perfect_information=True), ("a", "b"))
    assert np.argwhere(other.cells[0]).tolist() == [[0, 2], [1, 3]] and other.who.tolist() == [[0, 1]]


def test_where_chance_plays_a_part_the_same_moves_are_another_game() -> None:
    games = [game(0, 0, (1, 2), (1, -1)), replace(game(1, 0, (1, 2), (1, -1)), seed=9)]
    stored = StoredGames.of(games)
    assert stored.distinct(perfect_information=True).sum() == 1
    assert stored.distinct(perfect_information=False).sum() == 2


def test_deterministic_players_do_not_grow_certain_by_repeating_themselves(tmp_path: Path) -> None:
    table = tournament("tictactoe", ["first-legal", Second()], games=40, opening_plies=(0, 0))
    assert isinstance(table, Table) and [row.distinct for row in table.rows] == [2, 2]
    assert table.rows[0].high - table.rows[0].low > 100


class Second:
    """Plays the last legal move."""

    name = "second"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        legal = np.asarray(turn.legal)
        return Choice(legal.shape[1] - 1 - legal[:, ::-1].argmax(1))


def test_round_robin_names_every_pairing_once() -> None:
    met = meetings(["c", "a", "b"], 4, [], 2)
    assert sorted((*names, number) for names, number in met) == [
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


def test_engines_faults_are_scored_and_a_changed_engine_is_another(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "agents" / "fake_engine.py"
    script = tmp_path / "fake_engine.py"
    script.write_text(source.read_text())
    engine = f"gtp:{sys.executable} -S {script} gtp dies E5?seconds=20"
    who = ["random", engine]
    table = tournament("go:size=5", who, games=8, db=tmp_path / "t.sqlite", opening_plies=(0, 0))
    games = games_of(tmp_path / "t.sqlite")
    with Store(tmp_path / "t.sqlite", write=False) as store:
        lost = [game for game in store.games() if game.reason == "gtp engine: exited with code 3"]
    assert table.games == 8 and 1 <= len(lost) < 8
    assert all(game.seats[game.at_fault] == engine for game in lost if game.at_fault is not None)
    tournament("go:size=5", who, games=8, db=tmp_path / "t.sqlite", opening_plies=(0, 0))
    assert games_of(tmp_path / "t.sqlite") == games
    script.write_text(source.read_text() + "# another one\n")
    with pytest.raises(UsageError, match="has changed since its games"):
        tournament("go:size=5", who, games=8, db=tmp_path / "t.sqlite", opening_plies=(0, 0))
