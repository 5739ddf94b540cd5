"""Moves of a game, and what they took, as a store keeps them."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

_write = json.JSONEncoder(separators=(",", ":")).encode  # made once


def encoded(moves: Any) -> bytes | str:
    """Moves, a sequence of actions, as a store keeps them.

    Returns:
        Bytes: each action an int16, little-endian; or, where actions are no such numbers, JSON: a list of actions.
    """
    try:
        return struct.pack(f"<{len(moves)}h", *moves)
    except struct.error:  # several numbers, fractions, or too great
        return _write(moves)


def decoded(moves: bytes | str) -> tuple[Any, ...]:
    """The moves of a game.

    Raises:
        ValueError: these are none.
    """
    if isinstance(moves, bytes):
        return tuple(np.frombuffer(moves, "<i2").tolist())
    value = json.loads(moves)
    if not isinstance(value, list):
        raise ValueError(f"no list: {moves[:50]}")
    return tuple(value)


def plies(moves: bytes | str) -> int:
    """How many moves there are."""
    return len(moves) // 2 if isinstance(moves, bytes) else len(decoded(moves))


def timed(seconds: Sequence[float]) -> bytes:
    """What each move of a game took, as a store keeps it: float32, little-endian."""
    return np.asarray(seconds, "<f4").tobytes()


def untimed(seconds: bytes) -> tuple[float, ...]:
    """The seconds that `timed` wrote, rounded to the tenth of a millisecond."""
    found: list[float] = np.frombuffer(seconds, "<f4").astype(np.float64).round(4).tolist()
    return tuple(found)
