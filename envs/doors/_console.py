"""One Atari 2600, played frame by frame: ale_py's emulator itself, without the threads of its vector environment.

Those are for throughput. Who plays at 60 frames a second waits less without them: 0.2 ms of CPU a frame instead of 0.5,
and no other thread that must get a core in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from lanista.envs.core import Array, Ints
from lanista.envs.doors._pools import Stepped
from lanista.envs.doors._spaces import Shown, Translator

NOOP, FIRE = 0, 1  # actions of the console, by its own numbers


def fires(emulator: Any) -> bool:
    """Whether the game in an emulator has a button."""
    return FIRE in [each.value for each in emulator.getMinimalActionSet()]


def begin(emulator: Any, chance: np.random.Generator, noops: int, fire: bool) -> None:
    """Begin a game in an emulator, as the vector environment does.

    Args:
        emulator: an `ALEInterface`.
        chance: draws how many frames pass before it, which makes one game differ from the next.
        noops: fewer than this many, that of the button counted.
        fire: press the button first: many games wait for it.
    """
    emulator.reset_game()
    if fire:
        emulator.act(FIRE)
    for _ in range(int(chance.integers(max(noops, 1))) - fire):
        emulator.act(NOOP)
        if emulator.game_over():
            emulator.reset_game()


class Console:
    """A pool of one copy; see `_pools.Pool`. It shows every frame, in colours, at the console's own size."""

    singly = True
    next_step = False

    def __init__(self, emulator: Any, settings: Mapping[str, Any], translator: Translator) -> None:
        """Use an emulator with a game in it.

        Args:
            emulator: an `ALEInterface`.
            settings: of the vector environment, by its own names; what is of pictures and frames is not read.
            translator: of (1, height, width, 3) pictures, and of the game's actions.
        """
        self._emulator, self._translator = emulator, translator
        self._fires = bool(settings["use_fire_reset"]) and fires(emulator)
        self._noops = int(settings["noop_max"])
        self._longest = int(settings["max_num_frames_per_episode"])
        self._one_life = bool(settings["episodic_life"])
        whole = settings["full_action_space"]
        self._actions = emulator.getLegalActionSet() if whole else emulator.getMinimalActionSet()
        self.lives: Ints = np.zeros(1, np.int64)  # that are left
        self._picture: Array = emulator.getScreenRGB()  # the last frame
        self._sound: Array = emulator.getAudio()  # of it, if the emulator's sound is on

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        begin(self._emulator, np.random.default_rng(int(seeds[0])), self._noops, self._fires)
        self.lives[0] = self._emulator.lives()
        return self._shown()

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        own = self._translator.act_rows(actions)
        gained = self._emulator.act(self._actions[int(own[0])])
        before, self.lives[0] = int(self.lives[0]), self._emulator.lives()
        over = self._emulator.game_over(with_truncation=False) or (self._one_life and self.lives[0] < before)
        cut = not over and self._emulator.getEpisodeFrameNumber() >= self._longest
        return Stepped(self._shown(), np.array([gained], np.float32), np.array([over]), np.array([cut]))

    def frame(self, slot: int) -> Array:
        return self._picture

    def heard(self, slot: int) -> Array:
        """The sound of the last frame, as the emulator gives it: (512,) uint8, of which 128 is silence."""
        return self._sound

    def close(self) -> None:
        """The emulator ends with this object."""

    def _shown(self) -> Shown:
        self._picture, self._sound = self._emulator.getScreenRGB(), self._emulator.getAudio()
        return self._translator.see_rows(self._picture[None, None])
