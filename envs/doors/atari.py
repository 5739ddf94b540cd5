"""Atari games through ale_py's own vector environment in C++: `atari:pong`, `atari:breakout?frame_skip=4`.

A turn shows the last four frames, grey, 84 by 84, planes first. Rewards are the game's own points unless
`reward_clipping=true`; the other options are the vector environment's own, `frame_skip` is its `frameskip`.

`atari:pong?sound=true` is heard too: `sound` is what the console said in the frames that the picture is of, all of
them and not only those that are shown, or in as many as `sound_frames` says; 16-bit numbers, 8,000 a second. The
vector environment has no sound, so that these games are stepped one by one.
Needs `pip install "lanista[atari]"`, which brings the games too.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from copy import deepcopy
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Game, Ints
from lanista.envs.doors._atari_sound import FEWEST, MOST, RATE, SoundingConsoles, heard_space
from lanista.envs.doors._console import Console
from lanista.envs.doors._making import made, split
from lanista.envs.doors._pools import Pool, Stepped, vector_spec
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors._vectors import VectorGame
from lanista.errors import UsageError, unknown
from lanista.plugs import Value, call, required

LEAST = {
    "frameskip": 1, "stack_num": 1, "img_height": 1, "img_width": 1, "noop_max": 0, "num_threads": 0,
    "max_num_frames_per_episode": 1,
}  # fmt: skip


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
    settings, heard = _settled(source, options)
    make = partial(_make, rom, settings)
    found = made(lambda: _spaces(rom, tuple(settings.items())), source, None)  # with sound too: it checks the options
    seen, action = deepcopy(found)  # who samples from one game's spaces does not move another's chance
    longest = math.ceil(int(settings["max_num_frames_per_episode"]) / int(settings["frameskip"]))
    described = f"the Atari 2600 game {rom.replace('_', ' ')}"
    if heard:
        both = spaces.Dict({"observation": seen, "sound": heard_space(heard)})
        translator = Translator(both, action, source)
        described += f", its sound at {RATE:,} samples a second"
    else:
        translator = Translator(seen, action, source)

    def pool(size: int) -> Pool:
        if not heard:
            return _Frames(make(size), translator)
        consoles = [_console(rom, sound=True) for _ in range(size)]
        return SoundingConsoles(consoles, _cartridge(rom), settings, heard, translator)

    spec = vector_spec(source, translator.role, longest, described)
    return VectorGame(spec, pool, copies, restart, translator.filler)


def ids() -> list[str]:
    """What can follow `atari:`, by ale_py's own list."""
    required("ale_py", "atari", "atari:")
    from ale_py import roms

    return sorted(roms.get_all_rom_ids())


def screen(rest: str) -> str:
    """The string of the same game as people see it: every frame of the console, in colours, at its own size.

    From the same seed it goes the same way as the game itself, which shows only what an action of several frames led
    to.

    Args:
        rest: as for `open`; what is not of the picture is kept.

    Raises:
        UsageError: no such game or option.
    """
    required("ale_py", "atari", f"atari:{rest}")
    name, options = split(rest, "atari")
    _settled(f"atari:{rest}", options)
    height, width = _console(_rom(name)).getScreenDims()
    shown: dict[str, Value] = {
        "frame_skip": 1, "stack_num": 1, "img_height": height, "img_width": width, "grayscale": False,
        "maxpool": False, "reward_clipping": False, "num_threads": 1,
    }  # fmt: skip
    written = (f"{key}={str(value).lower()}" for key, value in {**options, **shown}.items())
    return f"atari:{name}?{'&'.join(written)}"


def console(rest: str) -> Game:
    """One copy of a game for a person: as `screen` describes, from the emulator itself. It waits for `reset` at an end.

    Its games are those of the vector environment, but begin otherwise from the same seed.

    Args:
        rest: as for `open`; actions are counted, whatever it says.

    Raises:
        UsageError: no such game or option.
    """
    required("ale_py", "atari", f"atari:{rest}")
    name, options = split(rest, "atari")
    source = f"atari:{rest}"
    settings, _ = _settled(source, options)
    rom = _rom(name)
    emulator = _console(rom, float(settings["repeat_action_probability"]), sound=True)
    count = len(emulator.getLegalActionSet() if settings["full_action_space"] else emulator.getMinimalActionSet())
    pictures = spaces.Box(0, 255, (1, *emulator.getScreenDims(), 3), np.uint8)
    translator = Translator(pictures, spaces.Discrete(count), source)
    longest = int(settings["max_num_frames_per_episode"])
    spec = vector_spec(source, translator.role, longest, f"the Atari 2600 game {rom.replace('_', ' ')}")
    return VectorGame(spec, lambda size: Console(emulator, settings, translator), 1, False, translator.filler)


def frame_skip(rest: str) -> int:
    """How many frames of the console an action lasts.

    Raises:
        UsageError: an option is unknown or wrong.
    """
    name, options = split(rest, "atari")
    settings, _ = _settled(f"atari:{name}", options)
    return int(settings["frameskip"])


def action_names(rest: str) -> list[str]:
    """What the console calls each action: `NOOP`, `FIRE`, `UPRIGHTFIRE`, ...

    Raises:
        UsageError: no such game or option.
    """
    required("ale_py", "atari", f"atari:{rest}")
    name, options = split(rest, "atari")
    settings, _ = _settled(f"atari:{rest}", options)
    return list(_actions(_rom(name), bool(settings["full_action_space"])))


@cache
def _actions(rom: str, every: bool) -> tuple[str, ...]:
    """The names of the actions of a game, or of all of them. Kept: to make a console takes a tenth of a second."""
    console = _console(rom)
    actions = console.getLegalActionSet() if every else console.getMinimalActionSet()
    return tuple(str(action.name) for action in actions)


def _console(rom: str, repeating: float = 0.0, sound: bool = False) -> Any:
    """An emulator with the game in it.

    Args:
        rom: the game's id.
        repeating: with which probability it goes on with the action before.
        sound: whether it can be heard.
    """
    import ale_py

    ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)
    console = ale_py.ALEInterface()
    console.setFloat("repeat_action_probability", repeating)
    console.setBool("sound_obs", sound)
    console.loadROM(_cartridge(rom))
    return console


def _cartridge(rom: str) -> Path:
    """The file of a game that is one of `ids`."""
    from ale_py import roms

    path: Path | None = roms.get_rom_path(rom)
    assert path is not None, rom
    return path


def _rom(name: str) -> str:
    """The ROM that a name means: `Pong`, `MsPacman` and `ALE/MsPacman-v5` are known too."""
    known = {rom.replace("_", ""): rom for rom in ids()}
    plain = re.sub(r"(NoFrameskip)?-v\d+$", "", name.removeprefix("ALE/"))
    rom = known.get(re.sub(r"[-_ ]", "", plain).lower())
    if rom is None:
        raise unknown("Atari game", plain.lower(), known.values())
    return rom


def _settled(source: str, options: dict[str, Value]) -> tuple[dict[str, Value], int]:
    """A user's options, checked: those of the vector environment, and how many frames are heard; 0: none.

    Raises:
        UsageError: one is unknown or wrong.
    """
    settings: dict[str, Value] = call(_settings, f"'{source}'", options)
    for key, least in LEAST.items():
        if int(settings[key]) < least:
            written = "frame_skip" if key == "frameskip" else key
            raise UsageError(f"'{written}' of '{source}' must be at least {least}, not {settings[key]}")
    if not 0 <= float(settings["repeat_action_probability"]) <= 1:
        wrong = settings["repeat_action_probability"]
        raise UsageError(f"'repeat_action_probability' of '{source}' must be 0 to 1, not {wrong}")
    sound, frames, skip = settings.pop("sound"), int(settings.pop("sound_frames")), int(settings["frameskip"])
    if not sound:
        if frames:
            raise UsageError(f"'{source}' is not heard, so that 'sound_frames' says nothing: it goes with sound=true")
        return settings, 0
    least = max(FEWEST, skip)
    if not frames:
        return settings, min(max(least, skip * int(settings["stack_num"])), MOST)
    if not least <= frames <= MOST:
        raise UsageError(
            f"'sound_frames' of '{source}' must be {least} to {MOST} frames of the console, not {frames}: an action "
            f"lasts {skip}, and {FEWEST} are the least that can be told apart"
        )
    return settings, frames


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
    sound: bool = False,
    sound_frames: int = 0,
) -> dict[str, Value]:
    """A user's options under the vector environment's own names, and those of sound."""
    settings: dict[str, Value] = dict(locals())
    settings["frameskip"] = settings.pop("frame_skip")
    return settings


def _make(rom: str, settings: Mapping[str, Any], size: int) -> Any:
    from ale_py.vector_env import AtariVectorEnv

    return AtariVectorEnv(rom, size, **settings)


@cache
def _spaces(rom: str, settings: tuple[tuple[str, Value], ...]) -> tuple[spaces.Space[Any], spaces.Space[Any]]:
    """What is seen and done in a game with such settings. Kept: to make an environment takes a tenth of a second."""
    env = _make(rom, dict(settings), 1)
    return env.single_observation_space, env.single_action_space


class _Frames:
    """A vector environment: every game has its own seed, all are stepped at once."""

    singly = False
    next_step = True

    def __init__(self, env: Any, translator: Translator) -> None:
        self._env = env
        self._translator = translator
        self.lives: Ints = np.zeros(env.num_envs, np.int64)  # that are left

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        if slots is None:
            observation, info = self._env.reset(seed=seeds)
        else:
            mask = np.zeros(self._env.num_envs, bool)
            mask[slots] = True
            observation, info = self._env.reset(seed=seeds, options={"reset_mask": mask})
            observation = observation[slots]
        self.lives = info["lives"]
        return self._translator.see_rows(observation)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        assert slots is None, "all or none"
        observation, rewards, terminated, truncated, info = self._env.step(self._translator.act_rows(actions))
        self.lives = info["lives"]
        return Stepped(self._translator.see_rows(observation), rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None  # the last frame of the observation is the picture

    def close(self) -> None:
        self._env.close()
