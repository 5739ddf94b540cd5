"""Atari games that are heard as well as seen: ale_py's emulators one by one, since its vector environment is deaf.

The console's sound chip is emulated at 512 samples a frame, 60 frames a second. What was heard in the last frames is
shown beside the pictures, at the rate at which everything is heard here, 8,000 samples a second: what lies above
4,000 Hz is filtered out. The pictures are those of the vector environment, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, Floats, Ints
from lanista.envs.doors._console import begin, fires
from lanista.envs.doors._pools import Stepped
from lanista.envs.doors._spaces import Shown, Translator

RATE = 8000  # samples a second, of all sounds in Lanista
FRAMES = 60  # of the console, a second
CHUNK = 512  # samples of a frame, as they come from the emulator
SILENCE = 128  # of samples that are bytes
LOUDNESS = 256  # from bytes to 16 bits
UP = RATE // gcd(RATE, FRAMES * CHUNK)
DOWN = FRAMES * CHUNK // gcd(RATE, FRAMES * CHUNK)
FEWEST = 4  # frames of a sound: the least that encoders of sound read
MOST = 600


def heard_space(frames: int) -> spaces.Box:
    """What is heard in so many frames: (samples,) 16-bit integers, 8,000 a second."""
    return spaces.Box(-32768, 32767, (frames * CHUNK * UP // DOWN,), np.int16)


class SoundingConsoles:
    """A pool of single emulators; see `_pools.Pool`. It shows `observation`, as the vector environment, and `sound`.

    Attributes:
        lives: (size,) that are left.
    """

    singly = True
    next_step = False

    def __init__(
        self, emulators: Sequence[Any], rom: Path, settings: Mapping[str, Any], frames: int, translator: Translator
    ) -> None:
        """Use emulators with a game in each, whose sound is on and that repeat nothing by chance.

        Args:
            emulators: `ALEInterface`s.
            rom: the game's cartridge.
            settings: of the vector environment, by its own names.
            frames: so many are heard, the last ones.
            translator: of the pictures and sounds, and of the game's actions.
        """
        self._emulators, self._rom, self._settings, self._translator = list(emulators), rom, settings, translator
        size, first = len(self._emulators), self._emulators[0]
        whole = settings["full_action_space"] or settings["continuous"]
        actions = first.getLegalActionSet() if whole else first.getMinimalActionSet()
        self._actions: list[int] = [each.value for each in actions]
        self._fires = bool(settings["use_fire_reset"]) and fires(first)
        self._grey = bool(settings["grayscale"])
        picture = tuple(first.getScreenDims()) + (() if self._grey else (3,))
        shown = (int(settings["img_height"]), int(settings["img_width"]))
        self._smaller = None if shown == picture[:2] else tuple(map(area_weights, picture[:2], shown))
        self._last: Array = np.zeros((size, 2, *picture), np.uint8)  # the last two frames of each
        self._stack: Array = np.zeros((size, int(settings["stack_num"]), *shown, *picture[2:]), np.uint8)
        self._heard: Array = np.full((size, frames, CHUNK), SILENCE, np.uint8)
        self._chance = [np.random.default_rng(0) for _ in range(size)]
        self._played = [False] * size  # a game, so that its sound chip is not as it was
        self._before = [0] * size  # the action of the frame before, by the console's own numbers
        self.lives: Ints = np.zeros(size, np.int64)

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        which = self._which(slots)
        for slot, seed in zip(which.tolist(), seeds.tolist(), strict=True):
            emulator = self._emulators[slot]
            if self._played[slot] and (exact or slots is None):
                emulator.loadROM(self._rom)  # 90 ms; a reset, of 5 ms, leaves the phase of the sound
            self._played[slot] = True
            self._chance[slot] = np.random.default_rng(seed)
            begin(emulator, self._chance[slot], int(self._settings["noop_max"]), self._fires)
            self._before[slot], self.lives[slot] = 0, emulator.lives()
            self._look(slot, 0)
            self._last[slot, 1] = self._last[slot, 0]
            self._heard[slot] = SILENCE
        self._stack[which] = 0
        self._stack[which, -1] = self._seen(which)
        return self._shown(which)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        which = self._which(slots)
        rewards: Floats = np.zeros(len(which), np.float32)
        terminated: Bools = np.zeros(len(which), bool)
        truncated: Bools = np.zeros(len(which), bool)
        moves = self._moves(self._translator.act_rows(actions))
        for row, (slot, move) in enumerate(zip(which.tolist(), moves, strict=True)):
            rewards[row], terminated[row], truncated[row] = self._play(slot, *move)
        if self._settings["reward_clipping"]:
            rewards = np.clip(rewards, -1, 1)
        self._stack[which, :-1] = self._stack[which, 1:]
        self._stack[which, -1] = self._seen(which)
        return Stepped(self._shown(which), rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None  # the last frame of the observation is the picture

    def heard(self, slot: int) -> Array:
        """The sound of the last frame, as the emulator gives it: (512,) uint8, of which 128 is silence."""
        chunk: Array = self._heard[slot, -1]
        return chunk

    def close(self) -> None:
        """The emulators end with this object."""

    def _which(self, slots: Ints | None) -> Ints:
        return np.arange(len(self._emulators)) if slots is None else slots

    def _moves(self, own: Array) -> Iterable[tuple[int, float]]:
        """Each row's action by the console's own numbers, and how far its paddle is turned."""
        if not self._settings["continuous"]:
            return [(self._actions[action], 1.0) for action in own.tolist()]
        from ale_py.env import AtariEnv

        radius, angle, fire = own.T
        across, up = (radius * part for part in (np.cos(angle), np.sin(angle)))
        signs = ((across > 0.5) * 1 - (across < -0.5) * 1, (up > 0.5) * 1 - (up < -0.5) * 1, fire > 0.5)
        ways = zip(*(sign.tolist() for sign in signs), strict=True)
        return [(AtariEnv.map_action_idx(*way).value, float(far)) for way, far in zip(ways, radius, strict=True)]

    def _play(self, slot: int, action: int, strength: float) -> tuple[float, bool, bool]:
        """Some frames of one console: what was gained, whether the game is over, and whether it was cut off."""
        emulator, skip = self._emulators[slot], int(self._settings["frameskip"])
        sticky = float(self._settings["repeat_action_probability"])
        chunks, gained = [], 0.0
        for frame in range(skip):
            # As the emulator does it, but by the game's own chance: it would read its cartridge anew to be seeded.
            if not sticky or self._chance[slot].random() >= sticky:
                self._before[slot] = action
            gained += emulator.act(self._before[slot], strength)
            chunks.append(emulator.getAudio())
            if frame >= skip - 2:
                self._last[slot, 0] = self._last[slot, 1]
                self._look(slot, 1)
            if emulator.game_over(with_truncation=False):
                break
        new = chunks[-self._heard.shape[1] :]
        self._heard[slot] = np.concatenate([self._heard[slot, len(new) :], new])
        before, self.lives[slot] = int(self.lives[slot]), emulator.lives()
        over = emulator.game_over(with_truncation=False)
        if self._settings["episodic_life"]:
            over = over or self.lives[slot] < before
        longest = int(self._settings["max_num_frames_per_episode"])
        return gained, over, not over and emulator.getEpisodeFrameNumber() >= longest

    def _look(self, slot: int, place: int) -> None:
        """Note a frame."""
        if self._grey:
            self._emulators[slot].getScreenGrayscale(self._last[slot, place])
        else:
            self._emulators[slot].getScreenRGB(self._last[slot, place])

    def _seen(self, which: Ints) -> Array:
        """What is shown of the last frames of these consoles, (m, height, width) or (m, height, width, 3)."""
        last = self._last[which]
        # The vector environment takes the brighter of two frames where an action lasts two or more.
        pooled = self._settings["maxpool"] and int(self._settings["frameskip"]) > 1
        whole: Array = last.max(axis=1) if pooled else last[:, 1]
        if self._smaller is None:
            return whole
        rows, columns = self._smaller
        planes = whole[:, None] if self._grey else whole.transpose(0, 3, 1, 2)
        small = np.rint(rows @ planes.astype(np.float32) @ columns.T).astype(np.uint8)
        shown: Array = small[:, 0] if self._grey else small.transpose(0, 2, 3, 1)
        return shown

    def _shown(self, which: Ints) -> Shown:
        sounds = resampled(self._heard[which].reshape(len(which), -1))
        return self._translator.see_rows({"observation": self._stack[which], "sound": sounds})


def resampled(samples: Array) -> Array:
    """Sounds as the emulator gives them at 8,000 samples a second.

    Args:
        samples: (n, frames * 512) uint8, of which 128 is silence.

    Returns:
        (n, samples) int16.
    """
    from scipy.signal import resample_poly

    shown: Array = np.zeros((len(samples), samples.shape[1] * UP // DOWN), np.int16)
    heard = (samples != SILENCE).any(axis=1)  # most of the time nothing is
    if heard.any():
        waves = (samples[heard].astype(np.float32) - SILENCE) * LOUDNESS
        smooth = resample_poly(waves, UP, DOWN, axis=1)[:, : shown.shape[1]]
        shown[heard] = np.clip(np.rint(smooth), -32768, 32767)
    return shown


def area_weights(size: int, wanted: int) -> Array:
    """(wanted, size) float32: what each of `wanted` equal parts of a line has of each of its `size` pixels."""
    edges = np.arange(wanted + 1) * (size / wanted)
    left, right = edges[:-1, None], edges[1:, None]
    pixels = np.arange(size)
    shares = np.clip(np.minimum(right, pixels + 1) - np.maximum(left, pixels), 0, None)
    weights: Array = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return weights
