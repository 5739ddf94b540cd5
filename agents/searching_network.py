"""`path/to/agent?simulations=200`: a trained agent that thinks ahead, all games of a match at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lanista.agents.action_heads import DiscreteHead
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import PolicyNetwork, evaluate_rows
from lanista.agents.puct import Forest, Limits
from lanista.agents.search_tree import check_searchable, chosen, weights_of
from lanista.agents.time_control import TimeControl, milliseconds_for
from lanista.envs.core import Array, Choice, Floats, GameSpec, Turn
from lanista.envs.draws import mixed
from lanista.errors import UsageError

MOST_SIMULATIONS = 10**6
MOST_LEAVES = 256
TREES_AT_ONCE = 256  # a network is asked for so many rows together; more would only take memory


class SearchingAgent:
    """PUCT with the network of an agent: plays the most visited move, or draws from the visits."""

    def __init__(self, agent: NetworkAgent, simulations: int, c_puct: float = 1.25, leaves: int = 1) -> None:
        """Let an agent think ahead.

        Args:
            agent: whose network is asked. Its `symmetry` shows the root from every side, and each leaf from one.
            simulations: of each move.
            c_puct, leaves: see `puct.Limits`.

        Raises:
            UsageError: a number is out of its range, or no search can ask this network.
        """
        if not 1 <= simulations <= MOST_SIMULATIONS:
            raise UsageError(f"a search needs 1 to {MOST_SIMULATIONS} simulations a move, not {simulations}")
        if not (c_puct >= 0 and np.isfinite(c_puct)):
            raise UsageError(f"c_puct is 0 or more, not {c_puct:g}")
        if not 1 <= leaves <= MOST_LEAVES:
            raise UsageError(f"a search evaluates 1 to {MOST_LEAVES} leaves of a tree together, not {leaves}")
        self.name = f"{agent.name}{'&' if '?' in agent.name else '?'}simulations={simulations}"
        network = agent.network
        if not isinstance(network, PolicyNetwork) or not isinstance(network.head, DiscreteHead):
            raise UsageError(f"{self.name}: only an agent with one network and moves that are counted thinks ahead")
        if network.memory is not None:
            raise UsageError(f"{self.name}: its network has a memory of the game, so that it cannot judge other lines")
        self.agent, self.network, self.game = agent, network, agent.game
        self.limits = Limits(simulations, c_puct, leaves)
        self.temperature = agent.temperature or 0.0
        self.counts_nodes = True
        self._most = MOST_SIMULATIONS  # by the games' time control
        self._spec: GameSpec | None = None
        self._seed = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Check that the game can be searched and the network fits it.

        Raises:
            UsageError: one of the two is not so.
        """
        check_searchable(spec, self.name)
        self.agent.start(spec, seed)
        self._spec, self._seed = spec, seed % 2**64

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The most visited move of each row, or a draw; the policy is the share of the visits."""
        parts = [self.think(turn.take(rows)) for rows in self._parts(len(turn))]
        found = [weights_of(forest.nodes, forest.rules.num_actions, forest.bounds) for forest in parts]
        weights, values = (np.concatenate([one[place] for one in found]) for place in range(2))
        actions = chosen(weights, turn.draws, self._seed, self.temperature)
        return Choice(actions, policy=weights, value=values)

    def think(self, turn: Turn) -> Forest:
        """The trees of all rows.

        Raises:
            UsageError: the game does not show its rules and positions, or the agent was not started.
        """
        if self._spec is None:
            raise UsageError(f"{self.name} was not started: call start(spec, seed) before act")
        if turn.public is None:
            raise UsageError(f"{self.name} thinks ahead in native games that hide nothing; this one shows no rules")
        rules = turn.public.rules
        policies, values = self.agent.judge(turn)
        draws = mixed(mixed(turn.draws, np.uint64(self._seed)), np.uint64(2))
        symmetries = self._spec.symmetries if self.agent.symmetry else ()
        forest = Forest(rules, turn.public.positions(), draws, policies, values, symmetries)
        forest.search(self._limits_of(turn), lambda seen: self._evaluate(rules.modality, seen))
        return forest

    def play_under(self, control: TimeControl | None) -> None:
        """Make no more simulations than a time control gives; the clock it sees at each turn."""
        self._most = MOST_SIMULATIONS if control is None or not control.nodes else control.nodes

    def _limits_of(self, turn: Turn) -> Limits:
        """Its own, or what the clock and the nodes of the games leave of them."""
        milliseconds = milliseconds_for(turn, 0.0) * len(turn)
        simulations = min(self.limits.simulations, self._most)
        return replace(self.limits, simulations=simulations, milliseconds=milliseconds)

    def _evaluate(self, modality: str, seen: Array) -> tuple[Floats, Floats]:
        answer = self.agent.asked(self.network, {modality: seen}, None)
        if answer is None:
            answer = evaluate_rows(self.network, {modality: seen}, None, self.agent.autocast)[:2]
        return answer[0].numpy(), answer[1].numpy()

    @staticmethod
    def _parts(rows: int) -> list[Array]:
        return np.array_split(np.arange(rows), -(-rows // TREES_AT_ONCE))
