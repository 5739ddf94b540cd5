"""Rows that Lanista never writes, in a store that SQLite finds sound: every command over it ends in one sentence."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.cli.main import main

TOURNAMENT = ["tournament", "--game", "tictactoe", "random", "first-legal", "--games", "6", "--db"]
COMMANDS: dict[str, Callable[[str], list[str]]] = {
    "resumed": lambda db: [*TOURNAMENT, db],
    "standings": lambda db: ["standings", db],
    "rated": lambda db: ["standings", db, "--json"],
    "report": lambda db: ["standings", db, "--report", f"{db}.html"],
    "verified": lambda db: ["verify", db],
    "merged": lambda db: ["merge", db, str(Path(db).with_name("other.sqlite")), "--out", f"{db}.both.sqlite"],
    "analysed": lambda db: ["analyse", db, "1", "--by", "minimax:depth=1"],
    "exported": lambda db: ["export-games", db, "--out", f"{db}.jsonl"],
    "enough": lambda db: ["tournament", "--game", "tictactoe", "random", "first-legal", "minimax:depth=1", "--games",
                          "8", "--db", db],
}  # fmt: skip
COLUMNS = {
    "about": ("key", "value"),
    "sessions": ("id", "began_at", "versions"),
    "contestants": ("id", "name", "digest"),
    "meetings": ("id", "contestants"),
    "batches": ("id", "session", "stored_at"),
    "games": ("id", "meeting", "number", "leg", "seed", "opening", "moves", "returns", "reason", "at_fault", "batch",
              "expected"),
    "positions": ("meeting", "number", "position"),
    "times": ("meeting", "number", "leg", "seconds"),
}  # fmt: skip
NAN, MANY_DIGITS = b"\0\0\0\0\0\0\xf8\x7f" * 2, "9" * 5000
ODD: list[Any] = [
    None, -1, 0, 2**63 - 1, -(2**63), 1e308, float("inf"), -0.5, "", "\x00", "text", "[" * 9999, MANY_DIGITS, "null",
    "[]", "{}", "[1]", "[null]", '{"a": 1}', "[0, 0]", "[99, -1]", '"text"', "NaN", "1e999", "true", "\ud7ff\x1b[2J",
    b"", b"\x00", b"\xff\xfe" * 9, NAN, b"\x01" * 16, "CAST(x'ff' AS TEXT)",
]  # fmt: skip
WAYS = ("kept strict", "made loose", "forged")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a small store in which every table has rows."""
    path = tmp_path_factory.mktemp("store") / "t.sqlite"
    tournament("tictactoe", ["random", "first-legal"], games=6, db=path)
    database = sqlite3.connect(path)
    database.execute("INSERT INTO times SELECT meeting, number, leg, zeroblob(8) FROM games")
    database.commit()
    database.close()
    return path.read_bytes()


def spoil(path: Path, table: str, column: str, value: Any, way: str) -> bool:
    """Put a value into a column of a store's first rows; whether that is possible.

    Args:
        path: of the store.
        table, column: where.
        value: what.
        way: by SQLite's rules; in tables that are no longer strict; or so, with the tables' words put back afterwards.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        for name in ("games_never_change", "games_never_go"):
            database.execute(f"DROP TRIGGER {name}")
        words = dict(database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"))
        if way != "kept strict":
            _rewrite(database, {name: sql.replace(" NOT NULL", "") for name, sql in words.items()}, strict=False)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        raw = isinstance(value, str) and value.startswith("CAST(")
        change = f"UPDATE {table} SET {column} = {value if raw else '?'} WHERE "
        first = "1" if table in ("positions", "times") else f"rowid = (SELECT min(rowid) FROM {table})"
        several = f"{column} IN (SELECT {column} FROM {table} LIMIT 2)"
        for which in (several, first):  # one row only, where values may not repeat
            with contextlib.suppress(sqlite3.IntegrityError):
                database.execute(change + which, () if raw else (value,))
                break
        else:
            return False
        if way == "forged":
            _rewrite(database, words, strict=True)
    return True


def _rewrite(database: sqlite3.Connection, words: dict[str, str], *, strict: bool) -> None:
    """Change what SQLite keeps of how tables were made, and nothing of what is in them."""
    database.execute("PRAGMA writable_schema = ON")
    for name, sql in words.items():
        text = sql if strict else sql.replace(" STRICT, WITHOUT ROWID", " WITHOUT ROWID").replace(" STRICT", "")
        database.execute("UPDATE sqlite_master SET sql = ? WHERE name = ?", (text, name))
    database.execute("PRAGMA writable_schema = RESET")


def commands_end_well(folder: Path, whole: bytes, what: tuple[str, str, Any, str], names: list[str]) -> list[str]:
    """Run commands over a spoilt store; what they did that they may not."""
    wrong = []
    for name in names:
        path = folder / "t.sqlite"
        for file in folder.iterdir():
            file.unlink()
        path.write_bytes(whole)
        (folder / "other.sqlite").write_bytes(whole)
        if not spoil(path, *what):
            return []
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            code = main(COMMANDS[name](str(path)))
        said = errors.getvalue()
        if (
            "--debug shows more" in said
            or "Traceback" in said
            or (code and len(said.splitlines()) != (name != "verified" or code == 2))
        ):
            wrong.append(f"{what[0]}.{what[1]} = {str(what[2])[:30]!r} ({what[3]}), {name}: {code} {said[-300:]}")
    return wrong


def test_a_store_that_nobody_spoilt_is_taken(whole: bytes, tmp_path: Path) -> None:
    for name, words in COMMANDS.items():
        (tmp_path / "t.sqlite").write_bytes(whole)
        (tmp_path / "other.sqlite").write_bytes(whole)
        assert main(words(str(tmp_path / "t.sqlite"))) == 0, name


@pytest.mark.parametrize("cells", [40, pytest.param(0, marks=pytest.mark.faults)])
def test_odd_rows_end_in_a_sentence(whole: bytes, tmp_path: Path, cells: int) -> None:
    columns = [(table, column) for table, names in COLUMNS.items() for column in names]
    every = [(*place, value, way) for place, value, way in itertools.product(columns, ODD, WAYS)]
    chance = random.Random(1)
    wrong: list[str] = []
    for what in chance.sample(every, cells) if cells else every:
        names = chance.sample(list(COMMANDS), 2) if cells else list(COMMANDS)
        wrong += commands_end_well(tmp_path, whole, what, names)
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:60])


KEYS = ("game", "seed", "opening_plies", "openings", "players", "perfect_information", "time control", "adjudication")


@pytest.mark.parametrize("cells", [30, pytest.param(0, marks=pytest.mark.faults)])
def test_odd_settings_end_in_a_sentence(whole: bytes, tmp_path: Path, cells: int) -> None:
    values = [value for value in ODD if isinstance(value, str) and not value.startswith("CAST")]
    every, chance = list(itertools.product(KEYS, values)), random.Random(2)
    wrong: list[str] = []
    for key, value in chance.sample(every, cells) if cells else every:
        path = tmp_path / "t.sqlite"
        path.write_bytes(whole)
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (key, value))
            database.commit()
        names = chance.sample(list(COMMANDS), 2) if cells else list(COMMANDS)
        spoilt = path.read_bytes()
        found = commands_end_well(tmp_path, spoilt, ("sessions", "began_at", 1.0, "kept strict"), names)
        wrong += [f"{key} = {value[:30]!r}: {each}" for each in found]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong[:60])


def test_settings_are_told_in_words(whole: bytes, tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(whole)
    with Store(path, write=False) as store:
        assert json.loads(store.about()["game"]) == "tictactoe"
