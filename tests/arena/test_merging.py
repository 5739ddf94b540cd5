"""Merging: the union of the stores, each game once, or a sentence that names what contradicts what."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
import struct
from pathlib import Path

import pytest

from lanista.arena.merging import merge
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.cli.main import main
from lanista.errors import UsageError

WHO = ["random", "first-legal", "minimax:depth=1"]


def told(path: Path) -> list[tuple[object, ...]]:
    """All that is stored of the games, but for when and in which session."""
    with Store(path, write=False) as store:
        return [tuple(v for k, v in vars(game).items() if k not in ("stored_at", "session")) for game in store.games()]


@pytest.fixture
def halves(tmp_path: Path) -> tuple[Path, Path]:
    one, other = tmp_path / "one.sqlite", tmp_path / "other.sqlite"
    tournament("tictactoe", WHO[:2], games=8, db=one)
    tournament("tictactoe", WHO[1:], games=8, db=other)
    tournament("tictactoe", WHO[:2], games=4, db=other)  # two openings are in both
    return one, other


def test_two_halves_become_the_whole(halves: tuple[Path, Path], tmp_path: Path) -> None:
    merged = merge(halves, tmp_path / "both.sqlite")
    assert (merged.games, merged.equal, merged.contestants) == (16, 4, 3)
    whole = tmp_path / "whole.sqlite"
    tournament("tictactoe", WHO, games=8, db=whole)
    again = tournament("tictactoe", WHO, games=8, db=tmp_path / "both.sqlite")  # it goes on with what is missing
    assert again.games == 24
    assert told(tmp_path / "both.sqlite") == told(whole)
    with Store(tmp_path / "both.sqlite", write=False) as store:
        assert verify(store).true
        assert len(store.sessions()) == 4 and {game.session for game in store.games()} == {1, 2, 4}  # 3 had equal games
        with Store(halves[0], write=False) as first:
            assert store.sessions()[1] == first.sessions()[1]
    assert not list(tmp_path.glob(".*")) and not list(tmp_path.glob("*-wal"))


def test_three_stores_in_any_order_are_the_same(halves: tuple[Path, Path], tmp_path: Path) -> None:
    third = tmp_path / "third.sqlite"
    tournament("tictactoe", [WHO[0], WHO[2]], games=2, db=third)
    merge([*halves, third], tmp_path / "a.sqlite")
    merge([third, *halves[::-1]], tmp_path / "b.sqlite")
    assert told(tmp_path / "a.sqlite") == told(tmp_path / "b.sqlite")


def test_a_contradiction_is_named_and_nothing_is_written(halves: tuple[Path, Path], tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(halves[1])) as database, database:
        database.execute("DROP TRIGGER games_never_change")
        keys = dict(database.execute("SELECT name, id FROM contestants"))
        who = json.dumps([keys["first-legal"], keys["random"]])
        database.execute(
            "UPDATE games SET returns = ? WHERE leg = 1 AND meeting = (SELECT id FROM meetings WHERE contestants = ?)",
            (struct.pack("<2d", 9, 9), who),
        )
    with pytest.raises(UsageError, match=r"'first-legal' against 'random' over opening 0, leg 1, .* \[9.0, 9.0\]"):
        merge(halves, tmp_path / "both.sqlite")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.sqlite", "other.sqlite"]


def test_other_settings_games_and_contestants_are_refused(halves: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "both.sqlite"
    tournament("connect_four", WHO[:2], games=2, db=tmp_path / "game.sqlite")
    tournament("tictactoe", WHO[:2], games=2, seed=1, db=tmp_path / "seed.sqlite")
    shutil.copy(halves[0], tmp_path / "who.sqlite")
    with contextlib.closing(sqlite3.connect(tmp_path / "who.sqlite")) as database, database:
        database.execute("UPDATE contestants SET digest = 'x' WHERE name = 'random'")
    for name, says in (
        ("game", "game tictactoe, .* connect_four"),
        ("seed", "seed 0, .* 1"),
        ("who", "'random' is an"),
    ):
        with pytest.raises(UsageError, match=says):
            merge([halves[0], tmp_path / f"{name}.sqlite"], out)
        assert not out.exists()
    with pytest.raises(UsageError, match="two or more"):
        merge(halves[:1], out)
    with pytest.raises(UsageError, match="is there already"):
        merge(halves, halves[0])
    with pytest.raises(UsageError, match="there is no store"):
        merge([halves[0], tmp_path / "nothing.sqlite"], out)


def test_a_game_that_was_not_played_in_a_session_is_kept(tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Store(tmp_path / name) as store:
            store.settle({"game": "tictactoe"})
            store.enter({"x": "1", name: "2"})
            store.add([StoredGame((name, "x"), 0, 0, 7, (), (3,), (1.0, -1.0), "end", None, 5.0)])
    assert merge([tmp_path / "a", tmp_path / "b"], tmp_path / "c").games == 2


def test_the_command_merges(halves: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["merge", *map(str, halves), "--out", str(tmp_path / "both.sqlite")]
    assert main(words) == 0
    assert "16 games of 3 contestants; 4 were there more than once" in capsys.readouterr().out
    assert main(words) == 2
