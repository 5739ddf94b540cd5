"""Pairs of games in which two agents take all seats both ways round, whatever the number of players.

With two players a pair is one opening from either side. With more, the seats are divided between the two agents in all
ways in turn, and the second game of a pair has them the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lanista.agents.host_time import VOID
from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.random_openings import random_openings
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Bools, Ints
from lanista.errors import UsageError

Scores = NDArray[np.float64]
MOST_PLAYERS = 62  # a division of the seats is the bits of a number


def divisions(numbers: Ints, players: int) -> Bools:
    """Who has which seats: division 1 to 2**players - 2 gives the second agent the seats of its bits.

    Args:
        numbers: (m,) of divisions.
        players: 2 to 62.

    Returns:
        (m, players), True where the second agent sits.
    """
    bits: Bools = (numbers[:, None] >> np.arange(players)) & 1 > 0
    return bits


def points_between(returns: NDArray[np.floating], seats: Bools) -> Scores:
    """The first agent's share of the points of each game: over all pairs of its seats and the other's.

    A seat has a point of one that has a smaller return, and half a point of one that has the same.

    Args:
        returns: (m, players).
        seats: (m, players), True where the other agent sits; in every game each has at least one.

    Returns:
        (m,) in [0, 1].
    """
    mine, other = returns[:, :, None], returns[:, None, :]
    against = ~seats[:, :, None] & seats[:, None, :]
    points = np.where(mine > other, 1.0, np.where(mine == other, 0.5, 0.0))
    shares: Scores = (points * against).sum((1, 2)) / against.sum((1, 2))
    return shares


def pair_games(
    game: str, agent: Agent, opponent: Agent, pairs: int, seed: int, plies: tuple[int, int] = (0, 8)
) -> list[Played]:
    """Play pairs of games; those that the environment broke are left out.

    Args:
        game: the string of a game of at least two players.
        agent, opponent: who plays: 0 and 1 in the games' `scheduled.seats`.
        pairs: how many; a game's `scheduled.label` is its pair's number.
        seed: openings, games and the agents' draws come from it.
        plies: the openings' least and greatest number of random plies.

    Raises:
        UsageError: the game has one player, or more than 62; an agent cannot play it.
        RuntimeError: the environment broke all of them.
    """
    players = make(game).spec.players
    if not 2 <= players <= MOST_PLAYERS:
        raise UsageError(f"pairs of games are of 2 to {MOST_PLAYERS} players; {game} has {players}")
    source = np.random.SeedSequence(seed)
    seeds = source.generate_state(pairs, np.uint64).tolist()
    ways = 2 ** (players - 1) - 1  # divisions that give the last seat to the first agent; the others are these reversed
    random = np.random.default_rng(source)
    numbers = np.resize(random.permutation(ways), pairs) if ways <= 4096 else random.integers(ways, size=pairs)
    seats = divisions(1 + numbers, players).astype(np.int64)  # (pairs, players)
    schedule = [
        Scheduled(tuple(sitting.tolist()), own, opening, label=pair)
        for pair, (own, opening) in enumerate(zip(seeds, random_openings(game, seeds, plies), strict=True))
        for sitting in (seats[pair], 1 - seats[pair])
    ]
    played = [one for some in play_games(game, [agent, opponent], schedule, seed=seed) for one in some]
    whole = [one for one in played if one.reason not in VOID]
    if not whole:
        raise RuntimeError(f"the environment of {game} broke every game")
    return whole


def pair_points(games: Sequence[Played], pairs: int) -> Scores:
    """The first agent's share of the points of each pair; a pair that is not whole is left out.

    Args:
        games: as `pair_games` gives them.
        pairs: how many were played.

    Returns:
        (at most pairs,) in [0, 1], by the pairs' numbers.
    """
    shares = points_between(
        np.array([one.returns for one in games]), np.array([one.scheduled.seats for one in games]) == 1
    )
    labels = np.array([one.scheduled.label for one in games])
    counts = np.bincount(labels, minlength=pairs)
    scores: Scores = (np.bincount(labels, shares, pairs) / 2)[counts == 2]
    return scores


def pair_gains(games: Sequence[Played], pairs: int) -> Scores:
    """The first agent's returns of both games of each pair together; a pair that is not whole is left out.

    Args:
        games: of two players, as `pair_games` gives them.
        pairs: how many were played.

    Returns:
        (at most pairs,) by the pairs' numbers.
    """
    mine = np.array([one.returns[one.scheduled.seats.index(0)] for one in games])
    labels = np.array([one.scheduled.label for one in games])
    gains: Scores = np.bincount(labels, mine, pairs)[np.bincount(labels, minlength=pairs) == 2]
    return gains


def pair_scores(
    game: str, agent: Agent, opponent: Agent, pairs: int, seed: int, plies: tuple[int, int] = (0, 8)
) -> Scores:
    """An agent's share of the points of each pair of games: `pair_points` of `pair_games`.

    Returns:
        (at most pairs,) in [0, 1], in the order of the schedule.
    """
    return pair_points(pair_games(game, agent, opponent, pairs, seed, plies), pairs)


def share_interval(scores: Scores, seed: int = 0) -> tuple[float, float, float]:
    """The share of the points, and its 95 % interval: a Dirichlet posterior over what a pair of games can bring.

    The prior counts as one pair, a fifth of it for each of the five outcomes.

    Args:
        scores: (pairs,) as `pair_scores` gives them; at least one.
        seed: of the posterior's draws.

    Returns:
        The mean, the lower and the upper bound, in [0, 1].
    """
    counts = np.bincount(np.rint(4 * scores).astype(np.int64), minlength=5)
    drawn = np.random.default_rng(seed).dirichlet(counts + 0.2, 10_000) @ np.linspace(0, 1, 5)
    low, high = np.quantile(drawn, [0.025, 0.975])
    mean = float(scores.mean())
    return mean, min(float(low), mean), max(float(high), mean)
