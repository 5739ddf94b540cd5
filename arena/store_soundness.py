"""Whether a file that calls itself a store has a store's tables and settings, whoever wrote it.

SQLite keeps the words that made a table, and its own check holds the rows of a STRICT table to their kinds. So a table
that was made by our words holds nothing of another kind, in a file that SQLite finds whole; what is left to look at
here are the words, and what our texts say.
"""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from lanista.arena.store_format import SCHEMA
from lanista.errors import UsageError

LATEST = 1e11  # seconds since 1970, a few thousand years: no clock says more
MOST_PLAYERS = 64
TEXTS = {
    "about": ("key", "value"), "sessions": ("versions",), "contestants": ("name", "digest"),
    "meetings": ("contestants",), "positions": ("position",),
}  # fmt: skip
LATER = ("positions", "times")  # which the first stores of format 3 did not have


def check_tables(database: sqlite3.Connection, path: Path | None) -> None:
    """Refuse a store of the newest format whose tables are not as Lanista makes them.

    Raises:
        UsageError: it says which.
    """
    found = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")}
    for name, wanted in _columns().items():
        if name not in found and name in LATER:
            continue
        columns = _columns_of(database, name)
        # The first stores of format 3 did not have what players expected, the last column.
        if columns != wanted and not (name == "games" and columns == wanted[:-1]):
            raise UsageError(f"{path} is damaged: its table '{name}' is not as Lanista makes it; use another --db")
    for name, texts in TEXTS.items():
        if name in found:
            _check_texts(database, path, name, texts)


def check_links(database: sqlite3.Connection, path: Path | None) -> None:
    """Refuse to write into a store whose rows name others that are not there: games of nobody, batches of no session.

    Raises:
        UsageError: it says of which table.
    """
    lost = database.execute("PRAGMA foreign_key_check").fetchone()
    if lost is not None:
        raise UsageError(
            f"{path} is damaged: row {lost[1]} of its table '{lost[0]}' names what is not there; 'lanista verify' "
            "tells which games can be read, and another --db begins anew"
        )


def _check_texts(database: sqlite3.Connection, path: Path | None, table: str, columns: tuple[str, ...]) -> None:
    """Refuse texts that are none: SQLite keeps any bytes as such."""
    database.text_factory = bytes
    try:
        for row in database.execute(f"SELECT {', '.join(columns)} FROM {table}"):
            for text in row:
                text.decode()
    except UnicodeDecodeError:
        raise UsageError(f"{path} is damaged: a text of its table '{table}' is none; use another --db") from None
    finally:
        database.text_factory = str


@cache
def _columns() -> dict[str, list[tuple[Any, ...]]]:
    """The columns of each table as Lanista makes it."""
    model = sqlite3.connect(":memory:")
    try:
        for statement in SCHEMA:
            model.execute(statement)
        names = [name for (name,) in model.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: _columns_of(model, name) for name in names}
    finally:
        model.close()


def _columns_of(database: sqlite3.Connection, table: str) -> list[tuple[Any, ...]]:
    """A table's columns: whether it holds its rows to their kinds, name, kind, not null, place in the key."""
    strict = database.execute("SELECT type, strict FROM pragma_table_list WHERE name = ?", (table,)).fetchone()
    rows = database.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (table,)).fetchall()
    return [(strict, *row) for row in rows]


def _is_number(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


SETTINGS: dict[str, tuple[str, Callable[[Any], bool]]] = {  # what each of them is, where commands rely on it
    "game": ("a text", lambda value: isinstance(value, str)),
    "seed": ("a whole number", _is_number),
    "players": ("a number of players", lambda value: _is_number(value) and 1 <= value <= MOST_PLAYERS),
    "perfect_information": ("true or false", lambda value: isinstance(value, bool)),
    "opening_plies": (
        "two whole numbers",
        lambda value: isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))
        and 0 <= value[0] <= value[1] <= 10_000,
    ),
    "openings": ("a text", lambda value: isinstance(value, str)),
    "time control": ("a text", lambda value: isinstance(value, str)),
    "adjudication": ("an object", lambda value: isinstance(value, dict)),
    "format": ("a text", lambda value: isinstance(value, str)),
    "contestants in order": (
        "a list of names", lambda value: isinstance(value, list) and all(isinstance(each, str) for each in value)
    ),
    "games of an encounter": ("a number of games", lambda value: _is_number(value) and value >= 1),
}  # fmt: skip


def plain(text: str, key: str, path: Path | None) -> Any:
    """What a text of a store says, which may be anybody's.

    Raises:
        UsageError: it is no JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, TypeError, RecursionError):
        raise UsageError(f"{path} is damaged: its '{key}' cannot be read") from None


def checked_setting(key: str, value: Any, path: Path | None) -> Any:
    """A store's setting, which may be anybody's.

    Raises:
        UsageError: it is of another kind than its key's.
    """
    if value is None or key not in SETTINGS:
        return value
    what, is_sound = SETTINGS[key]
    if not is_sound(value):
        raise UsageError(f"{path} is damaged: its '{key}' must be {what}, not {json.dumps(value)[:60]}")
    return value


def checked_session(number: int, began: float, versions: Any, path: Path | None) -> tuple[float, dict[str, str]]:
    """When a session of a store began and its versions, which may be anybody's.

    Raises:
        UsageError: they are none.
    """
    if not is_time(began):
        raise UsageError(f"{path} is damaged: its session {number} began at no time")
    if not isinstance(versions, dict) or not all(isinstance(value, str) for value in versions.values()):
        raise UsageError(f"{path} is damaged: the versions of its session {number} are none")
    return began, versions


def is_time(seconds: float) -> bool:
    """Whether this may be when something was stored, in seconds since 1970."""
    return math.isfinite(seconds) and 0 <= seconds < LATEST
