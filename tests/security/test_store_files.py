"""Tournaments' stores with flipped bits, cut short, and with rows that nobody of ours writes."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from attacks import attack, damaged, examples, taken_or_refused

from lanista.arena.exports import export_games
from lanista.arena.merging import merge
from lanista.arena.store import Store
from lanista.arena.tables import any_table_of
from lanista.arena.tournament import tournament
from lanista.arena.verification import verify
from lanista.errors import UsageError


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small store."""
    path = tmp_path_factory.mktemp("store") / "t.sqlite"
    tournament("tictactoe", ["random", "first-legal"], games=6, db=path)
    return path.read_bytes()


def read(path: Path) -> None:
    """All that looks at a stranger's store: the table, the check by the rules, games as text, a copy."""
    with Store(path, write=False) as store:
        any_table_of(store)
        verify(store)
        store.sessions()
        export_games(store, "jsonl", path.parent / "games.jsonl")


def tried(path: Path) -> None:
    taken_or_refused(lambda: read(path), path.parent)
    (path.parent / "copy.sqlite").unlink(missing_ok=True)
    taken_or_refused(lambda: merge([path], path.parent / "copy.sqlite"), path.parent)
    for file in path.parent.iterdir():
        if file != path:
            file.unlink()


@examples
def test_flipped_bits(whole: bytes, tmp_path: Path, examples: int) -> None:
    path = tmp_path / "t.sqlite"

    def once(data: bytes) -> None:
        path.write_bytes(data)
        tried(path)

    once(whole)
    attack(examples, damaged(whole), once)


@pytest.mark.parametrize("value", ["", "[", "9" * 5000, "[" * 9999])
def test_a_setting_that_cannot_be_read_is_named(whole: bytes, tmp_path: Path, value: str) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(whole)
    database = sqlite3.connect(path)
    database.execute("INSERT OR REPLACE INTO about VALUES ('game', ?)", (value,))
    database.commit()
    database.close()
    with Store(path, write=False) as store, pytest.raises(UsageError, match="its 'game' cannot be read"):
        store.setting("game")


def test_a_trigger_of_a_strangers_is_not_run(whole: bytes, tmp_path: Path) -> None:
    """What SQLite itself would do at a write: nothing outside the file, since nothing is loaded or attached."""
    path = tmp_path / "t.sqlite"
    path.write_bytes(whole)
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TRIGGER planted AFTER INSERT ON sessions BEGIN SELECT load_extension('/tmp/planted.so'); END"
    )
    database.commit()
    database.close()
    tried(path)
    with Store(path) as store, pytest.raises(OSError, match="cannot write"):
        store.begin_session({})
