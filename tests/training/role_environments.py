"""Games whose players have different spaces, and whose best results are seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np
import pettingzoo
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

CARDS = 3


def one_hot(number: int, size: int) -> np.ndarray:
    seen: np.ndarray = np.zeros(size, np.float32)
    seen[number] = 1
    return seen


class Signals(ParallelEnv):  # type: ignore[misc]
    """A speaker is shown a card and says a word; then two listeners, who heard it, name the card.

    The speaker gets 1 for the next card's name, and a listener 2 for the right card. Who learned from another's rewards
    would not come near that.
    """

    metadata = {"name": "signals_v0", "render_modes": []}
    possible_agents = ["speaker_0", "listener_0", "listener_1"]
    of_roles: ClassVar[dict[str, tuple[spaces.Space[Any], spaces.Space[Any]]]] = {
        "speaker": (spaces.Box(0, 1, (CARDS,), np.float32), spaces.Discrete(CARDS)),
        "listener": (spaces.Box(0, 1, (CARDS + 2,), np.float32), spaces.Discrete(CARDS + 1)),
    }

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return self.of_roles[agent.partition("_")[0]][0]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return self.of_roles[agent.partition("_")[0]][1]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents = self.possible_agents[:]
        self.card = int(np.random.default_rng(seed).integers(CARDS))
        self.heard = CARDS
        return self._seen(), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        here, ends = self.agents, self.heard < CARDS
        gained = dict.fromkeys(here, 0.0)
        if ends:
            gained |= {agent: 2.0 * (actions[agent] == self.card) for agent in here[1:]}
            self.agents = []
        else:
            gained["speaker_0"] = float(actions["speaker_0"] == (self.card + 1) % CARDS)
        self.heard = int(actions["speaker_0"])
        seen = self._seen()
        return seen, gained, dict.fromkeys(here, ends), dict.fromkeys(here, False), {agent: {} for agent in here}

    def _seen(self) -> dict[str, np.ndarray]:
        heard = one_hot(self.heard, CARDS + 1)
        card = one_hot(self.card, CARDS) if self.heard == CARDS else np.zeros(CARDS, np.float32)
        return {
            "speaker_0": card,
            **{f"listener_{who}": np.append(heard, np.float32(who)) for who in range(2)},
        }


class Haggle(AECEnv):  # type: ignore[misc]
    """A seller asks for 0 to 3 and a buyer, who sees it beside its own purse, pays or not; three rounds, in turn.

    Not zero-sum: the seller gets the price, the buyer 2 less the price. Who does not pay gets nothing, as the seller;
    and after every round the buyer alone gets 0.25.
    """

    metadata = {"name": "haggle_v0", "render_modes": []}
    possible_agents = ["seller", "buyer"]
    rounds = 3

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Box(0, 4, (1,) if agent == "seller" else (2, 2), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Discrete(4) if agent == "seller" else spaces.MultiDiscrete([2, 2])

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self.agents = self.possible_agents[:]
        self.agent_selection = "seller"
        self.at, self.price = 0, 0
        self.rewards = self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations, self.truncations = (dict.fromkeys(self.agents, False) for _ in range(2))
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}

    def observe(self, agent: str) -> np.ndarray:
        if agent == "seller":
            return np.full(1, self.at, np.float32)
        return np.array([[self.at, self.price], [1, 1]], np.float32)

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent]:
            self._was_dead_step(action)
            return
        self.rewards = dict.fromkeys(self.agents, 0.0)
        if agent == "seller":
            self.price = int(action)
            self.agent_selection = "buyer"
            return
        if action[0]:
            self.rewards = {"seller": float(self.price), "buyer": 2.0 - self.price}
        self.rewards["buyer"] += 0.25
        self.at += 1
        self.agent_selection = "seller"
        if self.at == self.rounds:
            self.terminations = dict.fromkeys(self.agents, True)


@contextmanager
def registered(form: str, environment: type) -> Iterator[str]:
    """The string that makes it, meanwhile."""
    name = environment.__name__.lower()
    pettingzoo.register(form, f"test/{name}-v0", environment)
    yield f"zoo:test/{name}_v0"
    del getattr(pettingzoo, f"{form}_registry")[f"test/{name}-v0"]
