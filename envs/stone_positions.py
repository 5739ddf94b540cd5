"""Positions of boards of stones as a text, as FEN writes those of chess: `x1o/3/1x1 o`.

Rows stand from the top with `/` between them; `x` is a stone of the player who began, `o` one of the other, a number so
many empty cells. Then, after a blank, who is to move; left out, it is `x`.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lanista.envs.core import Ints

SIGNS = ".xo"


def print_stones(board: Any, mover: int) -> str:
    """The text of a board.

    Args:
        board: (rows, columns) of 0 for an empty cell, 1 for the first player's stone, 2 for the second's.
        mover: the player who is to move.
    """
    rows = ("".join(SIGNS[stone] for stone in row) for row in np.asarray(board).tolist())
    counted = (re.sub(r"\.+", lambda empty: str(len(empty[0])), row) for row in rows)
    return f"{'/'.join(counted)} {SIGNS[mover + 1]}"


def read_stones(text: str, rows: int, columns: int) -> tuple[Ints, int]:
    """The board, (rows, columns), and the player to move, as `print_stones` wrote them.

    Raises:
        ValueError: it is no such text, or one of another board.
    """
    placed, _, side = text.strip().lower().partition(" ")
    lines = [re.sub(r"\d{1,2}", lambda number: "." * int(number[0]), line) for line in placed.split("/")]
    if len(lines) != rows or any(len(line) != columns or set(line) - set(SIGNS) for line in lines):
        raise ValueError(f"write {rows} rows of {columns} cells from the top, as in 'x1o/3/1x1 o': x, o and numbers")
    if side.strip() not in ("", "x", "o"):
        raise ValueError(f"after the board stands who is to move, x or o, not '{side.strip()[:10]}'")
    board = np.array([[SIGNS.index(sign) for sign in line] for line in lines], np.int64)
    return board, int(side.strip() == "o")


def ply_of(stones: int, mover: int) -> int:
    """So many plies as stones, or one more, that the mover is the one whose turn it then is."""
    return stones + (stones + mover) % 2
