"""Enough games? How sure the order of each two neighbours of a table is, and how many more pairs would settle it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from lanista.arena.rating_model import ELO
from lanista.arena.ratings import Ratings

SURE = 0.95
CHANCE = 0.8
MOST_PAIRS = 100_000


@dataclass(frozen=True)
class Neighbours:
    """Two who follow each other in a table.

    Attributes:
        better, worse: by rating.
        difference, low, high: in Elo, with the 95 % interval.
        surety: how likely it is that the better one is stronger, in [0, 1].
        more_pairs: of games between the two that would make the order sure, at `SURE`, in `CHANCE` of all cases if the
            difference is as it looks; 0 if it is sure already, None if more than `MOST_PAIRS`.
    """

    better: str
    worse: str
    difference: float
    low: float
    high: float
    surety: float
    more_pairs: int | None

    @property
    def sure(self) -> bool:
        """Whether the order is settled."""
        return self.more_pairs == 0


def enough_games(ratings: Ratings, order: Sequence[str] | None = None) -> list[Neighbours]:
    """How sure the order of each two neighbours is.

    Args:
        ratings: of everyone.
        order: the table's; None is by rating, then by name.
    """
    if order is None:
        by_rating = sorted(zip(-ratings.elo, ratings.names, strict=True))
        order = [name for _, name in by_rating]
    found = []
    for better, worse in itertools.pairwise(order):
        between = ratings.samples[:, ratings.names.index(better)] - ratings.samples[:, ratings.names.index(worse)]
        difference = float(ratings.elo[ratings.names.index(better)] - ratings.elo[ratings.names.index(worse)])
        low, high = np.quantile(between, [0.025, 0.975]).tolist()
        surety = ratings.superiority(better, worse)
        information = pair_information(difference, ratings.advantage[0], ratings.draw_share)
        more = 0 if surety >= SURE else pairs_to_settle(difference, float(between.std()), information)
        found.append(Neighbours(better, worse, difference, low, high, surety, more))
    return found


def pair_information(difference: float, advantage: float, draw_share: float) -> float:
    """Fisher's information on the difference, in Elo^-2, of the two games of one opening.

    Args:
        difference: in Elo.
        advantage: of the first seat, in Elo.
        draw_share: of draws between equals, in [0, 1).
    """
    nu = 2 * draw_share / (1 - draw_share)
    unit = (2 + nu) / (2 * ELO)  # how much of the model's difference an Elo is
    information = 0.0
    for sign in (1, -1):
        half = min(max((difference + sign * advantage) * unit / 2, -300.0), 300.0)
        win, loss = math.exp(half), math.exp(-half)
        total = win + nu + loss
        information += 0.25 * ((win + loss) / total - ((win - loss) / total) ** 2) * unit**2
    return information


def pairs_to_settle(difference: float, deviation: float, information: float) -> int | None:
    """How many more pairs make an order sure, in `CHANCE` of all cases if the difference is what it looks like.

    Args:
        difference: as it looks.
        deviation: its standard deviation by what was played.
        information: on it, of one more pair.

    Returns:
        At least 1; None if more than `MOST_PAIRS`.
    """
    wanted = float(norm.ppf(SURE) + norm.ppf(CHANCE))
    if information <= 0 or abs(difference) < 1e-9:
        return None
    pairs = ((wanted / difference) ** 2 - deviation**-2) / information
    return None if pairs > MOST_PAIRS else max(1, math.ceil(pairs))
