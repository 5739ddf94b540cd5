"""Atari games through ale_py's own vector environment in C++: `atari:pong`, `atari:breakout?frame_skip=4`.

A turn shows the last four frames, grey, 84 by 84, planes first. Rewards are the game's own points unless
`reward_clipping=true`; the other options are the vector environment's own, `frame_skip` is its `frameskip`.
Needs `pip install "lanista[atari]"`, which brings the games too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from lanista.envs.core import Array, Game, Ints
from lanista.envs.doors._making import made, split
from lanista.envs.doors._pools import Stepped, vector_spec
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors._vectors import VectorGame
from lanista.errors import unknown
from lanista.plugs import Value, call, required


def open(rest: str, copies: int, restart: bool) -> Game:
    """Make `copies` of an Atari game.

    Args:
        rest: the game's name, capitals and underscores as you like, with options after a `?`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.

    Raises:
        UsageError: no such game or option, or ale-py is not installed.
    """
    required("ale_py", "atari", f"atari:{rest}")
    name, options = split(rest, "atari")
    source = f"atari:{rest}"
    rom = _rom(name)
    settings: dict[str, Value] = call(_settings, f"'{source}'", options)
    make = partial(_make, rom, settings)
    env = made(lambda: make(1), source, None)
    translator = Translator(env.single_observation_space, env.single_action_space, source)
    longest = math.ceil(int(settings["max_num_frames_per_episode"]) / int(settings["frameskip"]))
    spec = vector_spec(source, translator.role, longest, f"the Atari 2600 game {rom.replace('_', ' ')}")
    return VectorGame(spec, lambda size: _Frames(make(size), translator), copies, restart, translator.filler)


def ids() -> list[str]:
    """What can follow `atari:`, by ale_py's own list."""
    required("ale_py", "atari", "atari:")
    from ale_py import roms

    return sorted(roms.get_all_rom_ids())


def _rom(name: str) -> str:
    """The ROM that a name means: `Pong`, `MsPacman` and `ALE/MsPacman-v5` are known too."""
    known = {rom.replace("_", ""): rom for rom in ids()}
    plain = re.sub(r"(NoFrameskip)?-v\d+$", "", name.removeprefix("ALE/"))
    rom = known.get(re.sub(r"[-_ ]", "", plain).lower())
    if rom is None:
        raise unknown("Atari game", plain.lower(), known.values())
    return rom


def _settings(
    frame_skip: int = 4,
    stack_num: int = 4,
    img_height: int = 84,
    img_width: int = 84,
    grayscale: bool = True,
    maxpool: bool = True,
    noop_max: int = 30,
    use_fire_reset: bool = True,
    repeat_action_probability: float = 0.0,
    full_action_space: bool = False,
    continuous: bool = False,
    episodic_life: bool = False,
    reward_clipping: bool = False,
    max_num_frames_per_episode: int = 108000,
    num_threads: int = 0,
) -> dict[str, Value]:
    """A user's options, checked, under the vector environment's own names."""
    settings: dict[str, Value] = dict(locals())
    settings["frameskip"] = settings.pop("frame_skip")
    return settings


def _make(rom: str, settings: Mapping[str, Any], size: int) -> Any:
    from ale_py.vector_env import AtariVectorEnv

    return AtariVectorEnv(rom, size, **settings)


class _Frames:
    """A vector environment: every game has its own seed, all are stepped at once."""

    singly = False
    next_step = True

    def __init__(self, env: Any, translator: Translator) -> None:
        self._env = env
        self._translator = translator

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        if slots is None:
            observation, _ = self._env.reset(seed=seeds)
        else:
            mask = np.zeros(self._env.num_envs, bool)
            mask[slots] = True
            observation, _ = self._env.reset(seed=seeds, options={"reset_mask": mask})
            observation = observation[slots]
        return self._translator.see_rows(observation)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        assert slots is None, "all or none"
        observation, rewards, terminated, truncated, _ = self._env.step(self._translator.act_rows(actions))
        return Stepped(self._translator.see_rows(observation), rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None  # the last frame of the observation is the picture

    def close(self) -> None:
        self._env.close()
