"""Games as a store holds them: columns for whatever counts over all of them, an object for whoever looks at one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from lanista.agents.host_time import VOID
from lanista.arena.expectations import expected_bytes, expected_values
from lanista.arena.meetings import seatings
from lanista.arena.move_encoding import decoded, encoded, plies, timed, untimed
from lanista.arena.new_games import NewGames

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
NOBODY = -1  # in a column of players, where none failed


@dataclass(frozen=True)
class StoredGame:
    """A finished game.

    Attributes:
        names: who met; `seats` says who sat where.
        number: of the opening among those of these contestants.
        leg: which of `meetings.seatings` it was: of two players, `names` sat in their order in leg 0, turned in leg 1.
        seed: of the game's random stream.
        opening: the actions before the first turn.
        moves: all actions, the opening included; an action of several numbers is a list of them.
        returns: each player's sum of rewards, in the order of the seats.
        reason: as in `agents.match.Played`.
        at_fault: the player that failed, or None.
        stored_at: seconds since 1970.
        session: the run of a tournament that played it, a key of `Store.sessions`.
        values: what the player of each move after the opening expected, 0 the least return, 1 the greatest, or None.
        position: that the opening is played from, in the field's notation; "" is the game's own start.
        seconds: what each move after the opening took, and the one at which the game ended without one; empty where no
            clock ran.
    """

    names: tuple[str, ...]
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
    values: tuple[float | None, ...] = ()
    position: str = ""
    seconds: tuple[float, ...] = ()

    @property
    def seats(self) -> tuple[str, ...]:
        """Who sat where, the first seat first."""
        return tuple(self.names[who] for who in seatings(len(self.names))[self.leg])

    @property
    def one(self) -> str:
        """Of two who met, the one who sat first in leg 0."""
        return self.names[0]

    @property
    def other(self) -> str:
        """Of two who met, the one who sat first in leg 1."""
        return self.names[-1]

    @property
    def void(self) -> bool:
        """The environment broke, or the machine stalled: it counts for nobody."""
        return self.reason in VOID

    def points(self, name: str) -> float:
        """The share of the others that a contestant left behind, equals counting half: of two 1, 1/2 or 0.

        Raises:
            ValueError: it did not play, or alone.
        """
        mine = self.returns[self.seats.index(name)]
        if len(self.returns) < 2:
            raise ValueError("who plays alone leaves nobody behind: its return is its score")
        beaten = sum(1.0 if mine > each else 0.5 if mine == each else 0.0 for each in self.returns) - 0.5
        return beaten / (len(self.returns) - 1)


def new_games(games: Sequence[StoredGame], meetings: Mapping[tuple[str, ...], int]) -> NewGames:
    """Games as columns on their way into a store, by the keys of its meetings."""
    return NewGames(
        meetings=np.array([meetings[game.names] for game in games], np.int64),
        numbers=np.array([game.number for game in games], np.int64),
        legs=np.array([game.leg for game in games], np.int64),
        seeds=np.array([game.seed for game in games], np.int64),
        openings=np.array([len(game.opening) for game in games], np.int64),
        moves=[encoded(game.moves) for game in games],
        returns=np.array([game.returns for game in games], np.float64),
        reasons=[game.reason for game in games],
        at_fault=[game.at_fault for game in games],
        expected=[expected_bytes(game.values) for game in games] if any(game.values for game in games) else None,
        positions=[game.position for game in games] if any(game.position for game in games) else None,
        seconds=[game.seconds for game in games] if any(game.seconds for game in games) else None,
    )


def against(names: Sequence[str]) -> str:
    """Who met, in words."""
    return " against ".join(f"'{name}'" for name in names)


@dataclass(frozen=True, eq=False)
class StoredGames(Sequence[StoredGame]):
    """Games of a store in an order that does not depend on when they were played: by names, number and leg.

    As a sequence it gives `StoredGame`s, made when they are asked for.

    Attributes:
        ids: (n,) the games' numbers in the store.
        who: (n,) index in `names`.
        names: everyone who met, sorted.
        numbers, legs, seeds: (n,) as of `StoredGame`.
        openings: (n,) how many of the moves are the opening.
        moves: (n,) each as `encoded`.
        returns: (n, players) in the order of the seats.
        why: (n,) index in `words`.
        words: every reason that there is.
        at_fault: (n,) `NOBODY`, or a player.
        batches: (n,) keys of `written`.
        written: of each batch of games the session, or None, and when it was stored, in seconds since 1970.
        expected: (n,) each as `expected_bytes`; None where nobody told anything.
        positions: (n,) that the openings are played from, "" the game's own start; None where all are.
        seconds: (n,) as `timed` writes them; None where no clock ran.
    """

    ids: Ints
    who: Ints
    names: tuple[tuple[str, ...], ...]
    numbers: Ints
    legs: Ints
    seeds: Ints
    openings: Ints
    moves: list[bytes | str] = field(repr=False)
    returns: Floats
    why: Ints
    words: tuple[str, ...]
    at_fault: Ints
    batches: Ints
    written: Mapping[int, tuple[int | None, float]] = field(repr=False)
    expected: list[bytes | None] | None = field(default=None, repr=False)
    positions: list[str] | None = field(default=None, repr=False)
    seconds: list[bytes] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, games: Sequence[StoredGame]) -> StoredGames:
        """Games that are in no store, with the numbers from 1 in the order in which they are given."""
        names = tuple(sorted({game.names for game in games}))
        where = {met: at for at, met in enumerate(names)}
        words = tuple(dict.fromkeys(game.reason for game in games))
        written = list(dict.fromkeys((game.session, game.stored_at) for game in games))
        found = cls(
            ids=np.arange(1, len(games) + 1),
            who=np.array([where[game.names] for game in games], np.int64),
            names=names,
            numbers=np.array([game.number for game in games], np.int64),
            legs=np.array([game.leg for game in games], np.int64),
            seeds=np.array([game.seed for game in games], np.int64),
            openings=np.array([len(game.opening) for game in games], np.int64),
            moves=[encoded(game.moves) for game in games],
            returns=np.array([game.returns for game in games], np.float64).reshape(len(games), -1),
            why=np.array([words.index(game.reason) for game in games], np.int64),
            words=words,
            at_fault=column_of_players([game.at_fault for game in games]),
            batches=np.array([written.index((game.session, game.stored_at)) for game in games], np.int64),
            written=dict(enumerate(written)),
            expected=[expected_bytes(game.values) for game in games] if any(game.values for game in games) else None,
            positions=[game.position for game in games] if any(game.position for game in games) else None,
            seconds=[timed(game.seconds) for game in games] if any(game.seconds for game in games) else None,
        )
        return found.in_order()

    @classmethod
    def written_as(
        cls, games: NewGames, meetings: Mapping[int, tuple[str, ...]], first: int, batches: Ints,
        written: Mapping[int, tuple[int | None, float]],
    ) -> StoredGames:  # fmt: skip
        """Games as they have just gone into a store.

        Args:
            games: at least one.
            meetings: who met, by the meetings' keys.
            first: the first one's number in the store; the others follow it.
            batches: (n,) in which each was written.
            written: what is known of these.
        """
        names = tuple(sorted(set(meetings.values())))
        keys, at = np.unique(games.meetings, return_inverse=True)
        where = np.array([names.index(meetings[key]) for key in keys.tolist()], np.int64)
        words = {word: number for number, word in enumerate(dict.fromkeys(games.reasons))}
        count = len(games)
        found = cls(
            ids=np.arange(first, first + count),
            who=where[at],
            names=names,
            numbers=games.numbers,
            legs=games.legs,
            seeds=games.seeds,
            openings=games.openings,
            moves=games.moves,
            returns=games.returns,
            why=np.fromiter(map(words.__getitem__, games.reasons), np.int64, count),
            words=tuple(words),
            at_fault=column_of_players(games.at_fault),
            batches=batches,
            written=written,
            expected=games.expected,
            positions=games.positions,
            seconds=None if games.seconds is None else list(map(timed, games.seconds)),
        )
        return found.in_order()

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> StoredGame: ...
    @overload
    def __getitem__(self, index: slice) -> StoredGames: ...
    def __getitem__(self, index: int | slice) -> StoredGame | StoredGames:
        if isinstance(index, slice):
            return self.take(np.arange(len(self))[index])
        moves = decoded(self.moves[index])
        fault = int(self.at_fault[index])
        session, stored_at = self.written[int(self.batches[index])]
        return StoredGame(
            names=self.names[self.who[index]],
            number=int(self.numbers[index]),
            leg=int(self.legs[index]),
            seed=int(self.seeds[index]),
            opening=moves[: self.openings[index]],
            moves=moves,
            returns=tuple(self.returns[index].tolist()),
            reason=self.words[self.why[index]],
            at_fault=None if fault == NOBODY else fault,
            stored_at=stored_at,
            session=session,
            values=() if self.expected is None else expected_values(self.expected[index]),
            position="" if self.positions is None else self.positions[index],
            seconds=() if self.seconds is None else untimed(self.seconds[index]),
        )

    def __iter__(self) -> Iterator[StoredGame]:
        return (self[index] for index in range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(StoredGame.__eq__, self, other))

    __hash__ = None  # type: ignore[assignment]

    @property
    def seats(self) -> Ints:
        """(n, players) who of the names of its meeting sat where."""
        found: Ints = np.array(seatings(self.returns.shape[1]), np.int64)[self.legs]
        return found

    @property
    def void(self) -> NDArray[np.bool_]:
        """(n,) the environment broke, or the machine stalled: they count for nobody."""
        return np.isin(self.why, [at for at, word in enumerate(self.words) if word in VOID])

    @property
    def reasons(self) -> list[str]:
        """(n,) how each ended."""
        return [self.words[at] for at in self.why.tolist()]

    def distinct(self, *, perfect_information: bool) -> NDArray[np.bool_]:
        """(n,) which games count and differ from all before them in seats or moves.

        Deterministic players repeat themselves; a second game with the same seats and moves says nothing new.

        Args:
            perfect_information: the moves tell the whole game; else chance, so the seed, is part of what makes it
                distinct.
        """
        marked = np.zeros((len(self), 2), np.int64)
        marked[:, 0] = self.who * len(seatings(self.returns.shape[1])) + self.legs
        marked[:, 1] = 0 if perfect_information else self.seeds
        data, size = marked.tobytes(), 16
        # Bytes rather than tuples: a great many tuples keep the collector of garbage busy.
        marks = [
            data[at : at + size] + (moves if isinstance(moves, bytes) else moves.encode())
            for at, moves in zip(range(0, len(data), size), self.moves, strict=True)
        ]
        if self.positions is not None:
            marks = [mark + position.encode() for mark, position in zip(marks, self.positions, strict=True)]
        counted = np.flatnonzero(~self.void)
        # Of equal keys a dictionary keeps the last one, so backwards it keeps the first.
        first = {marks[at]: at for at in counted[::-1].tolist()}
        found = np.zeros(len(self), bool)
        found[list(first.values())] = True
        return found

    @property
    def plies(self) -> Ints:
        """(n,) how many moves there are, the opening included."""
        return np.fromiter((plies(moves) for moves in self.moves), np.int64, len(self))

    def take(self, rows: Ints | NDArray[np.bool_]) -> StoredGames:
        """Some of the games, in the order of the rows."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows
        listed = rows.tolist()
        return StoredGames(
            self.ids[rows], self.who[rows], self.names, self.numbers[rows], self.legs[rows], self.seeds[rows],
            self.openings[rows], list(map(self.moves.__getitem__, listed)), self.returns[rows], self.why[rows],
            self.words, self.at_fault[rows], self.batches[rows], self.written,
            _some(self.expected, listed), _some(self.positions, listed), _some(self.seconds, listed),
        )  # fmt: skip

    def in_order(self) -> StoredGames:
        """The same by names, number and leg."""
        if not len(self):
            return self
        legs, numbers = len(seatings(self.returns.shape[1])), int(self.numbers.max()) - int(self.numbers.min()) + 1
        if len(self.names) * numbers * legs >= 2**62:  # damaged numbers
            return self.take(np.lexsort((self.legs, self.numbers, self.who)))
        place = (self.who * numbers + self.numbers - self.numbers.min()) * legs + self.legs
        return self.take(np.argsort(place, kind="stable"))

    def with_more(self, others: StoredGames) -> StoredGames:
        """These and others, in order."""
        if not len(self):
            return others
        names = tuple(sorted({*self.names, *others.names}))
        words = (*self.words, *(word for word in others.words if word not in self.words))

        def places(games: StoredGames) -> tuple[Ints, Ints]:
            who = np.array([names.index(met) for met in games.names], np.int64)[games.who]
            return who, np.array([words.index(word) for word in games.words], np.int64)[games.why]

        (mine, my_why), (theirs, their_why) = places(self), places(others)
        columns = ("ids", "numbers", "legs", "seeds", "openings", "returns", "at_fault", "batches")
        arrays = {name: np.concatenate([getattr(self, name), getattr(others, name)]) for name in columns}
        found = replace(
            self, **arrays, who=np.concatenate([mine, theirs]), names=names, words=words,
            why=np.concatenate([my_why, their_why]), moves=[*self.moves, *others.moves],
            written={**self.written, **others.written},
            expected=_with_more(self.expected, others.expected, None, len(self), len(others)),
            positions=_with_more(self.positions, others.positions, "", len(self), len(others)),
            seconds=_with_more(self.seconds, others.seconds, b"", len(self), len(others)),
        )  # fmt: skip
        return found.in_order()

    def among(self, names: Sequence[str] | set[str]) -> StoredGames:
        """The games in which nobody but these played."""
        wanted = set(names)
        inside = np.array([wanted.issuperset(met) for met in self.names], bool)
        return self if inside.all() else self.take(inside[self.who])


def _some(column: list[Any] | None, rows: list[int]) -> list[Any] | None:
    """Of a column that games need not have, some rows."""
    return None if column is None else list(map(column.__getitem__, rows))


def _with_more(
    mine: list[Any] | None, theirs: list[Any] | None, nothing: Any, count: int, others: int
) -> list[Any] | None:
    """A column that games need not have, of some games and others; what is not told is nothing."""
    if mine is None and theirs is None:
        return None
    return [*(mine or [nothing] * count), *(theirs or [nothing] * others)]


def column_of_players(at_fault: Sequence[int | None]) -> Ints:
    """(n,) the players, `NOBODY` where there is none."""
    if at_fault.count(None) == len(at_fault):
        return np.full(len(at_fault), NOBODY, np.int64)
    return np.array([NOBODY if each is None else each for each in at_fault], np.int64)
