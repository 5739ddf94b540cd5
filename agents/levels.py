"""Levels of procedurally generated games: which are held out, and what an agent reaches on given ones.

Training levels are 0 to N - 1. Held-out levels begin far above, at `HELD_OUT`, so that they are the same ones whatever
N is, and two runs, or an agent and a stranger, are compared on the same levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from lanista.agents.host_time import VOID
from lanista.agents.kinds.random import random_actions
from lanista.agents.match import Scheduled, play_games
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Floats, Ints, LevelGame, agent_name
from lanista.errors import UsageError

MOST_TRAINING = 10**7  # a curriculum keeps some numbers for each level, and a runner copies them before each batch
HELD_OUT = 10**9  # the first level that no run is trained on
MOST_LEVEL = 2**31 - 1  # where the libraries' seeds end
COMPARED = 8  # levels that are compared to see that they are different ones ...
COMPARED_PLIES = 32  # ... for so many plies at most


@dataclass(frozen=True)
class Return:
    """The mean return of an agent over levels or seeds.

    Attributes:
        mean: of the games that count.
        low, high: Student's 95 % interval of the mean over levels; equal to it where one game counts.
        games: how many count.
    """

    mean: float
    low: float
    high: float
    games: int


def training_levels(levels: int, count: int) -> Ints:
    """At most `count` of the training levels, spread evenly over 0 to `levels` - 1."""
    some = min(levels, count)
    return np.arange(some, dtype=np.int64) * levels // max(some, 1)


def held_out_levels(count: int) -> Ints:
    """The first `count` levels that no run is trained on.

    Raises:
        UsageError: there are not so many.
    """
    most = MOST_LEVEL + 1 - HELD_OUT
    if count > most:
        raise UsageError(f"there are {most} held-out levels, not {count}")
    return HELD_OUT + np.arange(count, dtype=np.int64)


def returns_on(game: str, agent: Agent, levels: Ints | None, seeds: Array, copies: int = 64) -> Floats:
    """What an agent's games of a one-player game bring.

    Args:
        game: the game's string.
        agent: who plays.
        levels: (m,) the level of each game; None for games that have none, which then begin by their seeds.
        seeds: (m,) of each game: of what the agent draws.
        copies: at most so many are played together.

    Returns:
        (m,) the sum of rewards of each; NaN where the environment broke it.

    Raises:
        UsageError: the game has no levels, or the agent cannot play it.
        RuntimeError: the agent failed: it raised, or played what is illegal.
    """
    numbers = [None] * len(seeds) if levels is None else levels.tolist()
    schedule = [
        Scheduled((0,), int(seed), label=label, level=level)
        for label, (seed, level) in enumerate(zip(seeds.tolist(), numbers, strict=True))
    ]
    found = np.full(len(schedule), np.nan, np.float32)
    for played in play_games(game, [agent], schedule, copies=copies):
        for one in played:
            if one.at_fault is not None:
                raise RuntimeError(f"{agent_name(agent)} failed in {game}: {one.reason}")
            if one.reason not in VOID:
                found[one.scheduled.label] = one.returns[0]
    return found


def mean_return(returns: NDArray[np.floating]) -> Return:
    """The mean with its interval; games that are NaN do not count.

    Raises:
        RuntimeError: none counts.
    """
    counted = returns[~np.isnan(returns)].astype(np.float64)
    games = len(counted)
    if not games:
        raise RuntimeError("the environment broke every game")
    mean = float(counted.mean())
    if games == 1:
        return Return(mean, mean, mean, 1)
    half = float(stdtrit(games - 1, 0.975) * counted.std(ddof=1) / np.sqrt(games))
    return Return(mean, mean - half, mean + half, games)


def check_levels(game: str) -> None:
    """See that a game has levels, by playing some.

    Raises:
        UsageError: none can be chosen, the same one is not the same again, or all of them are alike.
    """
    table = make(game, COMPARED + 1, restart=False)
    spec = table.spec
    try:
        if not spec.levels or not isinstance(table, LevelGame):
            raise UsageError(
                f"--levels is for games that make an episode from a chosen number, as Gymnasium's and EnvPool's "
                f"environments of one player do; {game} cannot choose one"
            )
        twice = np.concatenate([[0], np.arange(COMPARED)])  # level 0 in two copies
        table.begin_levels(twice, np.arange(len(twice)), [0] * len(twice))
        draws = np.random.default_rng(0)
        for ply in range(COMPARED_PLIES):
            turn = table.turn()
            if ply == 0 and any((seen[0] != seen[1]).any() for seen in turn.observation.values()):
                raise UsageError(f"--levels cannot be: {game} begins differently each time it begins with one seed")
            if any((seen != seen[:1]).any() for seen in turn.observation.values()):
                return
            every = np.full(len(turn), draws.integers(2**63), np.uint64)
            outcome = table.step(random_actions(turn, spec.roles[0].action, every))
            over = outcome.finished | outcome.broken
            if (outcome.rewards != outcome.rewards[:1]).any() or over.any() != over.all():
                return
            if over.all():
                break
        raise UsageError(f"--levels cannot be: {game} is the same from every seed")
    finally:
        close = getattr(table, "close", None)
        if close is not None:
            close()
