"""What players expect at their moves is stored with these: to a byte, of those who tell it, and kept by merging."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lanista import Choice
from lanista.arena.merging import merge
from lanista.arena.new_games import NewGames, joined
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.envs.core import Array, Turn


class Hopeful:
    """Plays its first legal move and expects a little more at each of its moves; at its third it does not know."""

    name = "hopeful"

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        stones = turn.observation["board"].reshape(len(turn), 2, -1)[:, 0].sum(axis=1)  # of its own
        return Choice(turn.legal.argmax(axis=1), value=np.where(stones == 2, np.nan, -1.2 + 0.4 * stones))


def test_they_are_stored_move_by_move(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    tournament("tictactoe", [Hopeful(), "first-legal"], games=40, db=db, opening_plies=(0, 3))
    with Store(db, write=False) as store:
        games = store.games()
    assert len(games) == 40
    for game in games:
        mine = game.seats.index("hopeful")
        assert len(game.values) == len(game.moves) - len(game.opening)
        for ply, value in enumerate(game.values, len(game.opening)):
            stones = sum(1 for before in range(ply) if before % 2 == mine)
            if ply % 2 != mine or stones == 2:
                assert value is None
            else:
                # From -1 to 1; what lies beyond is one of these. A byte has 250 steps.
                assert value is not None and abs(value - (np.clip(-1.2 + 0.4 * stones, -1, 1) + 1) / 2) <= 0.5 / 250
    tournament("tictactoe", [Hopeful(), "first-legal"], games=4, db=tmp_path / "part.sqlite", opening_plies=(0, 3))
    merge([db, tmp_path / "part.sqlite"], tmp_path / "merged.sqlite")
    with Store(tmp_path / "merged.sqlite", write=False) as store:
        assert [game.values for game in store.games()] == [game.values for game in games]


def test_they_are_stored_where_games_before_them_told_none(tmp_path: Path) -> None:
    """Batches that are stored together need not all tell something, nor all that one object stored."""
    row = {"seeds": np.zeros(1, np.int64), "openings": np.zeros(1, np.int64), "returns": np.array([[1.0, -1.0]])}
    with Store(tmp_path / "t.sqlite") as store:
        store.enter({"a": "1", "b": "2"})
        key = store.meet([("a", "b")])["a", "b"]

        def new(number: int, expected: list[bytes | None] | None) -> NewGames:
            places = {"meetings": np.array([key]), "numbers": np.array([number]), "legs": np.array([0])}
            told = {"moves": [b"\1\0\2\0"], "reasons": ["end"], "at_fault": [None], "expected": expected}
            return NewGames(**places, **row, **told)  # type: ignore[arg-type]

        store.add_columns(joined([new(0, None), new(1, [bytes([125, 255])]), new(2, None)]))
        store.add_columns(new(3, None))
        store.add_columns(joined([new(4, [None]), new(5, [bytes([255, 250])])]))
        fresh = list(store.games())
    with Store(tmp_path / "t.sqlite", write=False) as store:
        assert list(store.games()) == fresh
    assert [game.values for game in fresh] == [(), (0.5, None), (), (), (), (None, 1.0)]


def test_where_nobody_tells_anything_nothing_is_stored(tmp_path: Path) -> None:
    db = tmp_path / "t.sqlite"
    tournament("tictactoe", ["random", "first-legal"], games=4, db=db)
    with Store(db, write=False) as store:
        assert all(game.values == () for game in store.games()) and store.games().expected is None
