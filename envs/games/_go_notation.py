"""How Go is written and drawn. Plain Python; nothing here is in a hot loop."""

from __future__ import annotations

from typing import Any

import numpy as np

from lanista.envs.boards import board_text, disc, label, svg

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"  # I is left out, lest it be read as J or 1
EMPTY, BLACK, WHITE, EDGE = 0, 1, 2, 3
STEP, MARGIN = 30.0, 34.0  # from point to point in a picture, and from its edge


def score(lead: float) -> str:
    """Black's lead as the field writes it: `B+3.5`, `W+7`, `0`."""
    return f"{'B' if lead > 0 else 'W'}+{abs(lead):g}" if lead else "0"


def board_of(state: Any, size: int) -> Any:
    """The stones without the margin, (size, size)."""
    return np.asarray(state["board"]).reshape(size + 2, size + 2)[1:-1, 1:-1]


def without_liberty(board: Any) -> int | None:
    """The first point, counted row by row, whose stone is of a chain that no empty point touches."""
    size = len(board)
    alive = np.zeros_like(board, bool)
    for _ in range(size * size):  # liberties spread along the chains
        wide = np.pad(alive | (board == EMPTY), 1)
        colours = np.pad(board, 1, constant_values=EDGE)
        grown = alive.copy()
        for down, right in ((0, 1), (2, 1), (1, 0), (1, 2)):
            near = slice(down, down + size), slice(right, right + size)
            grown |= (board != EMPTY) & wide[near] & ((colours[near] == EMPTY) | (colours[near] == board))
        if (grown == alive).all():
            break
        alive = grown
    bare = np.flatnonzero((board != EMPTY) & ~alive)
    return int(bare[0]) if len(bare) else None


def text(state: Any, size: int) -> str:
    """The board in letters: X is black and began, O is white."""
    return board_text([[".XO"[stone] for stone in row] for row in board_of(state, size)], letters=LETTERS)


def picture(state: Any, size: int, last: int | None) -> str:
    """A wooden board with coordinates; the last stone has a ring."""
    step, margin = STEP, MARGIN
    far = margin + (size - 1) * step
    parts = ['<rect width="100%" height="100%" fill="#e3c58f"/>']
    for number in range(size):
        at = margin + number * step
        parts.append(
            f'<path d="M{margin:g} {at:g}H{far:g}M{at:g} {margin:g}V{far:g}" stroke="#7a5c2e" stroke-width="0.8"/>'
        )
        for x, y, text in ((at, far + 22, LETTERS[number]), (13, at, str(size - number))):
            parts.append(label(x, y, text, 11))
    edge = 3 if size > 11 else 2
    stars = [edge, size // 2, size - 1 - edge] if size % 2 and size > 7 else []
    for row in stars:
        for column in stars:
            parts.append(disc(margin + column * step, margin + row * step, 2.6, "#7a5c2e", "none"))
    for point, stone in enumerate(board_of(state, size).ravel().tolist()):
        x, y = margin + point % size * step, margin + point // size * step
        if stone:
            parts.append(disc(x, y, 13.6, ("#111", "#f7f7f2")[stone - 1]))
            if point == last:
                parts.append(disc(x, y, 6, "none", ("#f7f7f2", "#111")[stone - 1], 2))
    return svg(far + margin, far + margin, parts)
