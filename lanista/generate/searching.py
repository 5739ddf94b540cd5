"""What search agents tell of a game: is it balanced, does it end in draws, how long is it, does thinking pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lanista.agents.contestant import load_agent
from lanista.agents.kinds.minimax import WANING, search
from lanista.agents.match import Played
from lanista.envs import make
from lanista.generate.matches import Estimate, GamePair, contest, drawn, elo, first_seat, play_pairs, points

MOST_NODES = 5_000_000  # well under a second


@dataclass(frozen=True)
class Sample:
    """A game to look at: the opening's actions, all actions, and both players' returns."""

    seed: int
    opening: tuple[int, ...]
    moves: tuple[int, ...]
    returns: tuple[float, ...]


@dataclass(frozen=True)
class Forced:
    """A win that nobody can prevent: by which player, and after how many plies."""

    player: int
    plies: int


@dataclass(frozen=True)
class SearchMeasure:
    """What search agents tell of a game.

    Attributes:
        first_seat: share of the points that the first player has when the deep searcher plays itself.
        first_seat_shallow: the same of the shallow one.
        draws: share of drawn games when the deep searcher plays itself.
        plies: mean length of those games.
        used: the same as a share of the longest game that the rules allow; of the board, where each ply fills a cell.
        depth: by how many Elo points the deep searcher is stronger than the shallow one.
        games: how many were played.
        forced: a win that is forced from the start, if one was found within `MOST_NODES`.
        sample: one of the deep searcher's games against itself, of typical length.
    """

    first_seat: Estimate
    first_seat_shallow: Estimate
    draws: Estimate
    plies: float
    used: float
    depth: Estimate
    games: int
    forced: Forced | None
    sample: Sample


def measure_search(game: str, games: int, shallow: int, deep: int, seed: int) -> SearchMeasure:
    """Play a shallow and a deep searcher against each other and each against itself.

    Args:
        game: the game's string.
        games: of each of the three matches, even.
        shallow, deep: plies that the two look ahead.
        seed: everything random comes from it, so the same words give the same measure.
    """
    agents = [load_agent(f"minimax:depth={depth}") for depth in (deep, shallow)]
    matches = [((0, 1), (1, 0)), ((0, 0), (0, 0)), ((1, 1), (1, 1))]
    contested, deep_alone, shallow_alone = play_pairs(game, agents, matches, games // 2, seed)
    plies = float(np.mean([len(one.moves) for both in deep_alone for one in both]))
    return SearchMeasure(
        first_seat=first_seat(deep_alone),
        first_seat_shallow=first_seat(shallow_alone),
        draws=drawn(deep_alone),
        plies=plies,
        used=plies / (make(game).spec.longest or plies),
        depth=elo(contest(contested)),
        games=2 * sum(map(len, (contested, deep_alone, shallow_alone))),
        forced=forced_win(game),
        sample=typical(deep_alone),
    )


def forced_win(game: str) -> Forced | None:
    """The shortest win that is forced from the start, if search finds one before it reaches `MOST_NODES` positions."""
    turn = make(game).turn()
    before = 1
    for depth in range(1, (make(game).spec.longest or MOST_NODES) + 1):
        _, values, nodes = search(turn, depth)
        value = float(values[0])
        if abs(value) > 0.5:  # a reward, less a little for each ply
            mover = int(turn.players[0])
            return Forced(mover if value > 0 else 1 - mover, round((1 - abs(value)) / WANING))
        if nodes * max(nodes / before, 2) > MOST_NODES:  # what the next depth would take
            return None
        before = nodes
    return None


def typical(pairs: Sequence[GamePair]) -> Sample:
    """Of the decided games, or if there are none of all, the one whose length is nearest to the middle."""
    games = [game for both in pairs for game in both]
    shown = [game for game in games if points(game, 0) != 0.5] or games
    middle = float(np.median([len(game.moves) for game in shown]))

    def distance(game: Played) -> float:
        return abs(len(game.moves) - middle)

    best = min(shown, key=distance)
    return Sample(best.scheduled.seed, best.scheduled.opening, best.moves, best.returns)
