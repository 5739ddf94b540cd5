"""Which of the measured games are good: a score from four parts, each at the worse end of its 95 % interval.

- `balance`: 1 where either seat has half of the points, 0 where one seat has all: `1 - |2 * share - 1|`. 0 also where
  search proves that one seat wins, however its games went.
- `decided`: the share of games that are not drawn.
- `depth`: the Elo points that a deep search is stronger than a shallow one, `DEEP` of them or more count 1.
- `learned`: what a briefly trained network takes from random play: 1 for all points, 0 for half or less.

The score is their geometric mean, so a game that has nothing of one part has nothing at all: neither forced draws nor
wins of whoever begins can be made good by the rest. The worse ends keep luck in few games from ranking a game high.
Where no network was trained, the mean is of the other three.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from lanista.generate.learning import LearningMeasure
from lanista.generate.searching import SearchMeasure

DEEP = 400.0  # Elo; the stronger one takes 91 % of the points


@dataclass(frozen=True)
class Variant:
    """A game that was measured.

    Attributes:
        game: its string.
        search: what search agents tell of it.
        learning: what a trained network tells of it; None if none was trained.
    """

    game: str
    search: SearchMeasure
    learning: LearningMeasure | None

    @property
    def parts(self) -> dict[str, float]:
        """The parts of the score, each in [0, 1]."""
        seat, depth = self.search.first_seat, self.search.depth
        parts = {
            "balance": 0.0 if self.search.forced else 1 - max(abs(2 * seat.low - 1), abs(2 * seat.high - 1)),
            "decided": 1 - self.search.draws.high,
            "depth": depth.low / DEEP,
        }
        if self.learning is not None:
            parts["learned"] = 2 * self.learning.against_random.low - 1
        return {name: min(max(value, 0.0), 1.0) for name, value in parts.items()}

    @property
    def score(self) -> float:
        """How good the game is, in [0, 1]."""
        parts = self.parts
        return math.prod(parts.values()) ** (1 / len(parts))


def ranked(variants: Iterable[Variant]) -> list[Variant]:
    """The best first; among those with nothing, those with more parts."""
    return sorted(variants, key=lambda one: (-one.score, -sum(one.parts.values()), one.game))
