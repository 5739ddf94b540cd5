"""Native games outward: any of them as a standard PettingZoo AEC environment."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.utils import EzPickle
from pettingzoo import AECEnv
from pettingzoo.utils import wrappers

from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import native_rules
from lanista.envs.core import Array
from lanista.errors import UsageError

MODES = ("ansi", "svg")


def as_pettingzoo(game: str, render_mode: str | None = None) -> Any:
    """A native game as PettingZoo's users expect one: an illegal action loses the game for whoever played it.

    Args:
        game: the string of a native game, such as `connect_four`.
        render_mode: what `render` gives: "ansi" text, "svg" a picture.

    Returns:
        An `AECEnv` with agents `player_0`, `player_1`, ... that observe `{"observation", "action_mask"}`.

    Raises:
        UsageError: no such game, option or render mode.
    """
    env = NativeAEC(game, render_mode)
    illegal = wrappers.TerminateIllegalWrapper(env, illegal_reward=env.least_return)
    return wrappers.OrderEnforcingWrapper(wrappers.AssertOutOfBoundsWrapper(illegal))


class NativeAEC(AECEnv, EzPickle):  # type: ignore[misc]
    """One copy of a native game as a bare AEC environment: an illegal action raises ValueError."""

    def __init__(self, game: str, render_mode: str | None = None) -> None:
        """Make the environment; see `as_pettingzoo`."""
        EzPickle.__init__(self, game, render_mode)
        super().__init__()
        if render_mode is not None and render_mode not in MODES:
            raise UsageError(f"render mode '{render_mode}' is unknown; known: {', '.join(MODES)}")
        self._game = BatchedGame(native_rules(game), 1, restart=False)
        spec = self._game.spec
        self.metadata = {"name": spec.name, "render_modes": list(MODES), "is_parallelizable": False, "render_fps": 2}
        self.render_mode = render_mode
        self.least_return = spec.returns[0]
        self.possible_agents = [f"player_{player}" for player in range(spec.players)]
        self._number = {agent: player for player, agent in enumerate(self.possible_agents)}
        self._width = self._game.rules.num_actions
        self.action_spaces: dict[str, spaces.Space[Any]] = {
            agent: spaces.Discrete(self._width) for agent in self.possible_agents
        }
        self.observation_spaces = {agent: self._observation_space() for agent in self.possible_agents}
        self.agents: list[str] = []

    def _observation_space(self) -> spaces.Dict:
        seen = self._game.spec.roles[0].observation[self._game.rules.modality]
        return spaces.Dict({"observation": seen, "action_mask": spaces.Box(0, 1, (self._width,), np.int8)})

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent observes."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """What an agent may play."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> None:
        """Begin a new game; the same seed gives the same game, None another one each time."""
        self._game.reset(seed)
        self.agents = self.possible_agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self.infos: dict[str, dict[str, Any]] = {agent: {} for agent in self.agents}
        self.agent_selection = self.possible_agents[int(self._game.turn().players[0])]

    def observe(self, agent: str) -> dict[str, Array]:
        """What an agent sees; its mask is empty unless it is the one to act."""
        player = self._number[agent]
        mask = np.zeros(self._width, np.int8)
        turn = self._game.turn()
        if len(turn) and turn.players[0] == player:
            assert turn.legal is not None
            mask[:] = turn.legal[0]
        return {"observation": self._game.observation(0, player)[self._game.rules.modality], "action_mask": mask}

    def step(self, action: int | None) -> None:
        """Play an action of `agent_selection`; an agent whose game is over passes with None."""
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        outcome = self._game.step(np.array([action]))
        self._cumulative_rewards[agent] = 0.0
        self.rewards = {name: float(outcome.rewards[0, self._number[name]]) for name in self.agents}
        self.terminations = {name: bool(outcome.terminated[0, self._number[name]]) for name in self.agents}
        turn = self._game.turn()
        following = int(turn.players[0]) if len(turn) else (self._number[agent] + 1) % len(self.possible_agents)
        self.agent_selection = self.possible_agents[following]
        self._accumulate_rewards()

    def render(self) -> str | None:
        """The whole position as text or SVG, as `render_mode` asks."""
        if self.render_mode is None:
            return None
        return self._game.text(0) if self.render_mode == "ansi" else self._game.picture(0)

    def close(self) -> None:
        """Nothing is held open."""
