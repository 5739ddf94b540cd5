"""`minimax:depth=4`: looks 4 plies ahead, or as many as you say; or for so many nodes or milliseconds.

Each side plays its best. It knows only what the rules say: a position at its horizon that is not over is worth the
rewards until then, which is 0 in games that pay at the end. It prefers a quicker win and a slower loss, and draws among
the best moves by seed. By a clock it thinks as long as that allows, and no further than its own limits:
`minimax:milliseconds=60000` leaves it to the clock, but for a minute a move.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lanista.agents.alpha_beta import DEEPEST, Found, Limits, look_ahead
from lanista.agents.alpha_beta_kernel import NO_LIMIT, WANING
from lanista.agents.position_table import NO_TABLE, new_table
from lanista.agents.time_control import TimeControl, milliseconds_for
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError

__all__ = ["WANING", "MinimaxAgent", "make", "search"]

USUAL_DEPTH = 4
MOST_TABLE = 65536  # megabytes


def make(
    depth: int | None = None, nodes: int | None = None, milliseconds: float | None = None, table: int = 64
) -> MinimaxAgent:
    """The agent that looks ahead.

    Args:
        depth: so many plies; 4 if it is given neither nodes nor milliseconds.
        nodes: go deeper until so many positions were reached in a move.
        milliseconds: go deeper for so long a move.
        table: megabytes for positions that were searched already; 0 is none. What it plays does not depend on it,
            only how soon, or with nodes or milliseconds how deep.

    Raises:
        UsageError: a number is less than 1 (of the table: than 0).
    """
    return MinimaxAgent(depth, nodes, milliseconds, table)


class MinimaxAgent:
    """Exact minimax (alpha-beta), for two-player zero-sum games without anything hidden."""

    def __init__(
        self, depth: int | None = None, nodes: int | None = None, milliseconds: float | None = None, table: int = 64
    ) -> None:
        """Make it; `make` has the arguments."""
        if depth is not None and depth < 1:
            raise UsageError(f"minimax looks at least one ply ahead, so its depth cannot be {depth}")
        if nodes is not None and nodes < 1:
            raise UsageError(f"minimax reaches at least one position, so its nodes cannot be {nodes}")
        if milliseconds is not None and not 0 < milliseconds < 1e9:
            raise UsageError(f"minimax needs some milliseconds to think, not {milliseconds:g}")
        if not 0 <= table <= MOST_TABLE:
            raise UsageError(f"minimax's table is 0 to {MOST_TABLE} megabytes, not {table}")
        if depth is None and nodes is None and milliseconds is None:
            depth = USUAL_DEPTH
        self.depth = depth
        self.limits = Limits(depth or DEEPEST, nodes or NO_LIMIT, milliseconds or 0.0)
        self.table = table
        written = {
            "depth": depth,
            "nodes": nodes,
            "milliseconds": milliseconds,
            "table": None if table == 64 else table,
        }
        self.name = "minimax:" + ",".join(
            f"{key}={value:g}" if isinstance(value, float) else f"{key}={value}"
            for key, value in written.items()
            if value is not None
        )
        self.counts_nodes = True
        self._most_nodes = NO_LIMIT  # by the games' time control
        self._entries: Array | None = None
        self._seed = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played, and from which seed ties are drawn.

        Raises:
            UsageError: it is not a game that minimax can play.
        """
        if spec.players != 2 or spec.kind != "turn-based" or not spec.zero_sum:
            raise UsageError(f"minimax plays turn-based zero-sum games of two players, and {spec.name} is none")
        if not spec.perfect_information:
            raise UsageError(f"minimax needs to see the whole position, and {spec.name} does not show it")
        self._seed = seed

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """A best move of each row, with its value; equal ones are drawn from the row's draw and the seed."""
        found = self.think(turn)
        return Choice(
            random_legal(found.best, mixed(turn.draws, np.uint64(self._seed % 2**64))),
            value=found.values.astype(np.float32),
        )

    def think(self, turn: Turn) -> Found:
        """What it finds of each row's position.

        Raises:
            UsageError: the game does not show its rules and positions.
        """
        limits = self.limits
        if turn.clock is not None or self._most_nodes < NO_LIMIT:
            nodes = min(limits.nodes, self._most_nodes)
            limits = replace(limits, nodes=nodes, milliseconds=milliseconds_for(turn, limits.milliseconds))
        return _search(turn, limits, self.entries())

    def play_under(self, control: TimeControl | None) -> None:
        """Reach no more positions than a time control gives; the clock it sees at each turn."""
        self._most_nodes = NO_LIMIT if control is None or not control.nodes else control.nodes

    def entries(self) -> Array:
        """Its table, made when it is first needed."""
        if self._entries is None:
            self._entries = new_table(self.table) if self.table else NO_TABLE
        return self._entries


def search(turn: Turn, depth: int, table: Array = NO_TABLE) -> tuple[Array, Array, int]:
    """All best moves of each row's position.

    Args:
        turn: k rows of a native perfect-information game of two players.
        depth: plies to look ahead, at least 1.
        table: from `agents.position_table.new_table`; without it the same is found, only later.

    Returns:
        The best moves (k, num_actions) bool; their value for the row's player (k,) float64, in which a reward `r` that
        is had at the search's ply `p` counts `r * (1 - p * WANING)`; and how many positions were reached.

    Raises:
        UsageError: the game does not show its rules and positions.
    """
    found = _search(turn, Limits(depth), table)
    return found.best, found.values, found.nodes


def _search(turn: Turn, limits: Limits, table: Array) -> Found:
    if turn.public is None:
        raise UsageError("minimax plays native games that hide nothing; this game does not show its rules")
    return look_ahead(turn.public.rules, turn.public.positions(), limits, table)
