"""Turns and choices as bytes: plain arrays of a few types, read with every length checked and nothing executed.

A message is its length (uint32, little-endian, without these four bytes) and a body: the kind's length (uint8) and
name; the text's length (uint32) and UTF-8; the number of arrays (uint8); and for each its name's length (uint8) and
name, its type's letter as in NumPy's `dtype.char`, its number of dimensions (uint8), these (uint32 each), its bytes in
C order, little-endian.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lanista.envs.core import Array, Bools, Choice, Floats, Public, Turn

TYPES = {letter: np.dtype(letter).newbyteorder("<") for letter in "?bBhHiIlLqQefd"}
MOST_DIMENSIONS = 8
LENGTH = struct.Struct("<I")
OBSERVATION = "observation "  # before the names of a turn's modalities
PARTS = ("copies", "players", "games", "plies", "draws", "legal", "clock")


@dataclass(frozen=True)
class Message:
    """What is said: its kind, arrays by name, and a text where that is enough."""

    kind: str
    arrays: Mapping[str, Array] = field(default_factory=dict)
    text: str = ""


def pack(message: Message) -> bytes:
    """The bytes of a message, its length first.

    Raises:
        ValueError: an array is of another type than `TYPES`, or too large.
    """
    kind, text = message.kind.encode(), message.text.encode()
    parts = [bytes([len(kind)]), kind, LENGTH.pack(len(text)), text, bytes([len(message.arrays)])]
    for name, value in message.arrays.items():
        array = np.asarray(value)
        if array.dtype.char not in TYPES or array.ndim > MOST_DIMENSIONS:
            raise ValueError(f"'{name}' is no plain array of numbers, but {array.dtype} with {array.ndim} dimensions")
        called = name.encode()
        head = struct.pack(f"<cB{array.ndim}I", array.dtype.char.encode(), array.ndim, *array.shape)
        parts += [bytes([len(called)]), called, head, array.astype(TYPES[array.dtype.char], copy=False).tobytes()]
    body = b"".join(parts)
    if len(body) >= 2**32:
        raise ValueError(f"a message of {len(body)} bytes is too long")
    return LENGTH.pack(len(body)) + body


def unpack(body: bytes | bytearray) -> Message:
    """Read a message's body.

    Raises:
        ValueError: it is damaged.
    """
    reader = _Reader(memoryview(body))
    try:
        kind = str(reader.take(reader.byte()), "utf-8")
        text = str(reader.take(LENGTH.unpack(reader.take(4))[0]), "utf-8")
        arrays: dict[str, Array] = {}
        for _ in range(reader.byte()):
            name = str(reader.take(reader.byte()), "utf-8")
            kind_of = TYPES[chr(reader.byte())]
            dimensions = reader.byte()
            if dimensions > MOST_DIMENSIONS:
                raise ValueError(f"{dimensions} dimensions")
            shape = struct.unpack(f"<{dimensions}I", reader.take(4 * dimensions))
            content = reader.take(math.prod(shape) * kind_of.itemsize)
            arrays[name] = np.frombuffer(content, kind_of).reshape(shape)
    except (ValueError, KeyError, struct.error) as error:
        raise ValueError(f"a damaged message: {error}") from None
    if reader.at != len(body):
        raise ValueError(f"a message with {len(body) - reader.at} bytes too many")
    return Message(kind, arrays, text)


class _Reader:
    """Takes bytes from a message, and no more than there are."""

    def __init__(self, body: memoryview) -> None:
        self._body = body
        self.at = 0

    def take(self, count: int) -> memoryview:
        if count > len(self._body) - self.at:
            raise ValueError(f"{count} bytes where {len(self._body) - self.at} are left")
        self.at += count
        return self._body[self.at - count : self.at]

    def byte(self) -> int:
        return self.take(1)[0]


def turn_arrays(turn: Turn, memory: Array | None) -> dict[str, Array]:
    """The arrays of a turn, without `public`, and what the agent remembers."""
    arrays = {name: value for name in PARTS if (value := getattr(turn, name)) is not None}
    arrays |= {OBSERVATION + name: value for name, value in turn.observation.items()}
    return arrays if memory is None else arrays | {"memory": memory}


def turn_from(arrays: Mapping[str, Array], public: Public | None) -> tuple[Turn, Array | None]:
    """A turn and what the agent remembers, from `turn_arrays`.

    Raises:
        ValueError: a part is missing, or has another number of rows.
    """
    parts: dict[str, Any] = {name: arrays.get(name) for name in PARTS}
    missing = [name for name in PARTS[:5] if parts[name] is None]
    if missing:
        raise ValueError(f"a turn without '{missing[0]}'")
    for name, value in arrays.items():
        if value.ndim == 0 or len(value) != len(parts["copies"]):
            raise ValueError(f"'{name}' has not as many rows as the turn")
    seen = {name.removeprefix(OBSERVATION): value for name, value in arrays.items() if name.startswith(OBSERVATION)}
    return Turn(**parts, observation=seen, public=public), arrays.get("memory")


def choice_arrays(choice: Choice) -> dict[str, Array]:
    """The arrays of a choice, as `choice_from` reads them."""
    arrays = {"actions": np.asarray(choice.actions)}
    for name in ("policy", "value", "memory", "waiting"):
        value = getattr(choice, name, None)
        if value is not None:
            arrays[name] = np.asarray(value)
    failed = sorted(choice.failed)
    return arrays | {"failed": np.array(failed, np.int64)} if failed else arrays


def choice_from(arrays: Mapping[str, Array], reasons: list[str], turn: Turn) -> Choice:
    """A choice from arrays that somebody else made; what core checks of actions is left to it.

    Args:
        arrays: as from `choice_arrays`.
        reasons: why, for each row that failed.
        turn: what it answers.

    Raises:
        ValueError: a part has a wrong shape or type.
    """
    rows = len(turn)
    if "actions" not in arrays:
        raise ValueError("answered without actions")
    for name in ("actions", "policy", "value", "memory", "waiting"):
        if name in arrays and (arrays[name].ndim == 0 or len(arrays[name]) != rows):
            raise ValueError(f"gave {name} of shape {arrays[name].shape} for {rows} rows")
    policy: Floats | None = None
    if "policy" in arrays and turn.legal is not None:
        policy = np.asarray(arrays["policy"], np.float32)
        if policy.shape != turn.legal.shape:
            raise ValueError(f"gave a policy of shape {policy.shape} for {turn.legal.shape[1]} actions")
    value: Floats | None = None
    if "value" in arrays:
        value = np.asarray(arrays["value"], np.float32)
        if value.ndim != 1:
            raise ValueError(f"gave values of shape {value.shape}, not ({rows},)")
    waiting: Bools | None = None
    if "waiting" in arrays:
        waiting = np.asarray(arrays["waiting"], bool)
    failed = arrays.get("failed", np.zeros(0, np.int64)).ravel().astype(np.int64).tolist()
    if len(failed) != len(reasons) or any(not 0 <= row < rows for row in failed):
        raise ValueError(f"told {len(reasons)} reasons for the failed rows {failed[:5]}")
    memory = arrays.get("memory")
    said = {row: " ".join(reason.split())[:200] for row, reason in zip(failed, reasons, strict=True)}
    return Choice(arrays["actions"], policy, value, memory, said, waiting)
