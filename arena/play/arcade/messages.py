"""What goes between a browser, the server and the process of a game that is played in real time.

From the browser come a few bytes, and nothing else is taken: `KEYS, seat, mask (2 bytes)`; `SEEN, number (4 bytes)`,
the last frame that was drawn; `ORDER, which, value`. To it go frames, sounds and heat in binary, and `State` as JSON.
What an agent is told to do comes by the page's own server: `SAY`, see `instruction`; what it is told and thinks of goes
back as JSON with a `note`. Between server and process each message has its length before it. All numbers have their
least byte first.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np

from lanista.envs.core import Array
from lanista.envs.instructed import Instruction, Sound

KEYS, SEEN, ORDER = 1, 2, 3  # the first byte of what a browser sends
SAY = 4  # the same, of what the server itself sends
LENGTHS = {KEYS: 4, SEEN: 5, ORDER: 3}
# The second byte of an order; the last is the server's own: another browser looks.
PAUSE, RESTART, SPEED, LOOKS, SOUND, STEP, AGAIN, ATTACH = 1, 2, 3, 4, 5, 6, 7, 8
SPEEDS = (25, 50, 100, 200)  # percent
MOST_SEATS = 16
FRAME, HEAT, HEARD = 1, 2, 3  # the first byte of what a browser is sent
HEAD = struct.Struct("<BBhIfff")  # kind, 0, lives, number, frames a second, the first two scores
SOUND_HEAD = struct.Struct("<BBhI")  # kind, 0, 0, number
BETWEEN = struct.Struct("<IB")  # length and kind of a message between server and process
WAVE = 120  # bars of a sound that is shown
MOST_BYTES = 1 << 24  # of a message between them
BINARY, TEXT, ALIVE, NOTE = 0, 1, 2, 3
SPOKEN = struct.Struct("<BII")  # of `SAY`: samples a second, 0 without a sound; bytes of the words
OWN = 2**32 - 1  # instead of their number: the game's own mission
Stage = Literal["loading", "ready", "playing", "paused", "over", "ended"]


@dataclass(frozen=True)
class State:
    """How a game stands.

    Attributes:
        stage: `ready` waits for a first key; `over` is the end of one game; `ended` is the end of its process.
        words: what is to be said of it.
        looks: whether an agent plays whose network shows where it looks.
        heat: whether that is shown.
        sounds: whether the game can be heard.
        sound: whether it is.
        speed: times the usual one, in percent.
        hears: the player hears what it is told to do.
    """

    stage: Stage
    words: str = ""
    looks: bool = False
    heat: bool = False
    sounds: bool = False
    sound: bool = False
    speed: int = 100
    hears: bool = False

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def from_browser(data: object) -> bytes | None:
    """A message of a browser, if it is one that a page sends; else None."""
    if not isinstance(data, bytes) or not data or len(data) != LENGTHS.get(data[0]):
        return None
    if data[0] == KEYS and data[1] >= MOST_SEATS:
        return None
    if data[0] == ORDER:
        one, two = range(1), range(2)
        allowed = {PAUSE: two, RESTART: one, SPEED: SPEEDS, LOOKS: two, SOUND: two, STEP: one, AGAIN: one}
        if data[2] not in allowed.get(data[1], ()):
            return None
    return data


def frame(number: int, lives: int, fps: float, score: list[float], png: bytes) -> bytes:
    """A frame for the browser.

    Args:
        number: of the frame, rising; what was seen is told by it.
        lives: that are left, or -1.
        fps: frames of the game in the last second.
        score: of each player; two are shown.
        png: the picture; empty where it is the one before.
    """
    first, second = [*score, 0.0][:2]
    return HEAD.pack(FRAME, 0, lives, number & 0xFFFFFFFF, fps, first, second) + png


def heard(number: int, samples: Array) -> bytes:
    """The sound of a frame for the browser.

    Args:
        number: of the frame.
        samples: (n,) uint8, of which 128 is silence.
    """
    return SOUND_HEAD.pack(HEARD, 0, 0, number & 0xFFFFFFFF) + samples.tobytes()


def heat(values: Array) -> bytes:
    """Where an agent looks, for the browser.

    Args:
        values: (height, width) in [0, 1]; more than 255 rows or columns are thinned out.
    """
    step = 1 + (max(values.shape) - 1) // 255
    small = values[::step, ::step]
    return bytes((HEAT, *small.shape)) + np.round(small * 255).astype(np.uint8).tobytes()


def instruction(words: str | None, sound: Sound | None) -> bytes:
    """What a player is to be told, for the process.

    Args:
        words: of it; None: the game's own mission again.
        sound: (samples,) int16; None if nobody said it.
    """
    text = b"" if words is None else words.encode()
    rate, wave = (0, b"") if sound is None else (sound.rate, sound.wave.astype("<i2").tobytes())
    return SPOKEN.pack(SAY, rate, OWN if words is None else len(text)) + text + wave


def instructed(body: bytes) -> tuple[str | None, Sound | None]:
    """What `instruction` wrote."""
    _, rate, size = SPOKEN.unpack_from(body)
    words = None if size == OWN else body[SPOKEN.size : SPOKEN.size + size].decode()
    wave = np.frombuffer(body[SPOKEN.size + (0 if words is None else size) :], "<i2")
    return words, Sound(wave, rate) if rate else None


def told(given: Instruction, wrong: str = "") -> bytes:
    """A note on what the player is told.

    Args:
        given: that.
        wrong: what was wrong with what it should have been told instead.
    """
    wave: list[int] = []
    if given.heard is not None and len(given.heard):
        parts = np.array_split(np.abs(given.heard.astype(np.int32)), min(WAVE, len(given.heard)))
        wave = [int(part.max()) * 100 // 32768 for part in parts]
    about = {
        "note": "given", "text": given.words, "own": given.own, "judged": given.judged, "unknown": given.unknown,
        "remarks": given.remarks, "wave": wave, "wrong": wrong,
        "seconds": len(given.heard) / given.rate if given.heard is not None and given.rate else 0,
    }  # fmt: skip
    return json.dumps(about).encode()


def taken(heard: bytearray) -> Iterator[tuple[int, bytes]]:
    """The messages between server and process that have come whole, as (kind, body); they are taken away.

    Raises:
        ValueError: one is longer than can be.
    """
    while len(heard) >= BETWEEN.size:
        length, kind = BETWEEN.unpack_from(heard)
        if length > MOST_BYTES:
            raise ValueError(f"a message of {length} bytes")
        if len(heard) < BETWEEN.size + length:
            return
        body = bytes(heard[BETWEEN.size : BETWEEN.size + length])
        del heard[: BETWEEN.size + length]
        yield kind, body


def packed(kind: int, body: bytes = b"") -> bytes:
    """A message between server and process."""
    return BETWEEN.pack(len(body), kind) + body
