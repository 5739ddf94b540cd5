"""Small PettingZoo environments with the habits that the zoo door must bear."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from pettingzoo import AECEnv, ParallelEnv

from lanista.envs.core import Array


class Relay(AECEnv):  # type: ignore[misc]
    """Three agents in turn: `scout` says a number, `pilot` steers, `cook` stirs. Every role has its own spaces.

    The scout is out after its second number, with a reward of 5 to the cook; the pilot is cut off after its third
    turn; the cook ends the game with its fourth. A rudder above 0.9 makes the environment raise.
    """

    metadata = {"name": "relay_v0", "render_modes": [], "is_parallelizable": False}
    possible_agents = ["scout", "pilot", "cook"]
    last_turn = {"scout": 2, "pilot": 3, "cook": 4}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return {
            "scout": spaces.Dict(
                {"observation": spaces.Box(0, 99, (3,), np.int32), "action_mask": spaces.Box(0, 1, (4,), np.int8)}
            ),
            "pilot": spaces.Box(-100, 100, (2, 2), np.float32),
            "cook": spaces.Dict({"pot": spaces.Discrete(5), "spoon": spaces.Box(0, 99, (1,), np.int32)}),
        }[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return {
            "scout": spaces.Discrete(4, start=10),
            "pilot": spaces.Box(-1, 1, (2,), np.float32),
            "cook": spaces.MultiDiscrete([3, 2, 2]),
        }[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        self.agents = self.possible_agents[:]
        self.turns = dict.fromkeys(self.agents, 0)
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.played: list[Any] = []
        self._sea = np.zeros((2, 2), np.float32)
        self.agent_selection = "scout"

    def observe(self, agent: str) -> Any:
        turns = self.turns[agent]
        if agent == "scout":
            mask = np.array([turns == 0, 1, 1, 0], np.int8)
            return {"observation": np.full(3, turns, np.int32), "action_mask": mask}
        if agent == "pilot":
            self._sea[:] = -turns  # the same array each time, as some environments do
            return self._sea
        return {"pot": turns, "spoon": np.array([7 + turns], np.int32)}

    def step(self, action: Any) -> None:
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            assert action is None
            self._sea[:] = 77
            self.agents.remove(agent)
            for kept in (self.rewards, self._cumulative_rewards, self.terminations, self.truncations, self.infos):
                del kept[agent]
            self._clear_rewards()
            self._pass_on(agent)
            return
        assert self.action_space(agent).contains(action), action
        if agent == "pilot" and action[0] > 0.9:
            raise OSError("the rudder broke")
        self.played.append(action)
        self._clear_rewards()
        self._cumulative_rewards[agent] = 0
        self.turns[agent] += 1
        self.rewards[agent] = 1.0
        if self.turns[agent] == self.last_turn[agent]:
            if agent == "scout":
                self.terminations[agent], self.rewards["cook"] = True, 5.0
            elif agent == "pilot":
                self.truncations[agent] = True
            else:
                self.terminations[agent] = True
        self._pass_on(agent)
        self._accumulate_rewards()

    def _pass_on(self, agent: str) -> None:
        """To the next in the order who is still there; those that are out pass when their turn comes."""
        order = self.possible_agents.index(agent) + 1
        for following in self.possible_agents[order:] + self.possible_agents[:order]:
            if following in self.agents:
                self.agent_selection = following
                return


class Unlucky(AECEnv):  # type: ignore[misc]
    """One agent; whether `reset`, `observe` or nothing raises is chosen when it is made."""

    metadata = {"name": "unlucky_v0", "render_modes": []}
    made = 0

    def __init__(self, fails: str = "never") -> None:
        super().__init__()
        self.fails = fails
        self.sight = np.zeros(1, np.float32)
        Unlucky.made += 1
        self.possible_agents = [] if fails == "agents" else ["one"]

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Sequence(spaces.Discrete(2)) if self.fails == "space" else spaces.Box(0, 9, (1,), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.Text(3) if self.fails == "action" else spaces.Discrete(2)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        if self.fails == "always" or (self.fails == "reset" and Unlucky.made % 2):
            raise OSError("no server")
        self.agents, self.agent_selection, self.count = ["one"], "one", 0
        self.rewards, self.infos = {"one": 0.0}, {"one": {"action_mask": np.array([1, 0], np.int8)}}
        self.terminations, self.truncations = {"one": False}, {"one": False}

    def observe(self, agent: str) -> Array:
        if self.fails == "observe" and self.count == 2:
            raise OSError("no sight")
        self.sight[:] = self.count
        return self.sight

    def step(self, action: int | None) -> None:
        if action is None:
            self.agents = []
            self.sight[:] = 77
            return
        self.count += 1
        if self.fails == "cut":
            self.truncations["one"] = True
        if self.fails == "mask" and self.count == 1:
            self.infos["one"] = {"action_mask": np.zeros(2, np.int8)}


class Regatta(ParallelEnv):  # type: ignore[misc]
    """Three boats that act at once: `sail` chooses and sees a dictionary, `row` and `drift` steer.

    `drift` is out after its second step, `row` is cut off after its third, `sail` ends the race with its fourth. Who is
    out is shown no more, and `sail` gets a point from every step. Rowing above 0.9 makes the environment raise.
    """

    metadata = {"name": "regatta_v0", "render_modes": []}
    possible_agents = ["sail", "row", "drift"]
    last_step = {"sail": 4, "row": 3, "drift": 2}

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        if agent == "sail":
            wind = spaces.Tuple((spaces.Discrete(3), spaces.Box(0, 9, (1,), np.float32)))
            return spaces.Dict({"wind": wind, "action_mask": spaces.Box(0, 1, (5,), np.int8)})
        return spaces.Box(-9, 9, (2,), np.float32)

    def action_space(self, agent: str) -> spaces.Space[Any]:
        return spaces.MultiDiscrete([3, 2]) if agent == "sail" else spaces.Box(-1, 1, (1,), np.float32)

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.agents, self.steps = self.possible_agents[:], 0
        self.played: list[dict[str, Any]] = []
        return self._see(self.agents), {agent: {} for agent in self.agents}

    def step(self, actions: dict[str, Any]) -> Any:
        assert set(actions) == set(self.agents)
        assert all(self.action_space(agent).contains(action) for agent, action in actions.items()), actions
        if "row" in actions and actions["row"][0] > 0.9:
            raise OSError("the oar broke")
        self.played.append(actions)
        self.steps += 1
        here = self.agents
        out = {agent: self.steps == self.last_step[agent] for agent in here}
        self.agents = [agent for agent in here if not out[agent]]
        terminations = {agent: out[agent] and agent != "row" for agent in here}
        truncations = {agent: out[agent] and agent == "row" for agent in here}
        rewards = {agent: float(agent == "sail") for agent in here}
        return self._see(here), rewards, terminations, truncations, {agent: {} for agent in here}

    def _see(self, agents: list[str]) -> dict[str, Any]:
        wind = (self.steps % 3, np.array([self.steps], np.float32))
        boat = np.array([self.steps, -self.steps], np.float32)
        mask = np.array([1, 1, 0, 1, 0], np.int8)
        return {agent: {"wind": wind, "action_mask": mask} if agent == "sail" else boat for agent in agents}
