"""What the page shows of a store: its table and its games, read anew whenever the file has grown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from lanista.arena.standings import Table, table_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError


@dataclass(frozen=True)
class GameLine:
    """A stored game in a list: its number, who sat first and second, the points of the first, plies, the reason."""

    number: int
    players: tuple[str, ...]
    points: float
    plies: int
    reason: str


def _stamp(path: Path) -> tuple[int, int]:
    """A file's size and the time when it was last written to."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return found.st_size, found.st_mtime_ns


def _points(game: StoredGame) -> float:
    """Of the first seat; of who plays alone, the return."""
    return game.points(game.seats[0]) if len(game.seats) > 1 else float(game.returns[0])


@dataclass
class StoreView:
    """A store by its path, which no browser names.

    Attributes:
        path: the file.
        title: what the page calls it.
    """

    path: Path
    title: str
    _read: tuple[int, Table | None, tuple[GameLine, ...]] = field(default=(-1, None, ()))
    _seen: tuple[tuple[int, int], ...] = ()

    def refresh(self) -> tuple[int, Table | None, tuple[GameLine, ...]]:
        """How many games there are, the table (None without two who played), and the games, the newest first.

        Raises:
            UsageError: the file cannot be read.
        """
        seen = tuple(_stamp(self.path.with_name(self.path.name + end)) for end in ("", "-wal"))
        if seen == self._seen:  # a store is checked whole when it is opened: not every two seconds
            return self._read
        with Store(self.path, write=False) as store:
            self._seen = seen
            count = store.count()
            if count == self._read[0]:
                return self._read
            games, _ = store.readable()
            lines = tuple(
                GameLine(number, game.seats, _points(game), len(game.moves), game.reason)
                for number, game in sorted(games.items(), reverse=True)
            )
            table = table_of(store) if games else None
        self._read = count, table, lines
        return self._read

    def game(self, number: int) -> tuple[str, StoredGame]:
        """The game's string, and the stored game of a number.

        Raises:
            UsageError: there is none.
        """
        with Store(self.path, write=False) as store:
            return store.game_string(), store.game(number)


def stores(db: Path | None, folder: Path) -> list[StoreView]:
    """The stores that may be looked at: the one the server was given, and those of people's own games."""
    found = [StoreView(db, db.name)] if db is not None and db.is_file() else []
    if folder.is_dir():
        found += [
            StoreView(path, f"Games of people: {path.stem}") for path in sorted(folder.glob("*.sqlite")) if path != db
        ]
    return found


def check_store(path: Path) -> None:
    """See that a store named on the command line can be read, if it is there.

    Raises:
        UsageError: it cannot.
    """
    if path.exists():
        with Store(path, write=False):
            pass
    elif not path.parent.is_dir():
        raise UsageError(f"there is no folder {path.parent} for the store {path.name}")
