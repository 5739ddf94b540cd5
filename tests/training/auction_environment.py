"""A simultaneous PettingZoo game of three players whose results are seen at a glance."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pettingzoo
from gymnasium import spaces
from pettingzoo import ParallelEnv


class Auction(ParallelEnv):  # type: ignore[misc]
    """Three players bid once, together; each gets what it bid."""

    metadata = {"name": "auction_v0", "render_modes": []}
    possible_agents = ["one", "two", "three"]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Box(0, 1, (1,), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Discrete(5)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents = self.possible_agents[:]
        return {agent: np.zeros(1, np.float32) for agent in self.agents}, {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        here, self.agents = self.agents, []
        seen = {agent: np.zeros(1, np.float32) for agent in here}
        over, not_cut = dict.fromkeys(here, True), dict.fromkeys(here, False)
        return seen, {agent: float(actions[agent]) for agent in here}, over, not_cut, {agent: {} for agent in here}


@contextmanager
def registered_auction() -> Iterator[str]:
    """The string that makes it, meanwhile."""
    pettingzoo.register("parallel", "test/auction-v0", Auction)
    yield "zoo:test/auction_v0"
    del pettingzoo.parallel_registry["test/auction-v0"]
