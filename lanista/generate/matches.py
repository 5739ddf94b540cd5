"""Pairs of games from random openings, and estimates from them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lanista.agents.match import Played, Scheduled, play_games
from lanista.agents.random_openings import random_openings
from lanista.arena.ratings import Pair, pair_score, rate
from lanista.envs import Agent, make

Seats = tuple[int, int]
GamePair = tuple[Played, Played]


@dataclass(frozen=True)
class Estimate:
    """A number that was measured, with the ends of its 95 % interval."""

    value: float
    low: float
    high: float


SMALL_BOARD = 16  # of so few plies that two random ones would decide the game


def opening_plies(game: str) -> int:
    """The number of random plies in an opening: one of each player, or none where games are very short.

    An odd number would hand the advantage of the first move to the second player, and hide it.
    """
    return 2 if (make(game).spec.longest or SMALL_BOARD) >= SMALL_BOARD else 0


def play_pairs(
    game: str, agents: Sequence[Agent], matches: Sequence[tuple[Seats, Seats]], pairs: int, seed: int
) -> list[list[GamePair]]:
    """Play several matches as one batch, all from the same random openings.

    Args:
        game: the game's string, for two players.
        agents: who plays.
        matches: of each, who sits where in the first and in the second game of an opening, by index in `agents`.
        pairs: the number of openings, so of pairs of games of each match.
        seed: with the game's string, what openings and all chance are drawn from.

    Returns:
        For each match its pairs of games, in the openings' order.
    """
    digest = hashlib.sha256(f"{seed}\0{game}".encode()).digest()
    source = np.random.SeedSequence(int.from_bytes(digest[:8], "big"))
    seeds = source.generate_state(3 * pairs, np.uint64).reshape(3, pairs).tolist()
    plies = opening_plies(game)
    openings = random_openings(game, seeds[0], (plies, plies))
    # The two games have different chance: two games of an agent against itself would else be one game twice.
    schedule = [
        Scheduled(seats, seeds[1 + leg][number], openings[number])
        for legs in matches
        for number in range(pairs)
        for leg, seats in enumerate(legs)
    ]
    schedule = [Scheduled(one.seats, one.seed, one.opening, label) for label, one in enumerate(schedule)]
    games: dict[int, Played] = {}
    for finished in play_games(game, agents, schedule, seed=seed):
        games |= {one.scheduled.label: one for one in finished}
    two = [(games[label], games[label + 1]) for label in range(0, len(schedule), 2)]
    return [two[begin : begin + pairs] for begin in range(0, len(two), pairs)]


def points(game: Played, player: int) -> float:
    """1, 1/2 or 0 of a player."""
    mine, other = game.returns[player], game.returns[1 - player]
    return 1.0 if mine > other else 0.0 if mine < other else 0.5


def contest(pairs: Sequence[GamePair]) -> list[Pair]:
    """The results of a match of "one", who sits first in the first game of each pair, against "other"."""
    return [Pair("one", "other", points(first, 0), points(second, 1)) for first, second in pairs]


def share(pairs: Sequence[Pair]) -> Estimate:
    """The share of the points that "one" has."""
    score = pair_score(pairs, "one")
    return Estimate(score.score, score.low, score.high)


def first_seat(pairs: Sequence[GamePair]) -> Estimate:
    """The share of the points that the first seat has; the two games of one opening are one observation."""
    return share([Pair("one", "other", points(first, 0), points(second, 0)) for first, second in pairs])


def drawn(pairs: Sequence[GamePair]) -> Estimate:
    """The share of games that are drawn; the two games of one opening are one observation."""
    return share([Pair("one", "other", *(float(points(game, 0) == 0.5) for game in both)) for both in pairs])


def elo(pairs: Sequence[Pair]) -> Estimate:
    """By how many Elo points "one" is stronger than "other"."""
    ratings = rate(pairs, ["one", "other"])
    # Ratings of two lie around their mean, so the difference is twice either.
    return Estimate(*(2 * float(values[0]) for values in (ratings.elo, ratings.low, ratings.high)))
