"""The results of a tournament that goes on, counted as its games come in, so that it can be rated at any moment.

Rating the counts takes a time that grows with who met whom, not with how many games they played.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat

import numpy as np

from lanista.arena.rating_model import Floats
from lanista.arena.ratings import MISSING, Ratings, Tally, rate
from lanista.arena.stored_games import NOBODY, StoredGames

REMEMBERED = 50  # games of two, in the average that tells how many of the next will be new
Who = tuple[str, str]


class RunningTally:
    """Counts of games between two, each distinct game counted once (`StoredGames.distinct`).

    Attributes:
        games: how many were taken, those included that count for nobody.
        last: the greatest number of a game that was taken; -1 before the first.
    """

    def __init__(self, *, perfect_information: bool = True) -> None:
        """Begin with none.

        Args:
            perfect_information: the moves tell the whole game; else chance, so the seed, is part of what makes it
                distinct.
        """
        self.games, self.last = 0, -1
        self._told = perfect_information
        self._seen: set[int] = set()  # hashes of what makes a game distinct
        self._cells: dict[Who, Floats] = {}  # (4, 4) counts of whole pairs, as in `RatingModel`
        self._legs: dict[Who, dict[int, list[int | None]]] = {}  # by number, of pairs that are not whole
        self._next: dict[Who, int] = {}
        self._fresh: dict[Who, float] = {}
        self._records: dict[str, list[int]] = {}  # wins, draws, losses, faults

    def take(self, games: StoredGames) -> None:
        """Count more games, of two each; of equal ones that counts which comes first."""
        if not len(games):
            return
        self.games += len(games)
        self.last = max(self.last, int(games.ids.max()))
        rows = np.arange(len(games))
        mine, theirs = games.returns[rows, games.legs], games.returns[rows, 1 - games.legs]
        results = np.where(mine > theirs, 0, np.where(mine == theirs, 1, 2))  # (n,) of the first of the two names
        columns = (games.who, games.numbers, games.legs, games.seeds, results, games.at_fault, games.void)
        positions = repeat("", len(games)) if games.positions is None else games.positions
        for who, number, leg, seed, result, fault, void, moves, position in zip(
            *(column.tolist() for column in columns), games.moves, positions, strict=True
        ):
            one, other = games.names[who]
            names = (one, other)
            mark = hash((names, leg, position, moves, None if self._told else seed))
            counts = not void and mark not in self._seen
            if not void:
                self._record(one, result, fault == leg)
                self._record(other, 2 - result, fault != NOBODY and fault != leg)
            if counts:
                self._seen.add(mark)
            fresh = self._fresh.get(names, 1.0)
            self._fresh[names] = fresh + (counts - fresh) / REMEMBERED
            self._next[names] = max(self._next.get(names, 0), number + 1)
            self._enter(names, number, leg, result if counts else MISSING)

    def _record(self, name: str, result: int, failed: bool) -> None:
        record = self._records.setdefault(name, [0, 0, 0, 0])
        record[result] += 1
        record[3] += failed

    def _enter(self, who: Who, number: int, leg: int, cell: int) -> None:
        """Count a leg with the other one of its pair, if that is known."""
        waiting = self._legs.setdefault(who, {})
        legs = waiting.setdefault(number, [None, None])
        legs[leg] = cell
        first, second = legs
        if first is None or second is None:
            return
        del waiting[number]
        if (first, second) != (MISSING, MISSING):
            self._cells.setdefault(who, np.zeros((4, 4)))[first, second] += 1

    def record(self, name: str) -> tuple[int, int, int, int]:
        """Wins, draws, losses, and how many of these by a fault."""
        wins, draws, losses, faults = self._records.get(name, [0, 0, 0, 0])
        return wins, draws, losses, faults

    def next_number(self, one: str, other: str) -> int:
        """The number of the next opening between these two, `one` the lesser name."""
        return self._next.get((one, other), 0)

    def halves(self) -> list[tuple[str, str, int, int]]:
        """The games that would make a pair whole: one, other, number, leg."""
        return [
            (*who, number, legs.index(None)) for who, waiting in self._legs.items() for number, legs in waiting.items()
        ]

    def freshness(self, names: Sequence[str]) -> Floats:
        """(p, p) the share of the next games of each two that will differ from those they played, as far as one knows.

        An average over their games in which one counts the less the longer ago it was.
        """
        index = {name: number for number, name in enumerate(names)}
        fresh = np.ones((len(names), len(names)))
        for (one, other), share in self._fresh.items():
            if one in index and other in index:
                fresh[index[one], index[other]] = fresh[index[other], index[one]] = share
        return fresh

    def counts(self, names: Sequence[str]) -> Tally:
        """What a fit is made from; half a pair counts as one with a game missing.

        Args:
            names: who is rated, sorted; games with others are left out.
        """
        index = {name: number for number, name in enumerate(names)}
        whole = {who: cells.copy() for who, cells in self._cells.items()}
        for who, waiting in self._legs.items():
            for first, second in waiting.values():
                cell = (MISSING if first is None else first, MISSING if second is None else second)
                if cell != (MISSING, MISSING):
                    whole.setdefault(who, np.zeros((4, 4)))[cell] += 1
        found = sorted((index[who[0]], index[who[1]], who) for who in whole if who[0] in index and who[1] in index)
        met = np.array([each[:2] for each in found], np.int64).reshape(-1, 2)
        return Tally(tuple(names), met, np.array([whole[who] for _, _, who in found]).reshape(-1, 4, 4))

    def rate(self, names: Sequence[str]) -> Ratings:
        """The ratings of these, as `ratings.rate` gives them for the same games."""
        ordered = sorted(names)
        return rate(self.counts(ordered), ordered)
