"""What lies in a store's file: the tables of format 3, and the way there from format 2.

Format 3 keeps contestants and meetings by number. `meetings.contestants` is a JSON list of contestants' numbers, in the
order of their names; `games.moves` is a BLOB of int16, little-endian, one an action, or JSON text where actions are not
such numbers; `games.opening` is how many of them are the opening; `games.returns` is a float64, little-endian, a seat.
What was stored in one transaction is a batch. `games.expected` is a byte for each move after the opening, what its
player expected (`agents.score_sheet`), or NULL where nobody told. Only where there are such, `positions` has the
positions that games begin from, in the field's notation, and `times` a float32, little-endian, a move after the
opening: its seconds.
"""

from __future__ import annotations

import json
import sqlite3
import struct
from typing import Any

from lanista.arena.move_encoding import encoded

FORMAT = 3
OLDEST = 2  # that can be read, and goes on as the newest
APPLICATION = 0x4C414E49  # "LANI", in the file's header: this SQLite file is one of ours
DETAILS = (  # which the first stores of format 3 did not have, nor what players expected
    """CREATE TABLE IF NOT EXISTS positions (
    meeting INTEGER NOT NULL REFERENCES meetings, number INTEGER NOT NULL, position TEXT NOT NULL,
    PRIMARY KEY (meeting, number)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE IF NOT EXISTS times (
    meeting INTEGER NOT NULL REFERENCES meetings, number INTEGER NOT NULL, leg INTEGER NOT NULL, seconds BLOB NOT NULL,
    PRIMARY KEY (meeting, number, leg)
) STRICT, WITHOUT ROWID""",
)
TABLES = (
    "CREATE TABLE contestants (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, digest TEXT NOT NULL) STRICT",
    "CREATE TABLE meetings (id INTEGER PRIMARY KEY, contestants TEXT NOT NULL UNIQUE) STRICT",
    "CREATE TABLE batches (id INTEGER PRIMARY KEY, session INTEGER REFERENCES sessions, stored_at REAL NOT NULL)"
    " STRICT",
    """CREATE TABLE games (
    id INTEGER PRIMARY KEY,
    meeting INTEGER NOT NULL REFERENCES meetings, number INTEGER NOT NULL, leg INTEGER NOT NULL,
    seed INTEGER NOT NULL, opening INTEGER NOT NULL, moves ANY NOT NULL, returns BLOB NOT NULL,
    reason TEXT NOT NULL, at_fault INTEGER, batch INTEGER NOT NULL REFERENCES batches, expected BLOB,
    UNIQUE (meeting, number, leg)
) STRICT""",
    *DETAILS,
    "CREATE TRIGGER games_never_change BEFORE UPDATE ON games BEGIN SELECT RAISE(ABORT, 'games are append-only'); END",
    "CREATE TRIGGER games_never_go BEFORE DELETE ON games BEGIN SELECT RAISE(ABORT, 'games are append-only'); END",
    f"PRAGMA user_version = {FORMAT}",
)
SCHEMA = (
    "CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY, began_at REAL NOT NULL, versions TEXT NOT NULL) STRICT",
    *TABLES,
    f"PRAGMA application_id = {APPLICATION}",
)
INSERT = (
    "INSERT INTO games (meeting, number, leg, seed, opening, moves, returns, reason, at_fault, batch, expected)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, {reason}, {at_fault}, {batch}, {expected})"
)  # what all of a batch have in common is written into it: every value that is handed over takes its time
INSERT_POSITION = "INSERT OR IGNORE INTO positions (meeting, number, position) VALUES (?, ?, ?)"
INSERT_TIMES = "INSERT INTO times (meeting, number, leg, seconds) VALUES (?, ?, ?, ?)"


def tells_expected(database: sqlite3.Connection) -> bool:
    """Whether the games have a column of what their players expected."""
    return any(name == "expected" for _, name, *_ in database.execute("PRAGMA table_info(games)"))


def is_whole(database: sqlite3.Connection) -> bool:
    """Whether a store of format 3 has all that the first of them did not have."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return tables >= {"positions", "times"} and tells_expected(database)


def make_whole(database: sqlite3.Connection) -> None:
    """Give a store of format 3 what the first of them did not have, within the caller's transaction."""
    for statement in DETAILS:
        database.execute(statement)
    if not tells_expected(database):
        database.execute("ALTER TABLE games ADD COLUMN expected BLOB")


def migrate(database: sqlite3.Connection) -> None:
    """Bring a store of format 2 to format 3, within the caller's transaction.

    What could not be read before cannot be read after, and is kept: a later look at it names the game.

    Raises:
        sqlite3.Error: its rows are of kinds that no store has.
    """
    try:
        _migrate(database)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise sqlite3.DataError(f"its rows are of kinds that no store has: {error}") from None


def _migrate(database: sqlite3.Connection) -> None:
    for name in ("games_never_change", "games_never_go"):
        database.execute(f"DROP TRIGGER IF EXISTS {name}")
    for name in ("games", "contestants"):
        database.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in TABLES:
        database.execute(statement)
    database.execute("INSERT INTO contestants (name, digest) SELECT name, digest FROM old_contestants ORDER BY rowid")
    numbers = dict(database.execute("SELECT name, id FROM contestants"))
    meetings: dict[str, int] = {}
    batches: dict[tuple[int | None, float], int] = {}
    database.text_factory = bytes  # a damaged text must not end it
    try:
        rows = database.execute(
            "SELECT id, one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at, session"
            " FROM old_games ORDER BY id"
        )
        for row in rows:
            _take_over(database, row, numbers, meetings, batches)
    finally:
        database.text_factory = str
    database.execute("DROP TABLE old_games")
    database.execute("DROP TABLE old_contestants")


def _take_over(
    database: sqlite3.Connection,
    row: tuple[Any, ...],
    numbers: dict[str, int],
    meetings: dict[str, int],
    batches: dict[tuple[int | None, float], int],
) -> None:
    """Write one game of format 2 as format 3 has it."""
    id_, one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at, session = row
    who = json.dumps([numbers.get(name.decode(errors="replace"), -1) for name in (one, other)])
    if who not in meetings:
        meetings[who] = int(database.execute("INSERT INTO meetings (contestants) VALUES (?)", (who,)).lastrowid or 0)
    if (session, stored_at) not in batches:
        batches[session, stored_at] = int(
            database.execute("INSERT INTO batches (session, stored_at) VALUES (?, ?)", (session, stored_at)).lastrowid
            or 0
        )
    database.execute(
        "INSERT INTO games (id, meeting, number, leg, seed, opening, moves, returns, reason, at_fault, batch)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, CAST(? AS TEXT), ?, ?)",
        (
            id_, meetings[who], number, leg, seed, _plies(opening, moves), _moves(moves), _returns(returns),
            reason, at_fault, batches[session, stored_at],
        ),
    )  # fmt: skip


def _plies(opening: bytes, moves: bytes) -> int:
    """How many moves an opening has; -1 if the game does not begin with it."""
    try:
        given, played = json.loads(opening), json.loads(moves)
        return len(given) if played[: len(given)] == given else -1
    except (ValueError, TypeError, KeyError):
        return -1


def _moves(text: bytes) -> bytes | str:
    try:
        moves = json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
    return encoded(moves) if isinstance(moves, list) else text.decode()


def _returns(text: bytes) -> bytes:
    """A float64 a seat; what is none is kept as it was, and has not the length of any."""
    try:
        returns = json.loads(text)
        return struct.pack(f"<{len(returns)}d", *returns)
    except (ValueError, TypeError, struct.error):
        return text if len(text) % 8 else text + b" "
