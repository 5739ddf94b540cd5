"""The frozen agents that a learner meets: past selves of its run, and the run's fixed opponents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import PolicyNetwork, network_from
from lanista.envs.core import Agent, Array, GameSpec, Ints, Turn, agent_name, start_agent

MOST_SELVES = 8  # each is a call of a network a ply
NEWEST = 2**62  # the number of the learner as it stood after its last update
NEWEST_SHARE = 0.5  # of the games against selves; against past ones alone the learner only exploits what it once was
EVERY = 8  # updates between snapshots at first; doubled whenever the pool is full, so that it spans the run


class Pool:
    """Fixed opponents, the learner as of its last update, and snapshots of it spread evenly over its run."""

    def __init__(self, spec: GameSpec, copies: int, fixed: Sequence[Agent], share: float, seed: int) -> None:
        """Begin without a past self; one must be added before `draw`.

        Args:
            spec: of the game.
            copies: of it; in each one agent of the pool has a seat.
            fixed: agents that stay, drawn evenly.
            share: of the games in which one of them is met. Half of the others are against the newest self, half
                against past ones, drawn evenly.
            seed: of the agents' draws.
        """
        self._spec = spec
        self._copies = copies
        self._memories: dict[int, Array] = {}  # of the agents that remember, each (copies, *memory)
        self._seed = seed
        self._share = share if fixed else 0.0
        self._agents: dict[int, Agent] = {}
        for number, agent in enumerate(fixed):
            self._seat(-1 - number, agent)
        self._fixed: Ints = -1 - np.arange(len(fixed))
        self.selves: dict[int, PolicyNetwork] = {}  # the update each was made after -> what it plays
        self.every = EVERY
        self._newest: PolicyNetwork | None = None

    def _seat(self, number: int, agent: Agent) -> None:
        start_agent(agent, self._spec, (self._seed + number) % 2**63)
        self._agents[number] = agent

    def add(self, number: int, network: PolicyNetwork) -> None:
        """Make the learner the newest self, and keep a copy of it among the past ones, if it is time for one.

        Args:
            number: of the updates it has seen.
            network: the learner as it stands.
        """
        self.renew(network)
        if number % self.every and self.selves:
            return
        if len(self.selves) == MOST_SELVES:
            self.every *= 2
            self.selves = {age: kept for age, kept in self.selves.items() if age % self.every == 0}
            if number % self.every:
                return
        self.selves[number] = self._enter(number, network.describe(), network.state_dict())

    def renew(self, network: PolicyNetwork) -> None:
        """Make the learner as it stands the newest self, in the games too that are under way."""
        if self._newest is None:
            self._newest = self._enter(NEWEST, network.describe(), network.state_dict())
        else:
            self._newest.load_state_dict(network.state_dict())

    def _enter(self, number: int, description: Mapping[str, Any], weights: Mapping[str, Tensor]) -> PolicyNetwork:
        frozen = network_from(description).eval()
        frozen.load_state_dict(weights)
        # A past self draws from its policy: one that always played the same moves would be learned by heart.
        agent = NetworkAgent(frozen, "self", self._spec.name, temperature=1.0, symmetry=False)
        self._seat(number, agent)
        return frozen

    def draw(self, copies: Ints, chance: np.random.Generator) -> Ints:
        """Who is met in the games that these copies begin, (games,): numbers for `answer`."""
        games = len(copies)
        for memory in self._memories.values():
            memory[copies] = 0
        past = chance.choice(np.array(list(self.selves)), games)
        met = np.where(chance.random(games) < NEWEST_SHARE, NEWEST, past)
        if self._share:
            met = np.where(chance.random(games) < self._share, chance.choice(self._fixed, games), met)
        return met

    def forget(self, in_play: Ints) -> None:
        """Let go of past selves that left the pool and whose games (their numbers, any shape) are over."""
        if len(self._agents) > len(self._fixed) + 1 + len(self.selves):
            kept = {*self._fixed.tolist(), NEWEST, *self.selves, *np.unique(in_play).tolist()}
            self._agents = {number: agent for number, agent in self._agents.items() if number in kept}

    def answer(self, turn: Turn, who: Ints) -> Array:
        """The actions of frozen seats.

        Args:
            turn: (k,) their rows.
            who: (k,) as from `draw`.
        """
        actions: Array | None = None
        for number in np.unique(who).tolist():
            rows = np.flatnonzero(who == number)
            agent = self._agents[number]
            theirs = turn if len(rows) == len(turn) else turn.take(rows)
            memory = self._memories.get(number)
            choice = agent.act(theirs, None if memory is None else memory[theirs.copies])
            if choice.failed or choice.waiting is not None:
                raise RuntimeError(f"{agent_name(agent)} failed in training: {choice.failed or 'no answer'}")
            if choice.memory is not None:
                shape, kind = choice.memory.shape[1:], choice.memory.dtype
                memory = self._memories.setdefault(number, np.zeros((self._copies, *shape), kind))
                memory[theirs.copies] = choice.memory
            if actions is None:
                actions = np.zeros((len(turn), *choice.actions.shape[1:]), choice.actions.dtype)
            actions[rows] = choice.actions
        assert actions is not None, "a turn without rows"
        return actions

    def state(self) -> dict[str, Tensor]:
        """The past selves as named tensors, `NUMBER.WEIGHT`, and how often they are taken."""
        weights = {
            f"{number}.{name}": value.clone()
            for number, network in self.selves.items()
            for name, value in network.state_dict().items()
        }
        return {"every": torch.tensor(self.every), **weights}

    def restore(self, description: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Go on with the past selves that `state` gave.

        Args:
            description: of their network.
            tensors: from `state`.
        """
        weights: dict[int, dict[str, Tensor]] = {}
        for key, value in tensors.items():
            number, dot, name = key.partition(".")
            if dot:
                weights.setdefault(int(number), {})[name] = value
        self.every = int(tensors["every"])
        self.selves = {}
        for age in sorted(weights):
            self.selves[age] = self._enter(age, description, weights[age])
