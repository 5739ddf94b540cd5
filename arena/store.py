"""The games of a tournament: one append-only SQLite file, the only truth. Tables and reports are computed from it.

A game is written once, in a transaction with those that finished together, and synced before it counts as finished:
a kill at any instant loses nothing that was stored. A game's place (who met, which opening, who sat first) is unique,
so nothing is played twice.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from lanista.errors import UsageError

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS contestants (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS games (
    id INTEGER PRIMARY KEY,
    one TEXT NOT NULL REFERENCES contestants, other TEXT NOT NULL REFERENCES contestants,
    number INTEGER NOT NULL, leg INTEGER NOT NULL,
    seed INTEGER NOT NULL, opening TEXT NOT NULL, moves TEXT NOT NULL, returns TEXT NOT NULL,
    reason TEXT NOT NULL, at_fault INTEGER, stored_at REAL NOT NULL,
    UNIQUE (one, other, number, leg)
) STRICT;
"""


@dataclass(frozen=True)
class StoredGame:
    """A finished game.

    Attributes:
        one, other: who met; `one` sat first in leg 0, `other` in leg 1.
        number: of the opening between these two.
        leg: 0 or 1.
        seed: of the game's random stream.
        opening: the actions before the first turn.
        moves: all actions, the opening included.
        returns: each player's sum of rewards.
        reason: as in `agents.match.Played`.
        at_fault: the player that failed, or None.
        stored_at: seconds since 1970.
    """

    one: str
    other: str
    number: int
    leg: int
    seed: int
    opening: tuple[int, ...]
    moves: tuple[int, ...]
    returns: tuple[float, ...]
    reason: str
    at_fault: int | None
    stored_at: float = 0.0

    @property
    def seats(self) -> tuple[str, str]:
        """Who sat first and second."""
        return (self.one, self.other) if self.leg == 0 else (self.other, self.one)

    @property
    def void(self) -> bool:
        """The environment broke: it counts for nobody."""
        return self.reason == "broken"

    def points(self, name: str) -> float:
        """1, 1/2 or 0 of one of the two."""
        mine = self.returns[self.seats.index(name)]
        theirs = self.returns[1 - self.seats.index(name)]
        return 1.0 if mine > theirs else 0.0 if mine < theirs else 0.5


class Store:
    """An open store. Use it as a context manager."""

    def __init__(self, path: str | Path | None, *, write: bool = True) -> None:
        """Open or make a store.

        Args:
            path: the file; None keeps the games in memory only.
            write: also take the file's lock, so that two tournaments never write into one store.

        Raises:
            UsageError: the file is none of ours, is damaged, of a newer format, or in use.
        """
        self.path = None if path is None else Path(path)
        self._lock: IO[str] | None = None
        if self.path is not None and not write and not self.path.is_file():
            raise UsageError(f"there is no store {self.path}")
        try:
            if self.path is not None and write:
                self._lock = _lock(self.path)
            self._database = sqlite3.connect(":memory:" if self.path is None else self.path, isolation_level=None)
            self._open(write)
        except sqlite3.Error as error:
            self.close()
            raise UsageError(f"{self.path} cannot be opened as a tournament's store: {error}") from None
        except BaseException:
            self.close()
            raise

    def _open(self, write: bool) -> None:
        tables = {name for (name,) in self._database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if tables and not {"about", "contestants", "games"} <= tables:
            raise UsageError(f"{self.path} is a database, but no tournament's store")
        if write:
            self._database.execute("PRAGMA journal_mode = WAL")
            # Synced at every commit: what was told as finished survives a power cut, not only a kill.
            self._database.execute("PRAGMA synchronous = FULL")
            with self._transaction():
                for statement in filter(str.strip, _SCHEMA.split(";")):
                    self._database.execute(statement)
                self._database.execute("INSERT OR IGNORE INTO about VALUES ('format', ?)", (str(FORMAT),))
        elif not tables:
            raise UsageError(f"{self.path} holds no tournament")
        version = self.about().get("format", "0")
        if not version.isdecimal() or int(version) > FORMAT:
            raise UsageError(f"{self.path} has format {version}, this Lanista reads up to {FORMAT}: update Lanista")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let go of its lock."""
        if hasattr(self, "_database"):
            self._database.close()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def about(self) -> dict[str, str]:
        """The tournament's game and settings, as texts."""
        return dict(self._database.execute("SELECT key, value FROM about"))

    def settle(self, settings: Mapping[str, Any]) -> None:
        """Write the settings of a new store, or check that an old one has the same.

        Raises:
            UsageError: a setting differs; it names both.
        """
        known = self.about()
        for key, value in settings.items():
            text = json.dumps(value)
            if key in known and known[key] != text:
                raise UsageError(
                    f"the tournament in {self.path} has the {key} {json.loads(known[key])}, not {value}; "
                    "use the same, or another --db"
                )
        with self._transaction():
            self._database.executemany(
                "INSERT OR IGNORE INTO about VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in settings.items()],
            )

    def setting(self, key: str) -> Any:
        """One setting; None if it is not there."""
        text = self.about().get(key)
        return None if text is None else json.loads(text)

    def enter(self, contestants: Mapping[str, str]) -> None:
        """Enter contestants by name and digest.

        Raises:
            UsageError: one has changed since it played here.
        """
        known = dict(self._database.execute("SELECT name, digest FROM contestants"))
        for name, digest in contestants.items():
            if name in known and known[name] != digest:
                raise UsageError(
                    f"'{name}' has changed since its games in {self.path} were played; copy it under another name, "
                    "or use another --db"
                )
        with self._transaction():
            self._database.executemany("INSERT OR IGNORE INTO contestants VALUES (?, ?)", contestants.items())

    def contestants(self) -> list[str]:
        """The names of all who were entered, in the order of their names."""
        return [name for (name,) in self._database.execute("SELECT name FROM contestants ORDER BY name")]

    def add(self, games: Sequence[StoredGame]) -> None:
        """Store games that finished together, all or none.

        Raises:
            sqlite3.IntegrityError: one of them is stored already.
        """
        rows = [
            (
                game.one, game.other, game.number, game.leg, game.seed, _write(game.opening), _write(game.moves),
                json.dumps(game.returns), game.reason, game.at_fault, game.stored_at or time.time(),
            )
            for game in games
        ]  # fmt: skip
        with self._transaction():
            self._database.executemany(
                "INSERT INTO games"
                " (one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def places(self) -> set[tuple[str, str, int, int]]:
        """Who met whom over which opening in which seats, for every stored game."""
        return set(self._database.execute("SELECT one, other, number, leg FROM games"))

    def games(self) -> list[StoredGame]:
        """All games, in an order that does not depend on when they were played."""
        try:
            rows = self._database.execute(
                "SELECT one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at FROM games"
                " ORDER BY one, other, number, leg"
            ).fetchall()
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} is damaged: {error}") from None
        return [
            StoredGame(
                one,
                other,
                number,
                leg,
                seed,
                _read(opening),
                _read(moves),
                tuple(json.loads(returns)),
                reason,
                at_fault,
                at,
            )
            for one, other, number, leg, seed, opening, moves, returns, reason, at_fault, at in rows
        ]


def _write(actions: Sequence[int]) -> str:
    return " ".join(map(str, actions))


def _read(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


def _lock(path: Path) -> IO[str]:
    """Hold the store for this process; the lock goes with the process, however it ends."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f"{path.name}-lock").open("w")
    except OSError as error:
        raise UsageError(f"cannot write to {path.parent}: {error.strerror}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise UsageError(f"another tournament is writing into {path}; wait for it, or use another --db") from None
    lock.write(str(os.getpid()))
    lock.flush()
    return lock
