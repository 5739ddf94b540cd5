"""How often an agent plays a best move, on random positions whose every move an exact solver has valued."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import binomtest

from lanista.agents.random_openings import random_openings
from lanista.envs import make
from lanista.envs.core import Agent, Array, Bools, Floats, Ints, start_agent
from lanista.errors import UsageError
from lanista.plugs import plug, plugs

SOLVERS = "lanista.agents.solvers"
CONFIDENCE = 0.95
AT_ONCE = 256  # positions drawn and solved together
MOST_EMPTY = 20  # rounds in a row without a position that matters, until one gives up


@dataclass(frozen=True)
class Positions:
    """Random positions where the choice matters, since some moves throw the result away; what every move is worth.

    Attributes:
        game: its string.
        moves: that led to each.
        values: of each move for the player to move; NaN where it is illegal.
    """

    game: str
    moves: tuple[tuple[int, ...], ...]
    values: Floats  # (n, num_actions)

    @property
    def best(self) -> Bools:
        """Which moves keep the result, won or drawn, however late: (n, num_actions)."""
        result = np.sign(self.values)
        best: Bools = result == np.nanmax(result, axis=1, keepdims=True)
        return best

    @property
    def soonest(self) -> Bools:
        """Which moves none is better than, if sooner wins and later losses are better: (n, num_actions)."""
        greatest = np.nanmax(self.values, axis=1, keepdims=True)
        soonest: Bools = self.values == greatest
        return soonest

    @property
    def by_chance(self) -> Floats:
        """The share of best moves among the legal ones of each: what random play reaches on average; (n,)."""
        share: Floats = self.best.sum(1) / np.isfinite(self.values).sum(1)
        return share

    @property
    def plies(self) -> Ints:
        """How many moves led to each: (n,)."""
        return np.array([len(moves) for moves in self.moves])


@dataclass(frozen=True)
class Certificate:
    """How an agent answered.

    Attributes:
        positions: what it was asked.
        played: its move in each.
    """

    positions: Positions
    played: Ints  # (n,)

    @property
    def right(self) -> Bools:
        """Whether it played a best move: (n,)."""
        right: Bools = self.positions.best[np.arange(len(self.played)), self.played]
        return right

    @property
    def share(self) -> tuple[float, float, float]:
        """Of best moves, with its interval of 95 % (Wilson 1927)."""
        return _share(self.right)

    @property
    def soonest(self) -> tuple[float, float, float]:
        """Of moves that none is better than, how soon included, with its interval."""
        return _share(self.positions.soonest[np.arange(len(self.played)), self.played])

    def by_ply(self) -> dict[int, tuple[float, float, float, int]]:
        """Plies -> share of best moves, its interval, and how many positions there are."""
        plies = self.positions.plies
        return {int(ply): (*_share(self.right[plies == ply]), int((plies == ply).sum())) for ply in np.unique(plies)}


def _share(right: Bools) -> tuple[float, float, float]:
    test = binomtest(int(right.sum()), len(right))
    interval = test.proportion_ci(CONFIDENCE, method="wilson")
    return float(right.mean()), float(interval.low), float(interval.high)


def random_share(positions: Positions) -> float:
    """The share of best moves that random play reaches on average."""
    return float(positions.by_chance.mean())


def no_solver(game: str) -> UsageError:
    """The error of a game that has none: it says which games have one."""
    known = ", ".join(plugs(SOLVERS))
    return UsageError(
        f"no exact solver of {game} is known; there is one of {known}, and exploitability for small games with "
        "hidden hands"
    )


def solver_of(game: str) -> tuple[Callable[[Sequence[Sequence[int]]], Floats], tuple[int, int]]:
    """The exact solver of a game and the plies that it is usually asked at.

    Raises:
        UsageError: none is known.
    """
    if game not in plugs(SOLVERS):
        raise no_solver(game)
    module: Any = plug(SOLVERS, "solver", game)
    return module.values, module.PLIES


def draw_positions(
    game: str, count: int, plies: tuple[int, int] | None = None, seed: int = 0,
    report: Callable[[int], None] = lambda found: None,
) -> Positions:  # fmt: skip
    """Random positions where the choice matters: not all moves lead to the same result.

    Args:
        game: its string.
        count: how many.
        plies: after so many random legal plies, least and greatest; None is the solver's own.
        seed: equal seeds give equal positions.
        report: told how many there are yet.

    Raises:
        UsageError: the game has no solver, or there seem to be no such positions.
    """
    solve, usual = solver_of(game)
    if count < 1:
        raise UsageError(f"the number of positions must be more than 0, not {count}")
    seeds = np.random.SeedSequence(seed)
    moves, values = list[tuple[int, ...]](), list[Array]()
    empty = 0  # rounds in a row
    while len(moves) < count:
        numbers = seeds.spawn(1)[0].generate_state(min(AT_ONCE, 2 * count), np.uint64).tolist()
        drawn = random_openings(game, numbers, plies or usual)
        told = solve(drawn)
        matters = np.nanmax(np.sign(told), axis=1) > np.nanmin(np.sign(told), axis=1)
        moves += [drawn[row] for row in np.flatnonzero(matters)]
        values.append(told[matters])
        empty = 0 if matters.any() else empty + 1
        if empty == MOST_EMPTY:
            least, most = plies or usual
            raise UsageError(
                f"no position after {least} to {most} random plies has a move that matters; name other plies"
            )
        report(min(len(moves), count))
    return Positions(game, tuple(moves[:count]), np.concatenate(values)[:count])


def certify(agent: Agent, positions: Positions, seed: int = 0) -> Certificate:
    """Ask an agent for its move in each position.

    Raises:
        UsageError: it does not play this game.
    """
    game = make(positions.game, copies=len(positions.moves), restart=False)
    start_agent(agent, game.spec, seed)
    game.reset(seed, openings=positions.moves)
    turn = game.turn()
    played = np.zeros(len(positions.moves), np.int64)
    choice = agent.act(turn)
    if choice.failed:
        raise UsageError(f"the agent did not answer: {next(iter(choice.failed.values()))}")
    played[turn.copies] = choice.actions
    return Certificate(positions, played)
