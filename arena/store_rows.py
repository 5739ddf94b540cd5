"""The rows of a store's games as columns, and what cannot be read of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import numpy as np

from lanista.arena.meetings import seatings
from lanista.arena.move_encoding import plies
from lanista.arena.store_format import tells_expected
from lanista.arena.stored_games import Ints, StoredGames, column_of_players

_SELECT = (
    "SELECT id, meeting, number, leg, seed, opening, moves, returns, reason, at_fault, batch, {expected} FROM games"
    " WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
)
Names = dict[int, tuple[str, ...]]


def read_games(
    database: sqlite3.Connection, last: int = 2**63 - 1, *, after: int = -(2**63), most: int = -1
) -> tuple[StoredGames, dict[int, str]]:
    """All games that can be read, and of each row that cannot what is wrong with it.

    Args:
        database: the store's.
        last: only games up to this number.
        after: only games with greater numbers.
        most: at most so many of the first; -1 is all.

    Raises:
        sqlite3.Error: the tables cannot be read at all.
    """
    rows, damaged = _rows(database, (after, last, most))
    names = meetings_of(database)
    batches = {
        number: (session, stored_at)
        for number, session, stored_at in database.execute(
            "SELECT id, session, stored_at FROM batches WHERE id >= ?", (min((row[-2] for row in rows), default=0),)
        )
    }
    wrong = _wrong(rows, names, batches)
    if wrong:
        damaged |= {rows[at][0]: f"cannot be read: {why}" for at, why in wrong.items()}
        rows = [row for at, row in enumerate(rows) if at not in wrong]
    return _in_order(rows, names, batches, *_details(database, rows)), dict(sorted(damaged.items()))


def _details(
    database: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]
) -> tuple[list[str] | None, list[bytes] | None]:
    """Of some rows where they begin and what their moves took; None where no game tells any."""
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'times'").fetchone():
        return None, None
    begun = {(meeting, number): text for meeting, number, text in database.execute("SELECT * FROM positions")}
    took = {tuple(place): seconds for *place, seconds in database.execute("SELECT * FROM times")}
    positions = [begun.get((row[1], row[2]), "") for row in rows] if begun else None
    # What is cut off in the middle of a number has lost that one.
    seconds = [took.get((row[1], row[2], row[3]), b"") for row in rows] if took else None
    return positions, None if seconds is None else [each[: len(each) // 4 * 4] for each in seconds]


def _rows(database: sqlite3.Connection, which: tuple[int, int, int]) -> tuple[list[tuple[Any, ...]], dict[int, str]]:
    """The rows as they lie there, and those with a text that is none."""
    select = _SELECT.format(expected="expected" if tells_expected(database) else "NULL")
    try:
        return database.execute(select, which).fetchall(), {}
    except sqlite3.OperationalError:  # some text is none
        database.text_factory = bytes
        try:
            raw = database.execute(select.replace("moves, returns", "moves, typeof(moves), returns"), which).fetchall()
        finally:
            database.text_factory = str
    rows, damaged = [], {}
    for row in raw:
        *head, moves, kind, returns, reason, at_fault, batch, expected = row
        try:
            whole = moves.decode() if kind == b"text" else moves
            rows.append((*head, whole, returns, reason.decode(), at_fault, batch, expected))
        except UnicodeDecodeError as error:
            damaged[row[0]] = f"cannot be read: {error}"
    return rows, damaged


def meetings_of(database: sqlite3.Connection) -> Names:
    """Who met, by the meetings' keys; meetings of someone who is not there have no names."""
    contestants = dict(database.execute("SELECT id, name FROM contestants"))
    found: Names = {}
    for key, text in database.execute("SELECT id, contestants FROM meetings"):
        try:
            found[key] = tuple(contestants[number] for number in json.loads(text))
        except (ValueError, TypeError, KeyError, RecursionError):
            found[key] = ()
    return found


def _wrong(rows: Sequence[tuple[Any, ...]], names: Names, batches: dict[int, Any]) -> dict[int, str]:
    """Which rows do not hold together, by their index, and why; looked at one by one only if some do not."""
    if not rows:
        return {}
    _, meetings, _, legs, _, openings, moves, returns, _, at_fault, used, expected = zip(*rows, strict=True)
    players = {key: len(met) for key, met in names.items() if met}
    counts = set(players.values())
    if (
        len(counts) == 1
        and set(meetings) <= players.keys()
        and set(used) <= batches.keys()
        and set(map(type, moves)) == {bytes}
        and set(map(len, returns)) == {8 * max(counts)}
        and 0 <= min(legs) <= max(legs) < len(seatings(max(counts)))
        and bool(np.isfinite(np.frombuffer(b"".join(returns), "<f8")).all())
        and all(failed is None or _sits(failed, max(counts)) for failed in set(at_fault))
        and _begin(openings, np.fromiter(map(len, moves), np.int64, len(rows)), expected)
    ):
        return {}
    most = max(players.values(), default=0)
    found = {}
    for at, row in enumerate(rows):
        why = _why(row, players, most, batches)
        if why:
            found[at] = why
    return found


def _begin(openings: Sequence[int], lengths: Ints, expected: Sequence[bytes | None]) -> bool:
    """Whether games of so many bytes begin with openings of so many moves, and no more is expected than follow."""
    given = np.array(openings, np.int64)
    told = np.zeros(len(given), np.int64)
    if any(expected):
        told[:] = [0 if each is None else len(each) for each in expected]
    return not (lengths % 2).any() and bool(((given >= 0) & (2 * (given + told) <= lengths)).all())


def _sits(player: Any, players: int) -> bool:
    """Whether this is a player's number; in a forged table anything may stand there."""
    return type(player) is int and 0 <= player < players


def _why(row: tuple[Any, ...], players: dict[int, int], most: int, batches: dict[int, Any]) -> str:
    """What is wrong with a row; empty if nothing."""
    _, meeting, _, leg, _, opening, moves, returns, _, at_fault, batch, expected = row
    count = players.get(meeting)
    if count is None:
        return "one of its players was never entered"
    if count != most:
        return f"it is of {count} players, and others are of {most}"
    if not 0 <= leg < len(seatings(count)):
        return f"its leg is {leg}"
    if isinstance(moves, bytes) and len(moves) % 2:
        return "its moves are cut off"
    if not isinstance(moves, bytes | str):
        return "its moves are none"
    try:
        length = plies(moves)
    except (ValueError, RecursionError) as error:
        return " ".join(str(error).split())[:200]
    if not 0 <= opening <= length:
        return "it does not begin with its opening"
    if len(returns) != 8 * count:
        return f"it does not have {count} players' points"
    if not np.isfinite(np.frombuffer(returns, "<f8")).all():
        return "its points are no numbers"
    if at_fault is not None and not _sits(at_fault, count):
        return f"it has no player {str(at_fault)[:20]} who could have failed"
    if expected is not None and len(expected) > length - opening:
        return "more is expected than there are moves"
    return "" if batch in batches else f"its batch {batch} is not there"


def _in_order(
    rows: Sequence[tuple[Any, ...]],
    names: Names,
    batches: dict[int, Any],
    positions: list[str] | None,
    seconds: list[bytes] | None,
) -> StoredGames:
    """The rows as columns, by names, number and leg."""
    met = tuple(sorted(set(names.values())))
    place = {who: at for at, who in enumerate(met)}
    where = {key: place[who] for key, who in names.items()}
    columns: list[Any] = list(zip(*rows, strict=True)) if rows else [()] * 12
    ids, meetings, numbers, legs, seeds, openings, moves, returns, reasons, at_fault, used, expected = columns
    words = {word: at for at, word in enumerate(dict.fromkeys(reasons))}
    who = np.fromiter(map(where.__getitem__, meetings), np.int64, len(rows))
    games = StoredGames(
        ids=np.array(ids, np.int64),
        who=who,
        names=met,
        numbers=np.array(numbers, np.int64),
        legs=np.array(legs, np.int64),
        seeds=np.array(seeds, np.int64),
        openings=np.array(openings, np.int64),
        moves=list(moves),
        returns=np.frombuffer(b"".join(returns), "<f8").reshape(len(rows), -1) if rows else np.zeros((0, 2)),
        why=np.fromiter(map(words.__getitem__, reasons), np.int64, len(rows)),
        words=tuple(words),
        at_fault=column_of_players(at_fault),
        batches=np.array(used, np.int64),
        written=batches,
        expected=list(expected) if any(expected) else None,
        positions=positions,
        seconds=seconds,
    )
    return games.in_order()
