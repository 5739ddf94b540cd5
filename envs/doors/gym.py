"""Any Gymnasium environment as a single-player game: `gym:CartPole-v1`, `gym:FrozenLake-v1?is_slippery=false`.

Options go to `gymnasium.make`. An environment that brings a vector implementation of its own is stepped by it where
many copies train together; of all others each copy is an environment of its own, so that each game has its own seed
and an environment that raises voids no game but its own. `gym:module:Name-v0` imports the module that registers the
name; those of `PACKAGES` are imported by the name alone. A level is what `reset(seed=level)` begins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import gymnasium
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec, load_env_creator
from gymnasium.vector import AutoresetMode

from lanista.envs.core import Array, Game, Ints
from lanista.envs.doors._making import DRAWN_COPIES, made, split
from lanista.envs.doors._modalities import MASK
from lanista.envs.doors._pools import Pool, Stepped, vector_spec
from lanista.envs.doors._singles import Singles
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors._vectors import VectorGame
from lanista.errors import UsageError, unknown

# How names of environments begin -> what registers them, where importing Gymnasium does not.
PACKAGES = {"MiniGrid-": "minigrid", "BabyAI-": "minigrid", "ALE/": "ale_py"}
VECTOR_COPIES = 8  # from so many on, a vector implementation is faster than its environment one by one


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
    longest = env.spec.max_episode_steps if env.spec is not None else None
    spec = vector_spec(source, translator.role, longest, "a Gymnasium environment", levels=True)
    env.close()
    singles: Callable[[int], Pool] = partial(Singles, make, translator)
    make_pool = singles
    if restart and copies >= VECTOR_COPIES and registered.vector_entry_point is not None:
        vectors = _vectors(registered.id, options, env)
        if vectors is not None:
            make_pool = partial(_Vector, vectors, translator)
    return VectorGame(spec, make_pool, copies, restart, translator.filler, singles, singles)


def ids() -> list[str]:
    """What can follow `gym:`, by Gymnasium's own registry, with the packages of `PACKAGES` that are installed."""
    for package in dict.fromkeys(PACKAGES.values()):
        if find_spec(package) is not None:
            gymnasium.register_envs(import_module(package))
    return list(gymnasium.registry)


def _registered(name: str, source: str) -> EnvSpec:
    """Gymnasium's own entry of an environment."""
    module, colon, name = name.rpartition(":")
    if colon:
        made(lambda: import_module(module), source, None)
    package = next((found for start, found in PACKAGES.items() if name.startswith(start)), "")
    if name not in gymnasium.registry and package:
        try:
            gymnasium.register_envs(import_module(package))
        except ImportError:
            raise UsageError(
                f"'{source}' needs the package {package}: pip install {package.replace('_', '-')}"
            ) from None
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


def _vectors(name: str, options: Mapping[str, Any], single: Any) -> Callable[[int], Any] | None:
    """Makes an environment's own vector implementation; None where it is not the same game for all we can see."""

    def make(copies: int) -> Any:
        return gymnasium.make_vec(name, num_envs=copies, vectorization_mode="vector_entry_point", **options)

    try:
        vector = make(1)
    except Exception:  # not every option of the single environment is one of the vector's
        return None
    same = (vector.single_observation_space, vector.single_action_space) == (
        single.observation_space,
        single.action_space,
    )
    restarts = vector.metadata.get("autoreset_mode") == AutoresetMode.NEXT_STEP
    vector.close()
    return make if same and restarts else None


class _Taken(spaces.MultiDiscrete):
    """Actions that the frame has checked already, as vector environments would do once more."""

    def contains(self, x: Any) -> bool:
        return True


class _Vector:
    """An environment's own vector implementation: one random stream for all, all stepped at once."""

    singly = False
    next_step = True

    def __init__(self, make: Callable[[int], Any], translator: Translator, size: int) -> None:
        self._env = make(size)
        self._size = size
        self._translator = translator
        space = self._env.action_space
        if type(space) is spaces.MultiDiscrete:
            self._env.unwrapped.action_space = _Taken(space.nvec, start=space.start)

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown | None:
        if slots is not None or (exact and self._size > 1):
            return None
        observation, info = self._env.reset(seed=int(seeds[0]))
        return self._translator.see_rows(observation, info.get(MASK))

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        assert slots is None, "all or none"
        answer = self._env.step(self._translator.act_rows(actions))
        observation, rewards, terminated, truncated, info = answer
        shown = self._translator.see_rows(observation, info.get(MASK))
        return Stepped(shown, rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None

    def close(self) -> None:
        self._env.close()
