"""Who meets, in which seats, and from which seed: the same for any number of players.

A meeting is some contestants over one opening, or one seed where there are no openings. It is played once for each of
`seatings`, its *legs*, so that everyone sits in each seat equally often over the same opening.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray

ALL_SEATINGS = 4  # players up to whom every order is played: 24 of them


class Meeting(NamedTuple):
    """Some contestants over one opening, in all seatings.

    Attributes:
        names: who meets: one where a game has one player, else as many as it has. Of two, the lesser name is first.
        number: of the opening among those of these contestants, from 0.
    """

    names: tuple[str, ...]
    number: int


@dataclass(frozen=True)
class EqualMeetings(Sequence[Meeting]):
    """The same contestants over equally many openings, openings in the outer loop; made when they are looked at.

    A hundred thousand small objects that stay would keep the collector of garbage busy.

    Attributes:
        tables: who meets.
        openings: of each.
    """

    tables: Sequence[tuple[str, ...]]
    openings: int

    def __len__(self) -> int:
        return len(self.tables) * self.openings

    @overload
    def __getitem__(self, index: int) -> Meeting: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Meeting]: ...
    def __getitem__(self, index: int | slice) -> Meeting | Sequence[Meeting]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        number, table = divmod(range(len(self))[index], len(self.tables))
        return Meeting(self.tables[table], number)

    def __iter__(self) -> Iterator[Meeting]:
        return (Meeting(table, number) for number in range(self.openings) for table in self.tables)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def meeting(*names: str, number: int) -> Meeting:
    """The meeting of some contestants, in whatever order they are named."""
    return Meeting(tuple(sorted(names)), number)


@lru_cache(maxsize=32)
def seatings(players: int) -> tuple[tuple[int, ...], ...]:
    """The orders in which a meeting sits down, one a leg: `seatings(k)[leg][seat]` is who of its names sits there.

    Up to four players these are all `k!` orders, the order of the names first: of two (0, 1) and (1, 0). Beyond four
    they are the rows of a Latin square in which everyone sits in each seat once and right behind everyone else once
    (Williams 1949): `k` orders where `k` is even; where it is odd, two such squares, `2 k` orders, do it twice.
    """
    if players <= ALL_SEATINGS:
        return tuple(permutations(range(players)))
    zigzag = [0]
    for step in range(1, players):
        zigzag.append((zigzag[-1] + (step if step % 2 else -step)) % players)
    square = [tuple((who + row) % players for who in zigzag) for row in range(players)]
    return tuple(square if players % 2 == 0 else square + [order[::-1] for order in square])


@dataclass(frozen=True)
class MeetingColumns:
    """Meetings as columns.

    Attributes:
        tables: who meets, each once.
        table_of: (n,) index in the tables.
        numbers: (n,) as of `Meeting`.
    """

    tables: list[tuple[str, ...]]
    table_of: NDArray[np.int64]
    numbers: NDArray[np.int64]

    @classmethod
    def of(cls, meetings: Sequence[Meeting]) -> MeetingColumns:
        """The columns of some meetings."""
        count = len(meetings)
        if isinstance(meetings, EqualMeetings):
            tables = len(meetings.tables)
            numbers = np.repeat(np.arange(meetings.openings), tables)
            return cls(list(meetings.tables), np.tile(np.arange(tables), meetings.openings), numbers)
        places: dict[tuple[str, ...], int] = {}
        table_of = np.fromiter((places.setdefault(names, len(places)) for names, _ in meetings), np.int64, count)
        return cls(list(places), table_of, np.fromiter((number for _, number in meetings), np.int64, count))

    def seeds(self, seed: int) -> list[int]:
        """The seed of each meeting's opening and games, in [0, 2**56): of the tournament's seed, names and number.

        Where a game has one player, the name plays no part: everyone plays the same games.
        """
        begun = []
        for names in self.tables:
            words = (str(seed), *(names if len(names) > 1 else ()), "")
            begun.append(hashlib.sha256("\0".join(words).encode()))
        seeds = []
        for table, number in zip(self.table_of.tolist(), self.numbers.tolist(), strict=True):
            digest = begun[table].copy()
            digest.update(b"%d" % number)
            seeds.append(int.from_bytes(digest.digest()[:7], "big"))
        return seeds


def meeting_seeds(seed: int, meetings: Sequence[Meeting]) -> list[int]:
    """The seeds of meetings, as of `MeetingColumns.seeds`."""
    return MeetingColumns.of(meetings).seeds(seed)
