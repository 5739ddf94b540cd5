"""The games of a tournament: one append-only SQLite file, the only truth. Tables and reports are computed from it.

A game is written once, in a transaction with those that finished together, and synced before it counts as finished:
a kill at any instant, of the process or of the machine, loses nothing that was stored. A game's place (who met, over
which opening, in which seats) is unique, so nothing is played twice. `store_format` says what lies in the file.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from lanista.arena.move_encoding import timed
from lanista.arena.new_games import NewGames, joined
from lanista.arena.store_file import address, check_size, transaction
from lanista.arena.store_format import (
    APPLICATION,
    FORMAT,
    INSERT,
    INSERT_POSITION,
    INSERT_TIMES,
    OLDEST,
    SCHEMA,
    is_whole,
    make_whole,
    migrate,
)
from lanista.arena.store_lock import StoreLock
from lanista.arena.store_rows import meetings_of, read_games
from lanista.arena.store_soundness import check_links, check_tables, checked_session, checked_setting, plain
from lanista.arena.stored_games import StoredGame, StoredGames, new_games
from lanista.errors import UsageError

MOST_REMEMBERED = 500_000  # games, of some 200 bytes each


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
        self._file: sqlite3.Connection | None = None  # of an older format, where a copy of it is read
        # What `add_columns` stored through this object since it was opened, None if that is too much: games, the key of
        # their batch, its session and time; and the number of the last game before them.
        self._fresh: list[tuple[NewGames, int, tuple[int | None, float]]] | None = []
        self._before = self._remembered = 0
        self._lock: StoreLock | None = None
        if self.path is not None and not self.path.name:
            raise UsageError("name the file of the store: the name is empty")
        if self.path is not None and not write and not self.path.is_file():
            raise UsageError(f"there is no store {self.path}")
        try:
            if self.path is not None and write:
                if self.path.exists() and not os.access(self.path, os.W_OK, effective_ids=True):
                    raise UsageError(f"cannot write to {self.path}: it is read-only")
                self._lock = StoreLock(self.path)
            if self.path is not None and self.path.exists():
                check_size(self.path)
            self._database = sqlite3.connect(address(self.path, write), uri=True, isolation_level=None)
            self._open(write)
        except (sqlite3.Error, UnicodeDecodeError) as error:  # the words of a damaged file's tables may be none
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
        if tables and version < OLDEST:
            raise UsageError(f"{self.path} has format {version}, this Lanista reads {OLDEST} to {FORMAT}")
        (state,) = self._database.execute("PRAGMA quick_check(1)").fetchone()
        if state != "ok":
            raise UsageError(f"{self.path} is damaged: {' '.join(state.split())}")
        if write:
            self._database.execute("PRAGMA journal_mode = WAL")
            # Synced at every commit: what was told as finished survives a power cut, not only a kill.
            self._database.execute("PRAGMA synchronous = FULL")
            if not tables:
                # One transaction: a kill leaves an empty file, which is built again, or a whole store.
                with self._transaction():
                    for statement in SCHEMA:
                        self._database.execute(statement)
                return
            if version < FORMAT:
                with self._transaction():
                    migrate(self._database)
            check_tables(self._database, self.path)
            check_links(self._database, self.path)
            if not is_whole(self._database):
                with self._transaction():
                    make_whole(self._database)
            return
        if not tables:
            raise UsageError(f"{self.path} holds no tournament")
        if version < FORMAT:
            self._read_a_migrated_copy()
        check_tables(self._database, self.path)
        self._database.execute("PRAGMA query_only = ON")

    def _read_a_migrated_copy(self) -> None:
        """A reader changes no file: it brings a copy in memory to the newest format, and reads that."""
        self._file, self._database = self._database, sqlite3.connect(":memory:", isolation_level=None)
        self._file.backup(self._database)
        with self._transaction():
            migrate(self._database)

    def _transaction(self) -> contextlib.AbstractContextManager[None]:
        comfort = "the games that are stored are safe, and once there is room the same command goes on"
        return transaction(self._database, self.path, comfort)

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let go of its lock."""
        for database in (getattr(self, "_database", None), self._file):
            if database is not None:
                database.close()
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
        return {
            number: checked_session(number, began, plain(versions, "versions", self.path), self.path)
            for number, began, versions in rows
        }

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
                    f"the tournament in {self.path} has the {key} {self.setting(key)}, not {value}; "
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
        return None if text is None else checked_setting(key, plain(text, key, self.path), self.path)

    def game_string(self) -> str:
        """The string of the game that is played here.

        Raises:
            UsageError: the store does not tell it.
        """
        name = self.setting("game")
        if name is None:
            raise UsageError(f"{self.path} does not tell its game")
        return str(name)

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
            self._database.executemany(
                "INSERT OR IGNORE INTO contestants (name, digest) VALUES (?, ?)", contestants.items()
            )

    def contestants(self) -> list[str]:
        """The names of all who were entered, in the order of their names."""
        return [name for (name,) in self._database.execute("SELECT name FROM contestants ORDER BY name")]

    def meet(self, meetings: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
        """The keys of meetings, which are made where they are new.

        Args:
            meetings: who meets, in the order that `StoredGame.names` has.

        Raises:
            ValueError: one of them was not entered.
        """
        with self._transaction():
            return self._meet(meetings)

    def meetings(self) -> dict[int, tuple[str, ...]]:
        """Who met, by the meetings' keys."""
        return meetings_of(self._database)

    def _meet(self, meetings: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
        keys = {name: key for key, name in self._database.execute("SELECT id, name FROM contestants")}
        known = {text: key for key, text in self._database.execute("SELECT id, contestants FROM meetings")}
        found = {}
        for names in dict.fromkeys(meetings):
            for name in names:
                if name not in keys:
                    raise ValueError(f"'{name}' plays a game but was not entered")
            text = json.dumps([keys[name] for name in names])
            if text not in known:
                cursor = self._database.execute("INSERT INTO meetings (contestants) VALUES (?)", (text,))
                known[text] = int(cursor.lastrowid or 0)
            found[names] = known[text]
        return found

    def add(self, games: Sequence[StoredGame]) -> None:
        """Store games that finished together, all or none.

        Raises:
            sqlite3.IntegrityError: one of them is stored already.
            OSError: the file cannot be written, or the disk is full; then none is stored.
            ValueError: a player was not entered.
        """
        now = time.time()
        self._fresh = None
        with self._transaction():
            meetings = self._meet(game.names for game in games)
            together: dict[tuple[int | None, float], list[StoredGame]] = {}
            for game in games:
                together.setdefault((game.session, game.stored_at or now), []).append(game)
            for (session, stored_at), some in together.items():
                self._insert(new_games(some, meetings), session, stored_at)

    def add_columns(self, games: NewGames, session: int | None = None) -> None:
        """Store games that finished together, all or none, without an object for each; raises as `add`."""
        now = time.time()
        with self._transaction():
            batch = self._insert(games, session, now)
        self._remember(games, batch, session, now)

    def _remember(self, games: NewGames, batch: int, session: int | None, now: float) -> None:
        """Keep what was stored just now, so that `games` need not read it back; not of very many."""
        if self._fresh is None:
            return
        self._fresh.append((games, batch, (session, now)))
        self._remembered += len(games)
        if self._remembered > MOST_REMEMBERED:
            self._fresh = None

    def _insert(self, games: NewGames, session: int | None, stored_at: float) -> int:
        """Insert games as a batch, and give its key."""
        if self._fresh == []:
            (self._before,) = self._database.execute("SELECT coalesce(max(id), 0) FROM games").fetchone()
        cursor = self._database.execute("INSERT INTO batches (session, stored_at) VALUES (?, ?)", (session, stored_at))
        returns, size = np.ascontiguousarray(games.returns, "<f8").tobytes(), 8 * games.returns.shape[1]
        batch = int(cursor.lastrowid or 0)
        columns: list[Any] = [
            *(column.tolist() for column in (games.meetings, games.numbers, games.legs, games.seeds, games.openings)),
            games.moves,
            [returns[at : at + size] for at in range(0, len(returns), size)],
        ]
        common = {"reason": "'end'", "at_fault": "NULL", "expected": "NULL"}
        if set(games.reasons) != {"end"} or set(games.at_fault) != {None}:
            common |= {"reason": "?", "at_fault": "?"}
            columns += [games.reasons, games.at_fault]
        if games.expected is not None:
            common["expected"] = "?"
            columns.append(games.expected)
        self._database.executemany(INSERT.format(batch=batch, **common), zip(*columns, strict=True))
        if games.positions is not None:
            begun = zip(games.meetings.tolist(), games.numbers.tolist(), games.positions, strict=True)
            self._database.executemany(INSERT_POSITION, (row for row in begun if row[2]))
        if games.seconds is not None:
            places = (column.tolist() for column in (games.meetings, games.numbers, games.legs))
            took = zip(*places, map(timed, games.seconds), strict=True)
            self._database.executemany(INSERT_TIMES, (row for row in took if row[3]))
        return batch

    def places(self) -> list[tuple[int, int, int]]:
        """The key of the meeting, the number of the opening, and the leg, of every stored game."""
        return self._database.execute("SELECT meeting, number, leg FROM games").fetchall()

    def count(self) -> int:
        """How many games are stored."""
        return int(self._database.execute("SELECT count(*) FROM games").fetchone()[0])

    def games(self) -> StoredGames:
        """All games, in an order that does not depend on when they were played.

        Raises:
            UsageError: one of them cannot be read.
        """
        games, damaged = self._read(self._before) if self._fresh else self._read()
        if damaged:
            raise UsageError(
                f"{self.path} is damaged: game {next(iter(damaged))} cannot be read; 'lanista verify' names all such"
            )
        if not self._fresh:
            return games
        new = joined([some for some, _, _ in self._fresh])
        batches = np.repeat([batch for _, batch, _ in self._fresh], [len(some) for some, _, _ in self._fresh])
        written = {batch: told for _, batch, told in self._fresh}
        return games.with_more(
            StoredGames.written_as(new, self.meetings(), self._before + 1, batches.astype(np.int64), written)
        )

    def games_after(self, last: int, most: int = -1) -> StoredGames:
        """The readable games with numbers after this one, at most so many of the first; -1 is all."""
        return read_games(self._database, after=last, most=most)[0]

    def readable(self) -> tuple[dict[int, StoredGame], dict[int, str]]:
        """What can be read and what cannot.

        Returns:
            The games by their numbers in this store, ordered as `games` orders them; and of each row that cannot be
            read what is wrong with it.
        """
        games, damaged = self._read()
        return dict(zip(games.ids.tolist(), games, strict=True)), damaged

    def _read(self, last: int = 2**63 - 1) -> tuple[StoredGames, dict[int, str]]:
        try:
            return read_games(self._database, last)
        except sqlite3.Error as error:
            raise UsageError(f"{self.path} is damaged: {error}") from None

    def game(self, number: int) -> StoredGame:
        """The game of a number.

        Raises:
            UsageError: there is none, or it cannot be read.
        """
        games, damaged = self._read()
        if number in damaged:
            raise UsageError(f"game {number} of {self.path} {damaged[number]}")
        found = np.flatnonzero(games.ids == number)
        if not len(found):
            which = f"its games are {games.ids.min()} to {games.ids.max()}" if len(games) else "it has none"
            raise UsageError(f"there is no game {number} in {self.path}; {which}")
        return games[int(found[0])]

    def digests(self) -> dict[str, str]:
        """The digest of each contestant, by its name, as it was when it entered."""
        return dict(self._database.execute("SELECT name, digest FROM contestants ORDER BY name"))

    def faults_of_file(self) -> list[str]:
        """What SQLite itself finds wrong in the whole file, indices included."""
        database = self._file or self._database
        found = [str(line) for (line,) in database.execute("PRAGMA integrity_check(10)")]
        return [] if found == ["ok"] else [" ".join(line.split()) for line in found]
