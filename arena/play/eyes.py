"""The eye of the page: a picture of a board -> the position on it, and a position that somebody corrected -> its text.

The picture is decoded in a process of its own with little memory and time; the pretrained recogniser reads it, and
where it is unsure, as on a screenshot of a whole page, it looks at parts of the picture.
"""

from __future__ import annotations

import itertools
import math
import re
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.arena.play import picture_decoding
from lanista.envs.catalogue import native_rules
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.perception.heads.cells import Seen
    from lanista.perception.recogniser import Recogniser

RECOGNISER = "boards"
GAMES = {(6, 7): "connect_four", (3, 3): "tictactoe"}  # by rows and columns
SIDES = {"connect_four": ("Red", "Yellow"), "tictactoe": ("X", "O")}
SURE = 0.9  # a cell whose content has less is marked as unsure
CERTAIN = 0.999  # of every cell, so that no parts of the picture are looked at
CLEAR = 0.97  # of every cell, where a part of the picture is taken for the board
WIDTHS, HEIGHTS, OFFSETS = (1.0, 0.85, 0.7, 0.55), (1.0, 0.85, 0.7, 0.55, 0.42), 4  # of parts, as shares of the picture
LEAST_PIXELS = 24  # of a part's sides
SECONDS = 20.0  # to decode a picture, on a machine that does much else


@dataclass(frozen=True)
class Reading:
    """What is on a picture.

    Attributes:
        game: its id.
        cells: row by row from the top, 0 empty, 1 of the side that usually begins (red, X), 2 of the other.
        chances: the probability of each cell's content.
    """

    game: str
    cells: tuple[int, ...]
    chances: tuple[float, ...]

    def plain(self) -> dict[str, Any]:
        """For a browser."""
        return {"game": self.game, "cells": self.cells, "chances": [round(chance, 3) for chance in self.chances]}


class Eye:
    """Reads pictures; the recogniser is loaded when it is first needed. Safe in threads: one picture at a time."""

    def __init__(self, recogniser: str = RECOGNISER) -> None:
        self._name = recogniser
        self._lock = threading.Lock()
        self._model: Recogniser | None = None

    def read(self, packed: bytes) -> Reading:
        """The position on a picture file's bytes.

        Raises:
            UsageError: it is no picture, or the recogniser is not here.
        """
        import torch

        from lanista.perception.heads.cells import Cells
        from lanista.perception.pretrained import load_recogniser

        picture = decoded(packed)
        with self._lock, torch.inference_mode():
            if self._model is None:
                self._model = load_recogniser(self._name)
            model = self._model
            reader, head = model.encoder.input, model.head
            if reader is None or not isinstance(head, Cells):
                raise UsageError(f"the encoder '{self._name}' reads no boards")

            def readings(parts: list[np.ndarray]) -> list[Reading]:
                return [reading_of(seen) for seen in head.seen(model.encode(torch.from_numpy(reader.fit(parts))))]

            (whole,) = readings([picture])
            if min(whole.chances) >= CERTAIN:
                return whole
            found = [each for each in readings(windows(picture)) if any(each.cells) and min(each.chances) >= CLEAR]
        return max([whole, *found], key=lambda each: sum(map(math.log, each.chances)))


def reading_of(seen: Seen) -> Reading:
    """The likeliest content of each cell."""
    chances = seen.chance * seen.cells.max(1)
    return Reading(GAMES[seen.board], tuple(seen.cells.argmax(1).tolist()), tuple(chances.tolist()))


def windows(picture: np.ndarray) -> list[np.ndarray]:
    """Parts of a picture (h, w, 3), where a board may fill a part only, as on a screenshot of a whole page."""
    high, wide = picture.shape[:2]
    parts = []
    for width, height in itertools.product(WIDTHS, HEIGHTS):
        for left in np.linspace(0, 1 - width, OFFSETS if width < 1 else 1):
            for top in np.linspace(0, 1 - height, OFFSETS if height < 1 else 1):
                rows = slice(round(top * high), round((top + height) * high))
                parts.append(picture[rows, round(left * wide) : round((left + width) * wide)])
    return [part for part in parts if min(part.shape[:2]) >= LEAST_PIXELS]


def decoded(packed: bytes) -> np.ndarray:
    """A picture file's bytes -> (h, w, 3) bytes, by a process of its own.

    Raises:
        UsageError: it is no picture, too large, or takes too long.
    """
    program = [sys.executable, "-I", str(Path(picture_decoding.__file__))]
    try:
        done = subprocess.run(program, input=packed, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        raise UsageError("this picture takes too long to be read") from None
    if done.returncode:
        lines = done.stderr.decode(errors="replace").strip().splitlines()
        plain = len(lines) == 1 and done.returncode == 1
        raise UsageError(f"this picture cannot be read: {lines[0][:200] if plain else 'it asks for too much'}")
    wide, high = struct.unpack(">II", done.stdout[:8])
    return np.frombuffer(done.stdout[8:], np.uint8).reshape(high, wide, 3)


def to_move(cells: Sequence[int], wanted: int = 0) -> int:
    """The side (1 or 2) that is to move by the counts: the one with fewer; where they are equal, the wanted, else 1."""
    first, second = cells.count(1), cells.count(2)
    if first == second:
        return wanted or 1
    return 2 if first > second else 1


def notation(game: str, cells: Sequence[int], mover: int) -> tuple[str, bool]:
    """A position as the game writes it, and whether the sides have changed their colours for it.

    The rules know only who began: where the other side than usual did, the two are exchanged.

    Args:
        game: of `SIDES`.
        cells: as in `Reading.cells`.
        mover: the side to move, 1 or 2.

    Raises:
        UsageError: no game comes to this position and goes on; the sentence says why.
    """
    columns = next(size[1] for size, name in GAMES.items() if name == game)
    first, second = SIDES[game]
    counts = cells.count(1), cells.count(2)
    if abs(counts[0] - counts[1]) > 1:
        raise UsageError(f"{counts[0]} {first} and {counts[1]} {second} cannot be: the sides move in turn")
    if mover != to_move(cells, mover):
        named = SIDES[game][mover - 1]
        raise UsageError(f"with {counts[0]} {first} and {counts[1]} {second} it is not {named} who moves")
    began = mover if counts[0] == counts[1] else 3 - mover
    signs = ".xo" if began == 1 else ".ox"
    rows = ["".join(signs[cell] for cell in cells[at : at + columns]) for at in range(0, len(cells), columns)]
    text = "/".join(re.sub(r"\.+", lambda empty: str(len(empty[0])), row) for row in rows)
    text += " x" if mover == began else " o"
    rules = native_rules(game)
    assert rules.parse_position is not None
    try:
        rules.parse_position(text)
    except ValueError as error:
        raise UsageError(str(error)) from None
    return text, began == 2
