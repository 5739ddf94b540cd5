"""Missions said aloud by many synthetic voices, made once and kept."""

from __future__ import annotations

import logging
from functools import lru_cache

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array
from lanista.errors import UsageError

PARTS = ("train", "valid", "test")
LEAST, MOST = 0.5, 30.0  # seconds of a sound
LOUDNESS = (0.2, 1.0)  # of a sound, to that of the loudest
NOISY, NOISE = 0.6, (8.0, 35.0)  # share of the sounds; signal to noise, in dB
KEPT = 512  # missions whose sounds are kept in memory
log = logging.getLogger(__name__)


class Speakers:
    """Some voices of a part, and what they say."""

    def __init__(self, part: str, most: int, seconds: float) -> None:
        """Choose voices.

        Args:
            part: of `perception.data`'s voices; no two parts share one.
            most: so many of them, evenly over the part.
            seconds: of each sound.

        Raises:
            UsageError: a number cannot be, or a synthesiser is not on this machine.
        """
        from lanista.perception.data._cast import RATE, Part, cast  # with speech alone: it brings soxr and more
        from lanista.perception.inputs.sound import SoundInput

        if most < 1 or not LEAST <= seconds <= MOST:
            raise UsageError(f"a spoken mission needs 1 or more 'speakers' and {LEAST:g} to {MOST:g} 'seconds'")
        name: Part = part  # type: ignore[assignment]
        voices = cast(name)
        self._voices = voices[:: max(1, -(-len(voices) // most))]
        self._input = SoundInput(RATE, round(seconds * RATE))
        self._warned = False
        self._sounds = lru_cache(maxsize=KEPT)(self._made)

    @property
    def space(self) -> spaces.Box:
        """(samples,) 16-bit integers, 8,000 a second."""
        space: spaces.Box = self._input.space
        return space

    def say(self, words: str, chance: np.random.Generator, noise: bool) -> Array:
        """Words said by one of the voices: (samples,) int16.

        Args:
            words: what.
            chance: chooses the voice, the loudness and the noise.
            noise: whether there are these two.
        """
        sounds = self._sounds(words)
        sound: Array = sounds[int(chance.integers(len(sounds)))]
        if not noise:
            return sound
        wave = sound.astype(np.float32) * np.float32(chance.uniform(*LOUDNESS))
        if chance.random() < NOISY:
            power = float(np.mean(np.square(wave)))
            ratio = 10 ** (chance.uniform(*NOISE) / 10)
            wave += chance.standard_normal(len(wave), np.float32) * np.float32((power / ratio) ** 0.5)
        mixed: Array = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
        return mixed

    def _made(self, words: str) -> Array:
        """Words by all voices: (voices, samples)."""
        from lanista.perception.data._cast import said

        waves = said("missions", self._voices, [[words]] * len(self._voices)).inputs
        longest = max(len(wave) for wave in waves)
        if longest > self._input.samples and not self._warned:
            self._warned = True
            log.warning(
                "'%s' takes up to %.1f seconds to say, and is cut; give the game more 'seconds'",
                words[:60], longest / self._input.rate,
            )  # fmt: skip
        sounds: Array = self._input.fit(waves)
        return sounds
