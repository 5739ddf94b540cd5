"""Any Gymnasium environment as a single-player game: `gym:CartPole-v1`, `gym:FrozenLake-v1?is_slippery=false`.

Options go to `gymnasium.make`. Each copy is an environment of its own, so that each game has its own seed and an
environment that raises voids no game but its own. `gym:module:Name-v0` imports the module that registers the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from math import inf
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec, load_env_creator

from lanista.envs.core import Array, Game, GameSpec
from lanista.envs.doors._making import DRAWN_COPIES, made, one_line, split
from lanista.envs.doors._spaces import Seen, Translator
from lanista.envs.doors._tables import Moved, TableGame
from lanista.errors import UsageError, unknown


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of a Gymnasium environment.

    Args:
        rest: the environment's id, with options after a `?`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: no such environment or option, software that it needs is missing, or its spaces cannot be played.
    """
    name, options = split(rest, "gym")
    source = f"gym:{rest}"
    registered = _registered(name, source)
    maker = _maker(registered, source)
    make = partial(_make, registered.id, options)
    env = made(make, source, maker)
    if copies <= DRAWN_COPIES and "rgb_array" in env.metadata.get("render_modes", ()):
        env.close()
        make = partial(_make, registered.id, {"render_mode": "rgb_array", **options})
        env = made(make, source, maker)
    translator = Translator(env.observation_space, env.action_space, source)
    spec = GameSpec(
        name=source,
        players=1,
        roles=(translator.role,),
        role_of=(0,),
        kind="single-player",
        zero_sum=False,
        perfect_information=False,
        longest=env.spec.max_episode_steps if env.spec is not None else None,
        returns=(-inf, inf),
        description="a Gymnasium environment",
    )
    env.close()
    return TableGame(spec, lambda: _Single(make(), translator), copies, restart)


def _registered(name: str, source: str) -> EnvSpec:
    """Gymnasium's own entry of an environment."""
    module, colon, name = name.rpartition(":")
    if colon:
        try:
            import_module(module)
        except ImportError as error:
            raise UsageError(f"'{source}' cannot be made: {one_line(error)}") from error
    if name not in gymnasium.registry:
        raise unknown("Gymnasium environment", name, gymnasium.registry)
    return gymnasium.registry[name]


def _maker(registered: EnvSpec, source: str) -> Callable[..., Any] | None:
    """The class or function that takes the options; importing it shows what is not installed."""
    entry = registered.entry_point
    if not isinstance(entry, str):
        return entry
    creator: Callable[..., Any] = made(lambda: load_env_creator(entry), source, None)
    return creator


def _make(name: str, options: Mapping[str, Any]) -> Any:
    return gymnasium.make(name, disable_env_checker=True, **options)


class _Single:
    """One Gymnasium environment: player 0 acts until it ends."""

    def __init__(self, env: Any, translator: Translator) -> None:
        self._env = env
        self._translator = translator
        self._shown: tuple[Any, Mapping[str, Any]] | None = None  # observation and info; None: nothing to act on

    def begin(self, seed: int) -> None:
        self._shown = self._env.reset(seed=seed)

    def seats(self) -> Sequence[int]:
        return () if self._shown is None else (0,)

    def see(self, player: int) -> Seen:
        assert self._shown is not None
        return self._translator.see(*self._shown)

    def act(self, answers: Mapping[int, Any]) -> Moved:
        observation, reward, terminated, truncated, info = self._env.step(self._translator.act(answers[0]))
        self._shown = None if terminated or truncated else (observation, info)
        if terminated:
            return Moved((float(reward),), terminated=(0,))
        if truncated:
            return Moved((float(reward),), truncated={0: self._translator.see_last(observation, info)})
        return Moved((float(reward),))

    def frame(self) -> Array | None:
        if self._env.render_mode != "rgb_array":
            return None
        try:
            pixels: Any = self._env.render()
        except ImportError:  # Gymnasium's pictures need pygame, which playing does not
            return None
        return np.asarray(pixels)

    def close(self) -> None:
        self._env.close()
