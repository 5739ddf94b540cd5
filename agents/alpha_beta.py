"""Alpha-beta with iterative deepening and a table of positions, compiled for each native game of two players.

Knuth and Moore 1975, "An analysis of alpha-beta pruning"; iterative deepening and tables after Slate and Atkin 1977,
"Chess 4.5"; the moves of a position in the order: what the table knows, what was too good at this ply before (killers),
what was too good elsewhere (Schaeffer 1989, "The history heuristic and alpha-beta enhancements in practice").
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from lanista.agents.alpha_beta_kernel import NO_LIMIT, search_kernel
from lanista.agents.position_table import NO_TABLE
from lanista.envs.core import Array, Bools, Ints
from lanista.envs.rules import Rules

# What the compiled search keeps of each ply of its line.
FRAME = np.dtype(
    [
        ("low", np.float64),  # the window: values outside it do not matter to the root
        ("high", np.float64),
        ("first_low", np.float64),  # the window when the position was entered
        ("first_high", np.float64),
        ("best", np.float64),  # of the moves searched so far
        ("total", np.float64),  # player 0's rewards until here
        ("key", np.uint64),  # of the position, in the table
        ("check", np.uint64),
        ("mover", np.int64),
        ("action", np.int64),  # the move being searched
        ("best_action", np.int64),
        ("first", np.int64),  # the move that the table knows, or -1
        ("following", np.int64),  # the place of the move to look at next
        ("count", np.int64),  # of moves in the list
        ("killer", np.int64),  # the last move that was too good at this ply
        ("final", np.bool_),  # no horizon was met: `best` holds whatever the depth
    ],
    align=True,
)

DEEPEST = 512  # of searches that are bounded otherwise
TABLE_DEPTH = 6  # shallower searches are quicker without a table

_searches = itertools.count(1)  # their numbers are part of the keys: a table never needs clearing


@dataclass(frozen=True)
class Limits:
    """When a search of one position ends.

    Attributes:
        depth: plies to look ahead.
        nodes: positions to reach, after which the deepest search that was done counts.
        milliseconds: likewise of time.
    """

    depth: int = DEEPEST
    nodes: int = NO_LIMIT
    milliseconds: float = 0.0  # 0: no such limit

    @property
    def timed(self) -> bool:
        """Whether it is not depth that ends it."""
        return self.nodes < NO_LIMIT or self.milliseconds > 0


@dataclass(frozen=True)
class Found:
    """What was found of each of `k` positions.

    Attributes:
        best: all best moves.
        values: for the player to move.
        depths: how deep the search was that counts: where nothing deeper can change anything, it stops.
        nodes: positions reached, all together.
    """

    best: Bools  # (k, num_actions)
    values: Array  # (k,) float64
    depths: Ints  # (k,)
    nodes: int


def look_ahead(rules: Rules, positions: Array, limits: Limits, table: Array = NO_TABLE) -> Found:
    """Search positions one after the other.

    Args:
        rules: of a game of two players without chance.
        positions: (k,) records of `rules.state`, in none of which the game is over.
        limits: of each.
        table: from `position_table.new_table`; what is found does not depend on it, only how soon.
    """
    depth = min(limits.depth, rules.spec.longest or DEEPEST)
    k, actions = len(positions), rules.num_actions
    line = np.zeros(depth + 1, rules.state)
    frames, masks = np.zeros(depth + 1, FRAME), np.zeros((depth + 1, actions), bool)
    moves, history = np.zeros((depth + 1, actions), np.int16), np.zeros((2, actions), np.int64)
    best, values, depths = np.zeros((k, actions), bool), np.zeros(k), np.zeros(k, np.int64)
    low, high = rules.spec.returns
    bounded = np.isfinite(low) and np.isfinite(high) and low <= 0 <= high
    bounds = np.array([low, high] if bounded else [-np.inf, np.inf])
    first = next(_searches)
    for _ in range(k - 1):
        next(_searches)
    if not limits.timed:
        # Of a table that is no larger than the search a larger part is in the processor's cache.
        table = table[: 1 << min(2 * depth - 2, 40)] if depth >= TABLE_DEPTH else NO_TABLE
    nodes: int = search_kernel(rules)(
        positions, line, line.view(np.uint8).reshape(depth + 1, -1), frames, masks, moves, history, table, bounds,
        first, limits.nodes, round(limits.milliseconds * 1e6),
        limits.timed or depth >= TABLE_DEPTH, best, values, depths,
    )  # fmt: skip
    return Found(best, values, depths, nodes)
