"""Games that are to be played and games that have ended, as columns, for those who play too many for an object each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lanista.envs.core import Array, Ints


@dataclass(frozen=True)
class Schedule:
    """Games that are to be played, as columns; see `match.Scheduled`.

    Attributes:
        seats: (m, players) for each player, the index of the agent that sits there.
        seeds: (m,)
        openings: (m,) or None: no game has any.
        levels: (m,) or None: games begin by their seeds.
        positions: (m,) or None: all games begin from the game's own start.
    """

    seats: Ints
    seeds: Sequence[int]
    openings: Sequence[Sequence[Any]] | None = None
    levels: Ints | None = None
    positions: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.seats)


@dataclass(frozen=True)
class Finished:
    """Games that ended together, as columns; see `match.Played`.

    Attributes:
        which: (e,) index in the schedule.
        actions: (e, room, *action) what was played after the opening, in order, filled up from the right.
        lengths: (e,) how many actions there are.
        returns: (e, players)
        reasons: (e,)
        at_fault: (e,) a player or None.
        expected: (e,) a byte for each action, what its player expected, as `ScoreSheet` has it, or None; None where
            nobody told anything.
        seconds: (e,) what each move took, as of `match.Played`; None where no clock runs.
    """

    which: Ints
    actions: Array
    lengths: Ints
    returns: Array
    reasons: Sequence[str]
    at_fault: Sequence[int | None]
    expected: Sequence[bytes | None] | None = None
    seconds: Sequence[tuple[float, ...]] | None = None

    def take(self, rows: Sequence[int]) -> Finished:
        """Some of them."""
        columns = (self.which[rows], self.actions[rows], self.lengths[rows], self.returns[rows])
        reasons, at_fault = [self.reasons[row] for row in rows], [self.at_fault[row] for row in rows]
        expected = None if self.expected is None else [self.expected[row] for row in rows]
        seconds = None if self.seconds is None else [self.seconds[row] for row in rows]
        return Finished(*columns, reasons, at_fault, expected, seconds)
