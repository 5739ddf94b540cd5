"""Ratings of games among more than two: OpenSkill's Plackett-Luce model (Weng and Lin 2011), of whole orders of finish.

OpenSkill takes games one after the other, and its result depends on their order. Here it is the mean over several
orders that are drawn from a seed, so the order in which games came plays no part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

ORDERS = 8
DEVIATIONS = 3.0  # below the mean: OpenSkill's cautious rating


@dataclass(frozen=True)
class Finish:
    """A game's end.

    Attributes:
        seats: who sat where; one contestant may have several seats.
        returns: of each seat; more is better, equals are drawn.
    """

    seats: tuple[str, ...]
    returns: tuple[float, ...]


@dataclass(frozen=True)
class Skill:
    """A contestant's skill.

    Attributes:
        name: the contestant.
        mean, deviation: of what its skill may be; who has not played is at 25 and 25/3.
        cautious: three deviations below the mean.
        games: in which it had a seat.
    """

    name: str
    mean: float
    deviation: float
    cautious: float
    games: int


def rate_finishes(
    finishes: Sequence[Finish], names: Sequence[str], *, orders: int = ORDERS, seed: int = 0
) -> list[Skill]:
    """Rate everyone by how games ended, best cautious rating first.

    Args:
        finishes: what was played.
        names: who is to be rated; those without a game too.
        orders: of the games, over which the ratings are averaged.
        seed: of these orders.

    Raises:
        ValueError: a name comes twice, a game has someone else, fewer than two seats, or not one return a seat.
    """
    from openskill.models import PlackettLuce

    if len(set(names)) < len(names):
        raise ValueError("a name is to be rated twice")
    for finish in finishes:
        if len(finish.seats) != len(finish.returns) or len(finish.seats) < 2:
            raise ValueError(f"a game has {len(finish.seats)} seats and {len(finish.returns)} returns")
        for name in finish.seats:
            if name not in names:
                raise ValueError(f"a game names '{name}', who is not to be rated")
    ordered = sorted(finishes, key=lambda finish: (finish.seats, finish.returns))
    random = np.random.default_rng(seed)
    model = PlackettLuce()
    skills = np.zeros((orders, len(names), 2))
    for found in skills:
        rating = dict.fromkeys(names, (model.mu, model.sigma))
        for number in random.permutation(len(ordered)).tolist():
            _update(model, rating, ordered[number])
        found[:] = [rating[name] for name in names]
    games = {name: sum(name in finish.seats for finish in finishes) for name in names}
    means = skills.mean(axis=0).tolist()
    rated = [
        Skill(name, mean, deviation, mean - DEVIATIONS * deviation, games[name])
        for name, (mean, deviation) in zip(names, means, strict=True)
    ]
    return sorted(rated, key=lambda skill: (-skill.cautious, skill.name))


def _update(model: Any, rating: dict[str, tuple[float, float]], finish: Finish) -> None:
    """Take one game in. Who has several seats gets the mean of what they would get."""
    if len(set(finish.seats)) < 2:
        return  # a contestant against itself
    teams = [[model.rating(*rating[name])] for name in finish.seats]
    rated = model.rate(teams, scores=list(finish.returns))
    for name in dict.fromkeys(finish.seats):
        mine = [team[0] for seat, team in zip(finish.seats, rated, strict=True) if seat == name]
        rating[name] = (sum(each.mu for each in mine) / len(mine), sum(each.sigma for each in mine) / len(mine))
