"""`mcts:simulations=200`: Monte Carlo tree search with random rollouts, 200 or as many as you say; or milliseconds.

It proves what it can: a win that is there is taken, a lost move is avoided, however seldom they were looked at.
By a clock it thinks as long as that allows, and no further than its own limits: `mcts:milliseconds=60000` leaves it to
the clock, but for a minute a move. Nodes of a time control are its simulations.
"""

from __future__ import annotations

import numpy as np

from lanista.agents.search_tree import check_searchable, check_temperature, chosen
from lanista.agents.time_control import TimeControl, milliseconds_for
from lanista.agents.uct import NO_LIMIT, Found, Limits, new_tree, simulate
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.envs.draws import mixed
from lanista.errors import UsageError

USUAL_SIMULATIONS = 200


def make(
    simulations: int | None = None,
    milliseconds: float | None = None,
    exploration: float = 1.4,
    temperature: float = 0.0,
) -> MctsAgent:
    """The agent that tries out moves.

    Args:
        simulations: so many a move; 200 if no milliseconds are given either.
        milliseconds: for so long a move.
        exploration: the constant of UCT, for returns between -1 and 1: more looks at more moves.
        temperature: 0 plays the most visited move; 1 draws from the visits; between sharpens them.

    Raises:
        UsageError: a number is out of its range.
    """
    return MctsAgent(simulations, milliseconds, exploration, temperature)


class MctsAgent:
    """Monte Carlo tree search, for two-player zero-sum games without anything hidden."""

    def __init__(
        self,
        simulations: int | None = None,
        milliseconds: float | None = None,
        exploration: float = 1.4,
        temperature: float = 0.0,
    ) -> None:
        """Make it; `make` has the arguments."""
        if simulations is not None and not 1 <= simulations < NO_LIMIT:
            raise UsageError(f"mcts needs at least one simulation a move, not {simulations}")
        if milliseconds is not None and not 0 < milliseconds < 1e9:
            raise UsageError(f"mcts needs some milliseconds to think, not {milliseconds:g}")
        if not 0 <= exploration < 1e9:
            raise UsageError(f"mcts's exploration is 0 or more, not {exploration:g}")
        check_temperature("mcts", temperature)
        if simulations is None and milliseconds is None:
            simulations = USUAL_SIMULATIONS
        self.limits = Limits(simulations or NO_LIMIT, milliseconds or 0.0)
        self.exploration, self.temperature = exploration, temperature
        written = [f"simulations={simulations}"] if simulations is not None else []
        written += [f"milliseconds={milliseconds:g}"] if milliseconds is not None else []
        written += [f"exploration={exploration:g}"] if exploration != 1.4 else []
        written += [f"temperature={temperature:g}"] if temperature else []
        self.name = f"mcts:{','.join(written)}"
        self.counts_nodes = True
        self._most = NO_LIMIT  # simulations by the games' time control
        self._tree: Array | None = None
        self._game = ""
        self._seed = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played, and the seed of the rollouts.

        Raises:
            UsageError: it is not a game that can be searched.
        """
        check_searchable(spec, "mcts")
        self._seed = seed % 2**64

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The most visited move of each row; the policy is the share of the visits."""
        found = self.think(turn)
        actions = chosen(found.weights, turn.draws, self._seed, self.temperature)
        return Choice(actions, policy=found.weights, value=found.values)

    def think(self, turn: Turn) -> Found:
        """What it finds of each row's position.

        Raises:
            UsageError: the game does not show its rules and positions.
        """
        if turn.public is None:
            raise UsageError("mcts plays native games that hide nothing; this game does not show its rules")
        rules = turn.public.rules
        if self._tree is None or self._game != rules.key:
            self._tree, self._game = new_tree(rules, self.limits), rules.key
        draws = mixed(mixed(turn.draws, np.uint64(self._seed)), np.uint64(1))
        limits = self.limits
        if turn.clock is not None or self._most < NO_LIMIT:
            most = min(limits.simulations, self._most)
            limits = Limits(most, milliseconds_for(turn, limits.milliseconds))
        return simulate(rules, turn.public.positions(), draws, limits, self.exploration, self._tree)

    def play_under(self, control: TimeControl | None) -> None:
        """Make no more simulations than a time control gives; the clock it sees at each turn."""
        self._most = NO_LIMIT if control is None or not control.nodes else control.nodes
