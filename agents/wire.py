"""Turns and choices as bytes: plain arrays of a few types, read with every length checked and nothing executed.

A message is its length (uint32, without these four bytes) and a body: the number of the question that it belongs to,
the length of its layout and that of its text (uint32 each); the layout; the text in UTF-8; and the bytes of the arrays
in C order, one after the other. All numbers are little-endian. The text and each array begin at a multiple of 8 bytes,
counted from the message's length on, so that arrays are aligned where the message is; the bytes between are zeros.

The layout is the kind's length (uint8) and name; the number of arrays (uint8); and for each its name's length (uint8)
and name, its type's letter as in NumPy's `dtype.char`, its number of dimensions (uint8), these (uint32 each). It is the
same from move to move, and therefore is written and read only once.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from lanista.envs.core import Array, Choice, Floats, Public, Turn

TYPES = {letter: np.dtype(letter).newbyteorder("<") for letter in "?bBhHiIlLqQefd"}
MOST_DIMENSIONS = 8
LENGTH = struct.Struct("<I")
BEGINNING = struct.Struct("<IIII")  # the message's length, the question, the layout's length, the text's
BODY = struct.Struct("<III")  # the same without the length
ALIGNED = 8
FILLING = [bytes(-size % ALIGNED) for size in range(ALIGNED)]  # after so many bytes more than a multiple of 8
MOST_LAYOUT = 1 << 13  # bytes; layouts are kept
OBSERVATION = "observation "  # before the names of a turn's modalities
PARTS = ("copies", "players", "games", "plies", "draws", "legal", "clock")
ROWS = frozenset({"actions", "policy", "value", "memory", "waiting"})  # parts of a choice with a row for each of a turn


Described = tuple[str, "np.dtype[Any]", int, tuple[int, ...], int]  # name, type, size, shape, place


class Message(NamedTuple):
    """What is said: its kind, arrays by name, a text where that is enough, and the question that it belongs to."""

    kind: str
    arrays: Mapping[str, Array] = MappingProxyType({})
    text: str = ""
    question: int = 0


def pack(message: Message) -> bytes:
    """The bytes of a message, its length first.

    Raises:
        ValueError: an array is of another type than `TYPES`, or too large.
    """
    described: list[tuple[str, str, tuple[int, ...]]] = []
    contents: list[bytes] = []
    for name, value in message.arrays.items():
        array = np.asarray(value)
        letter = array.dtype.char
        kind_of = TYPES.get(letter)
        if kind_of is None or array.ndim > MOST_DIMENSIONS:
            raise ValueError(f"'{name}' is no plain array of numbers, but {array.dtype} with {array.ndim} dimensions")
        if array.dtype != kind_of:
            array = array.astype(kind_of)  # of the other order of bytes
        described.append((name, letter, array.shape))
        content = array.tobytes()
        contents += (content, FILLING[len(content) % ALIGNED])
    layout, text = _written_layout(message.kind, tuple(described)), message.text.encode()
    content = b"".join((layout, text, FILLING[len(text) % ALIGNED], *contents))
    length = len(content) + BEGINNING.size - LENGTH.size
    if length >= 2**32:
        raise ValueError(f"a message of {length} bytes is too long")
    return BEGINNING.pack(length, message.question, len(layout), len(text)) + content


@lru_cache(maxsize=256)
def _written_layout(kind: str, arrays: tuple[tuple[str, str, tuple[int, ...]], ...]) -> bytes:
    """The layout of a message, filled up to a multiple of 8 bytes.

    Args:
        kind: of the message.
        arrays: the name, the type's letter and the shape of each.

    Raises:
        ValueError: it is too long.
    """
    parts = [bytes([len(kind.encode())]), kind.encode(), bytes([len(arrays)])]
    for name, letter, shape in arrays:
        called = name.encode()
        parts += [bytes([len(called)]), called, struct.pack(f"<cB{len(shape)}I", letter.encode(), len(shape), *shape)]
    layout = b"".join(parts)
    if len(layout) > MOST_LAYOUT - ALIGNED:
        raise ValueError(f"the names and shapes of {len(arrays)} arrays are too long for a message")
    return layout + FILLING[len(layout) % ALIGNED]


def unpack(body: bytes | bytearray | memoryview) -> Message:
    """Read a message's body.

    Raises:
        ValueError: it is damaged.
    """
    try:
        question, layout_length, text_length = BODY.unpack_from(body)
        begin = BODY.size
        if layout_length > MOST_LAYOUT:
            raise ValueError(f"a layout of {layout_length} bytes")
        kind, described, filled = _read_layout(bytes(body[begin : begin + layout_length]))
        begin += layout_length
        content = begin + text_length + -text_length % ALIGNED
        if content + filled != len(body):
            raise ValueError(f"{len(body)} bytes where {content + filled} should be")
        arrays = {
            name: np.frombuffer(body, kind_of, size, content + place).reshape(shape)
            for name, kind_of, size, shape, place in described
        }
        text = str(body[begin : begin + text_length], "utf-8") if text_length else ""
    except (ValueError, KeyError, struct.error) as error:
        raise ValueError(f"a damaged message: {error}") from None
    return Message(kind, arrays, text, question)


@lru_cache(maxsize=256)
def _read_layout(layout: bytes) -> tuple[str, tuple[Described, ...], int]:
    """What a layout tells: the kind; of each array the name, type, size, shape and place; the bytes of all arrays.

    Raises:
        ValueError, KeyError, struct.error: it is damaged.
    """
    reader = _Reader(memoryview(layout))
    kind = str(reader.take(reader.byte()), "utf-8")
    arrays: dict[str, Described] = {}
    place = 0
    for _ in range(reader.byte()):
        name = str(reader.take(reader.byte()), "utf-8")
        kind_of = TYPES[chr(reader.byte())]
        dimensions = reader.byte()
        if dimensions > MOST_DIMENSIONS:
            raise ValueError(f"{dimensions} dimensions")
        shape = struct.unpack(f"<{dimensions}I", reader.take(4 * dimensions))
        if name in arrays:
            raise ValueError("two arrays of one name")
        size = math.prod(shape)
        arrays[name] = (name, kind_of, size, shape, place)
        place += size * kind_of.itemsize
        place += -place % ALIGNED
    if len(layout) - reader.at >= ALIGNED:
        raise ValueError(f"a layout with {len(layout) - reader.at} bytes too many")
    return kind, tuple(arrays.values()), place


class _Reader:
    """Takes bytes from a layout, and no more than there are."""

    def __init__(self, layout: memoryview) -> None:
        self._layout = layout
        self.at = 0

    def take(self, count: int) -> memoryview:
        if count > len(self._layout) - self.at:
            raise ValueError(f"{count} bytes where {len(self._layout) - self.at} are left")
        self.at += count
        return self._layout[self.at - count : self.at]

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
    for name, part in arrays.items():
        if name in ROWS and (part.ndim == 0 or len(part) != rows):
            raise ValueError(f"gave {name} of shape {part.shape} for {rows} rows")
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
    if "waiting" in arrays and np.asarray(arrays["waiting"], bool).any():
        raise ValueError("left a row unanswered")  # whoever asks over a wire waits for the answer, and not for ever
    return Choice(arrays["actions"], policy, value, arrays.get("memory"), _said(arrays, reasons, rows))


def _said(arrays: Mapping[str, Array], reasons: list[str], rows: int) -> dict[int, str]:
    """Why each row failed.

    Raises:
        ValueError: the reasons are not those of the rows.
    """
    if not reasons and "failed" not in arrays:
        return {}
    failed = arrays.get("failed", np.zeros(0, np.int64)).ravel().astype(np.int64).tolist()
    if len(failed) != len(reasons) or any(not 0 <= row < rows for row in failed):
        raise ValueError(f"told {len(reasons)} reasons for the failed rows {failed[:5]}")
    return {row: " ".join(reason.split())[:200] for row, reason in zip(failed, reasons, strict=True)}
