"""One PettingZoo Parallel environment: all of its players act at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lanista.envs.core import Array
from lanista.envs.doors._spaces import Seen, Translator
from lanista.envs.doors._tables import Moved, Table


class Together(Table):
    """One copy. Players are numbered as in its `possible_agents`; who is out has no seat any more."""

    def __init__(self, env: Any, agents: Sequence[str], translators: Sequence[Translator]) -> None:
        self._env = env
        self._agents = agents
        self._number = {agent: player for player, agent in enumerate(agents)}
        self._translators = translators
        self._shown: dict[int, tuple[Any, Mapping[str, Any]]] = {}  # player -> observation and info

    def begin(self, seed: int) -> None:
        observations, infos = self._env.reset(seed=seed)
        self._show(observations, infos)

    def seats(self) -> Sequence[int]:
        return sorted(self._shown)

    def see(self, player: int) -> Seen:
        return self._translators[player].see(*self._shown[player])

    def act(self, answers: Mapping[int, Any]) -> Moved:
        played = list(self._shown)
        actions = {self._agents[player]: self._translators[player].act(answers[player]) for player in played}
        observations, gained, terminations, truncations, infos = self._env.step(actions)
        terminated: list[int] = []
        truncated: dict[int, Seen] = {}
        for player in played:
            agent = self._agents[player]
            if terminations.get(agent, False):
                terminated.append(player)
            elif truncations.get(agent, False):
                seen = observations[agent]
                truncated[player] = self._translators[player].see_last(seen, infos.get(agent, {}))
        self._show(observations, infos)
        gone = [player for player in played if player not in self._shown]
        terminated += [player for player in gone if player not in terminated and player not in truncated]
        for player in (*terminated, *truncated):
            self._shown.pop(player, None)
        rewards = [float(gained.get(agent, 0.0)) for agent in self._agents]
        return Moved(rewards, terminated, truncated)

    def frame(self) -> Array | None:
        if getattr(self._env, "render_mode", None) != "rgb_array":
            return None
        pixels: Array | None = self._env.render()
        return pixels

    def close(self) -> None:
        self._env.close()

    def _show(self, observations: Mapping[str, Any], infos: Mapping[str, Any]) -> None:
        """Who is in the game, and what they see."""
        self._shown = {self._number[agent]: (observations[agent], infos.get(agent, {})) for agent in self._env.agents}
