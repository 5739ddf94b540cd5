"""Tic-tac-toe, solved by looking at all of it: negamax over its 5,478 positions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from lanista.envs.core import Floats

PLIES = (0, 7)  # what is asked by default: later there is nothing to choose
LINES = ((0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6))


def values(games: Sequence[Sequence[int]]) -> Floats:
    """What each move is worth after these moves: 1 wins, 0 draws, -1 loses; NaN is illegal.

    Returns:
        (games, 9), for the player to move.
    """
    rows = []
    for moves in games:
        board = ["."] * 9
        for ply, move in enumerate(moves):
            board[move] = "xo"[ply % 2]
        rows.append(_moves("".join(board), "xo"[len(moves) % 2]))
    return np.array(rows, np.float32).reshape(-1, 9)


def _moves(board: str, mover: str) -> list[float]:
    worth = [float("nan")] * 9
    for cell in range(9):
        if board[cell] == ".":
            worth[cell] = float(-_value(board[:cell] + mover + board[cell + 1 :], "o" if mover == "x" else "x"))
    return worth


@cache
def _value(board: str, mover: str) -> int:
    """For the player to move, whose opponent has just moved."""
    if any(board[a] == board[b] == board[c] != "." for a, b, c in LINES):
        return -1
    if "." not in board:
        return 0
    other = "o" if mover == "x" else "x"
    return max(-_value(board[:cell] + mover + board[cell + 1 :], other) for cell in range(9) if board[cell] == ".")
