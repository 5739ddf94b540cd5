"""The games of a tournament: one append-only SQLite file, the only truth. Tables and reports are computed from it.

A game is written once, in a transaction with those that finished together, and synced before it counts as finished:
a kill at any instant, of the process or of the machine, loses nothing that was stored. A game's place (who met, which
opening, who sat first) is unique, so nothing is played twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.arena.store_lock import StoreLock
from lanista.errors import UsageError

FORMAT = 2
APPLICATION = 0x4C414E49  # "LANI", in the file's header: this SQLite file is one of ours
SECTOR = 512  # bytes; a database's pages, and so its file, are multiples of it
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE contestants (name TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT;
CREATE TABLE sessions (id INTEGER PRIMARY KEY, began_at REAL NOT NULL, versions TEXT NOT NULL) STRICT;
CREATE TABLE games (
    id INTEGER PRIMARY KEY,
    one TEXT NOT NULL REFERENCES contestants, other TEXT NOT NULL REFERENCES contestants,
    number INTEGER NOT NULL, leg INTEGER NOT NULL,
    seed INTEGER NOT NULL, opening TEXT NOT NULL, moves TEXT NOT NULL, returns TEXT NOT NULL,
    reason TEXT NOT NULL, at_fault INTEGER, stored_at REAL NOT NULL,
    session INTEGER REFERENCES sessions,
    UNIQUE (one, other, number, leg)
) STRICT;
CREATE TRIGGER games_never_change BEFORE UPDATE ON games BEGIN SELECT RAISE(ABORT, 'games are append-only'); END;
CREATE TRIGGER games_never_go BEFORE DELETE ON games BEGIN SELECT RAISE(ABORT, 'games are append-only'); END;
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {FORMAT};
COMMIT;
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
        moves: all actions, the opening included; an action of several numbers is a list of them.
        returns: each player's sum of rewards.
        reason: as in `agents.match.Played`.
        at_fault: the player that failed, or None.
        stored_at: seconds since 1970.
        session: the run of a tournament that played it, a key of `Store.sessions`.
    """

    one: str
    other: str
    number: int
    leg: int
    seed: int
    opening: tuple[Any, ...]
    moves: tuple[Any, ...]
    returns: tuple[float, ...]
    reason: str
    at_fault: int | None
    stored_at: float = 0.0
    session: int | None = None

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
        self._lock: StoreLock | None = None
        if self.path is not None and not write and not self.path.is_file():
            raise UsageError(f"there is no store {self.path}")
        try:
            if self.path is not None and write:
                if self.path.exists() and not os.access(self.path, os.W_OK, effective_ids=True):
                    raise UsageError(f"cannot write to {self.path}: it is read-only")
                self._lock = StoreLock(self.path)
            if self.path is not None and self.path.exists():
                _check_size(self.path)
            self._database = sqlite3.connect(_address(self.path, write), uri=True, isolation_level=None)
            self._open(write)
        except sqlite3.Error as error:
            self.close()
            raise UsageError(f"{self.path} cannot be opened as a tournament's store: {error}") from None
        except BaseException:
            self.close()
            raise

    def _open(self, write: bool) -> None:
        (application,) = self._database.execute("PRAGMA application_id").fetchone()
        (version,) = self._database.execute("PRAGMA user_version").fetchone()
        (tables,) = self._database.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or tables):
            raise UsageError(f"{self.path} is a database, but no tournament's store")
        if version > FORMAT:
            raise UsageError(f"{self.path} has format {version}, this Lanista reads up to {FORMAT}: update Lanista")
        (state,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise UsageError(f"{self.path} is damaged: {' '.join(state.split())}")
        if write:
            self._database.execute("PRAGMA journal_mode = WAL")
            # Synced at every commit: what was told as finished survives a power cut, not only a kill.
            self._database.execute("PRAGMA synchronous = FULL")
            if not tables:
                # One transaction: a kill leaves an empty file, which is built again, or a whole store.
                self._database.executescript(_SCHEMA)
        elif not tables:
            raise UsageError(f"{self.path} holds no tournament")
        else:
            self._database.execute("PRAGMA query_only = ON")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        except BaseException as error:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise OSError(
                    f"cannot write to {self.path}: {error}; the games that are stored are safe, and once there is room "
                    "the same command goes on"
                ) from None
            raise

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

    def begin_session(self, versions: Mapping[str, str], began_at: float | None = None) -> int:
        """Write down that someone begins to play, and give the session's number.

        Args:
            versions: of whatever decides how games go, name -> version.
            began_at: when, in seconds since 1970; None is now.
        """
        began = time.time() if began_at is None else began_at
        with self._transaction():
            cursor = self._database.execute(
                "INSERT INTO sessions (began_at, versions) VALUES (?, ?)", (began, json.dumps(dict(versions)))
            )
        return int(cursor.lastrowid or 0)

    def sessions(self) -> dict[int, tuple[float, dict[str, str]]]:
        """When each session began, in seconds since 1970, and its versions."""
        rows = self._database.execute("SELECT id, began_at, versions FROM sessions")
        return {number: (began, json.loads(versions)) for number, began, versions in rows}

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
            OSError: the file cannot be written, or the disk is full; then none is stored.
        """
        rows = [
            (
                game.one, game.other, game.number, game.leg, game.seed, _write(game.opening), _write(game.moves),
                _write(game.returns), game.reason, game.at_fault, game.stored_at or time.time(), game.session,
            )
            for game in games
        ]  # fmt: skip
        with self._transaction():
            self._database.executemany(
                "INSERT INTO games"
                " (one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at, session)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )

    def places(self) -> set[tuple[str, str, int, int]]:
        """Who met whom over which opening in which seats, for every stored game."""
        return set(self._database.execute("SELECT one, other, number, leg FROM games"))

    def count(self) -> int:
        """How many games are stored."""
        return int(self._database.execute("SELECT count(*) FROM games").fetchone()[0])

    def games(self) -> list[StoredGame]:
        """All games, in an order that does not depend on when they were played.

        Raises:
            UsageError: one of them cannot be read.
        """
        games, damaged = self.readable()
        if damaged:
            raise UsageError(
                f"{self.path} is damaged: game {next(iter(damaged))} cannot be read; 'lanista verify' names all such"
            )
        return list(games.values())

    def readable(self) -> tuple[dict[int, StoredGame], dict[int, str]]:
        """What can be read and what cannot.

        Returns:
            The games by their numbers in this store, ordered as `games` orders them; and of each row that cannot be
            read what is wrong with it.
        """
        try:
            try:
                rows = self._database.execute(_SELECT).fetchall()
            except sqlite3.OperationalError:  # some text is none
                self._database.text_factory = bytes
                rows = self._database.execute(_SELECT).fetchall()
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} is damaged: {error}") from None
        finally:
            self._database.text_factory = str
        games, damaged = {}, {}
        for number, *row in rows:
            try:
                games[number] = _game(row)
            except (ValueError, TypeError, RecursionError) as error:
                damaged[number] = f"cannot be read: {' '.join(str(error).split())[:200]}"
        return games, damaged

    def game(self, number: int) -> StoredGame:
        """The game of a number.

        Raises:
            UsageError: there is none, or it cannot be read.
        """
        games, damaged = self.readable()
        if number in damaged:
            raise UsageError(f"game {number} of {self.path} {damaged[number]}")
        if number not in games:
            which = f"its games are {min(games)} to {max(games)}" if games else "it has none"
            raise UsageError(f"there is no game {number} in {self.path}; {which}")
        return games[number]

    def digests(self) -> dict[str, str]:
        """The digest of each contestant, by its name, as it was when it entered."""
        return dict(self._database.execute("SELECT name, digest FROM contestants ORDER BY name"))

    def faults_of_file(self) -> list[str]:
        """What SQLite itself finds wrong in the whole file, indices included."""
        found = [str(line) for (line,) in self._database.execute("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else [" ".join(line.split()) for line in found]


_SELECT = (
    "SELECT id, one, other, number, leg, seed, opening, moves, returns, reason, at_fault, stored_at, session"
    " FROM games ORDER BY one, other, number, leg"
)


def _game(row: Sequence[Any]) -> StoredGame:
    """A game from its row.

    Raises:
        ValueError: a text is no text, or not what should stand there.
    """
    values: list[Any] = [value.decode() if isinstance(value, bytes) else value for value in row]
    one, other, number, leg, seed, opening, moves, returns, *rest = values
    game = StoredGame(one, other, number, leg, seed, _read(opening), _read(moves), _read(returns), *rest)
    if leg not in (0, 1):
        raise ValueError(f"its leg is {leg}")
    return game


_write = json.JSONEncoder(separators=(",", ":")).encode  # made once; an action of several numbers is a list of them


def _read(text: str) -> tuple[Any, ...]:
    value = json.loads(text)
    if not isinstance(value, list):
        raise ValueError(f"no list: {text[:50]}")
    return tuple(value)


def _address(path: Path | None, write: bool) -> str:
    """What SQLite is to open, as a URI."""
    if path is None:
        return "file::memory:"
    wants_log = (
        write or os.access(path.parent, os.W_OK, effective_ids=True) or path.with_name(f"{path.name}-wal").exists()
    )
    # Where nothing can be written, SQLite could not make the files beside it that readers share with a writer.
    return path.absolute().as_uri() + ("" if wants_log else "?immutable=1")


def _check_size(path: Path) -> None:
    """Refuse a file that is cut within a page: SQLite would fill it up with zeros, and take a very short one as empty.

    With a log beside it, its last page may still be written from there.
    """
    if path.stat().st_size % SECTOR and not path.with_name(f"{path.name}-wal").exists():
        raise UsageError(f"{path} cannot be opened as a tournament's store: it is no database, or damaged")
