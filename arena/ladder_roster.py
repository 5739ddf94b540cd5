"""Who is wanted on a ladder, kept in its store: contestants by their strings, and folders that are watched.

The roster has tables of its own and is written in short transactions, so that `lanista ladder add` can write into a
store into which a ladder that is being served writes its games.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from lanista.arena.store_file import transaction
from lanista.arena.store_format import APPLICATION
from lanista.errors import UsageError

Kind = Literal["agent", "watch", "out"]
State = Literal["plays", "retired", "skipped"]
PATIENCE = 10.0  # seconds to wait for another writer
_SCHEMA = """
CREATE TABLE IF NOT EXISTS ladder_wanted (
    words TEXT PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('agent', 'watch', 'out')), since REAL NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS ladder_seen (
    name TEXT PRIMARY KEY, state TEXT NOT NULL, note TEXT NOT NULL, since REAL NOT NULL, words TEXT NOT NULL DEFAULT ''
) STRICT;
"""
_WORDS = "ALTER TABLE ladder_seen ADD COLUMN words TEXT NOT NULL DEFAULT ''"  # which the first ladders did not have


@dataclass(frozen=True)
class Seen:
    """How someone stands, as whoever serves the ladder wrote it down.

    Attributes:
        state: "plays", "retired" (its games count, it plays no more), or "skipped" (it cannot play).
        note: why, in a sentence.
        since: seconds since 1970.
        words: as which it was registered, or found in a watched folder; its name may say the same in other words.
    """

    state: str
    note: str
    since: float
    words: str = ""


class Roster:
    """An open roster. Use it as a context manager."""

    def __init__(self, path: Path, *, write: bool = True) -> None:
        """Open that of a store.

        Args:
            path: of the store, which is there.
            write: make its tables if they are not there.

        Raises:
            UsageError: it cannot be read or written.
        """
        self._path = path
        address = path.absolute().as_uri() + ("?mode=rw" if write else "?mode=ro")
        try:
            self._database = sqlite3.connect(address, uri=True, isolation_level=None, timeout=PATIENCE)
            (application,) = self._database.execute("PRAGMA application_id").fetchone()
            if application != APPLICATION:
                raise UsageError(f"{path} is no tournament's store, so it holds no ladder")
            if write:
                self._database.executescript(_SCHEMA)
                if not self._tells_words():
                    self._database.execute(_WORDS)
            self._empty = not self._database.execute(
                "SELECT 1 FROM sqlite_master WHERE name = 'ladder_wanted'"
            ).fetchone()
        except sqlite3.Error as error:
            raise UsageError(f"the ladder in {path} cannot be opened: {error}") from None

    def _tells_words(self) -> bool:
        found = self._database.execute("SELECT 1 FROM pragma_table_info('ladder_seen') WHERE name = 'words'")
        return found.fetchone() is not None

    def __enter__(self) -> Roster:
        return self

    def __exit__(self, *error: object) -> None:
        self._database.close()

    def wanted(self) -> dict[str, Kind]:
        """The strings of contestants ("agent"), watched folders ("watch"), and names that shall not play ("out"), in
        the order in which they came."""
        if self._empty:
            return {}
        return dict(self._database.execute("SELECT words, kind FROM ladder_wanted ORDER BY since, rowid"))

    def want(self, words: Mapping[str, Kind]) -> None:
        """Register; what was "out" may come back."""
        with transaction(self._database, self._path):
            self._database.executemany(
                "INSERT INTO ladder_wanted VALUES (?, ?, ?) ON CONFLICT (words) DO UPDATE SET kind = excluded.kind",
                [(each, kind, time.time()) for each, kind in words.items()],
            )

    def drop(self, called: str) -> bool:
        """Take a contestant or a watched folder off the roster; False if nobody ever knew it.

        One that a watched folder holds is kept out from now on.

        Args:
            called: as it was registered, or the name under which it plays.
        """
        wanted, seen = self.wanted(), self.seen()
        if called not in wanted and called not in seen:
            return False
        words = called if called in wanted else seen[called].words or called
        kind = wanted.get(words)
        with transaction(self._database, self._path):
            if kind == "watch":
                self._database.execute("DELETE FROM ladder_wanted WHERE words = ?", (words,))
        if kind != "watch":
            self.want({words: "out"})
        return True

    def seen(self) -> dict[str, Seen]:
        """How each stands, by name."""
        if self._empty:
            return {}
        words = "words" if self._tells_words() else "''"
        rows = self._database.execute(f"SELECT name, state, note, since, {words} FROM ladder_seen ORDER BY name")
        return {name: Seen(*rest) for name, *rest in rows}

    def note(self, name: str, state: State, note: str = "", words: str = "") -> None:
        """Write down how someone stands, who was registered or found as `words`."""
        with transaction(self._database, self._path):
            self._database.execute(
                "INSERT INTO ladder_seen (name, state, note, since, words) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO"
                " UPDATE SET state = excluded.state, note = excluded.note, since = excluded.since, words ="
                " excluded.words WHERE state != excluded.state OR note != excluded.note OR words != excluded.words",
                (name, state, note, time.time(), words),
            )
