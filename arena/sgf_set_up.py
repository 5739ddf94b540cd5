"""Positions that a game in the Smart Game Format puts up before its first move: handicaps, problems, studies.

The properties AB, AW and AE of the first node, lists of points in which `aa:cc` is a rectangle, and PL, who is to move.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from lanista.envs.core import Ints
from lanista.envs.stone_positions import print_stones
from lanista.errors import UsageError

SET_UP = {"AB": 1, "AW": 2, "AE": 0}  # property -> what stands on its points: as in `print_stones`
LETTERS = "abcdefghijklmnopqrstuvwxyz"
USUAL = {"othello": {27: 2, 28: 1, 35: 1, 36: 2}}  # cells, row by row from the top, that are not empty at the start


def set_up(kind: str, size: int, first: Mapping[str, Sequence[str]], opens: str = "") -> tuple[str, int]:
    """The position of a game's first node, as `envs.stone_positions` writes it, and the player to move there.

    Args:
        kind: the game's id.
        size: of the board, a square.
        first: the node's properties: key -> values.
        opens: who makes the first move, "B" or "W", where there is one: PL is often left out.

    Returns:
        "" and 0 where nothing is put up.

    Raises:
        UsageError: a point is none, or nobody is called what PL says.
    """
    stones = any(key in first for key in SET_UP)
    handicap = first.get("HA", ["0"])[0].strip() not in ("0", "1", "")
    turn = first.get("PL", [(opens if stones else "") or "BW"[handicap and stones]])[0].strip().upper()[:1]
    if turn not in ("B", "W"):
        raise UsageError(f"PL says who is to move, B or W, not '{first['PL'][0][:10]}'")
    if not stones and turn == "B":
        return "", 0
    board = np.zeros(size * size, np.int64)
    for cell, stone in USUAL.get(kind, {}).items():
        board[cell] = stone
    for key, stone in SET_UP.items():
        for value in first.get(key, ()):
            board[_cells(value.strip(), kind, size)] = stone
    mover = "BW".index(turn)
    return print_stones(board.reshape(size, size), mover), mover


def _cells(value: str, kind: str, size: int) -> Ints:
    """The cells of a point or a rectangle of points."""
    begin, colon, end = value.partition(":")
    top, left = _cell(begin, kind, size)
    bottom, right = _cell(end, kind, size) if colon else (top, left)
    rows, columns = np.arange(min(top, bottom), max(top, bottom) + 1), np.arange(min(left, right), max(left, right) + 1)
    cells: Ints = (rows[:, None] * size + columns).ravel()
    return cells


def _cell(point: str, kind: str, size: int) -> tuple[int, int]:
    """A point's row, counted from the top, and column; hex writes a letter and a number."""
    if kind == "hex" and re.fullmatch(r"[a-zA-Z]\d{1,2}", point):
        row, column = int(point[1:]) - 1, LETTERS.index(point[0].lower())
    elif kind != "hex" and len(point) == 2 and all(sign in LETTERS for sign in point):
        row, column = LETTERS.index(point[1]), LETTERS.index(point[0])
    else:
        row = column = -1
    if not (0 <= row < size and 0 <= column < size):
        raise UsageError(f"'{point[:10]}' is no point of a board of size {size}")
    return row, column
