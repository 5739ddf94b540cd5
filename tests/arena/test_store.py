"""The store: whole transactions, nothing twice, and clear words for files that are none of ours."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lanista.arena.store import FORMAT, Store, StoredGame
from lanista.errors import UsageError

GAME = StoredGame("a", "b", 0, 0, 7, (3,), (3, 2, 1), (1.0, -1.0), "end", None, 5.0)


def filled(path: Path) -> Path:
    with Store(path) as store:
        store.settle({"game": "tictactoe", "seed": 1})
        store.enter({"a": "x", "b": "y"})
        store.add([GAME, replace(GAME, leg=1, reason="illegal action 3", at_fault=0, returns=(-1.0, 1.0))])
    return path


def test_games_come_back_as_they_were(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite"), write=False) as store:
        first, second = store.games()
        assert first == GAME
        assert second.seats == ("b", "a") and second.at_fault == 0
        assert (first.points("a"), first.points("b")) == (1.0, 0.0)
        assert (second.points("a"), second.points("b")) == (1.0, 0.0)
        assert store.setting("game") == "tictactoe" and store.contestants() == ["a", "b"]


def test_nothing_is_stored_twice_and_a_batch_is_whole_or_not_there(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store:
        with pytest.raises(sqlite3.IntegrityError):
            store.add([replace(GAME, number=1), GAME])
        assert len(store.games()) == 2


def test_another_tournaments_settings_are_refused(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store:
        store.settle({"game": "tictactoe", "seed": 1})
        with pytest.raises(UsageError, match="has the game tictactoe, not connect_four"):
            store.settle({"game": "connect_four"})


def test_a_contestant_that_changed_is_refused(tmp_path: Path) -> None:
    with Store(filled(tmp_path / "t.sqlite")) as store, pytest.raises(UsageError, match="'a' has changed"):
        store.enter({"a": "other"})


def test_one_writer_at_a_time_and_readers_any_time(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    code = f"from lanista.arena.store import Store; Store({str(path)!r})"
    with Store(path):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "another tournament is writing" in done.stderr
        with Store(path, write=False) as reader:
            assert len(reader.games()) == 2
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_files_that_are_no_store_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.sqlite").write_text("not a database at all, but long enough to look at " * 20)
    with pytest.raises(UsageError, match="cannot be opened"):
        Store(tmp_path / "text.sqlite")
    sqlite3.connect(tmp_path / "other.sqlite").execute("CREATE TABLE songs (name TEXT)")
    with pytest.raises(UsageError, match="no tournament's store"):
        Store(tmp_path / "other.sqlite")
    with pytest.raises(UsageError, match="there is no store"):
        Store(tmp_path / "nothing.sqlite", write=False)
    with pytest.raises(UsageError, match="cannot write"):
        Store(tmp_path / "text.sqlite" / "t.sqlite")


def test_a_truncated_store_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UsageError), Store(path, write=False) as store:
        store.games()


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path / "t.sqlite")
    database = sqlite3.connect(path)
    database.execute("UPDATE about SET value = ? WHERE key = 'format'", (str(FORMAT + 1),))
    database.commit()
    database.close()
    with pytest.raises(UsageError, match="update Lanista"):
        Store(path)
