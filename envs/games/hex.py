"""Hex: join your two sides of a rhombus. The first player's are above and below, the second's left and right.

Action: the cell, counted row by row from the top left (`a1`); with `swap=true` one more, `swap`, with which the second
player answers the first stone: it becomes theirs, mirrored along the long diagonal. There are no draws (Nash 1952).
Observation `board` (3, size, size) int8: the stones of the player to move, the stones of the other, and ones
everywhere if the player to move joins above and below.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.boards import (
    LETTERS,
    board_hash,
    board_spec,
    cell_name,
    label,
    parse_cell,
    see_stones,
    svg,
    symmetries_of,
    turns_of,
)
from lanista.envs.compiling import compiled
from lanista.envs.rules import Rules
from lanista.envs.stone_positions import ply_of, print_stones, read_stones
from lanista.envs.surface import Surface, Touch
from lanista.errors import UsageError


def rules(size: int = 11, swap: bool = False) -> Rules:
    """The rules on a board.

    Args:
        size: its side, 2 to 19.
        swap: the second player may take the first stone over.
    """
    if not 2 <= size <= 19:
        raise UsageError(f"hex needs a size of 2 to 19, not {size}")
    cells = size * size
    num_actions = cells + swap
    state = np.dtype(
        [
            ("board", np.int8, (cells,)),  # 0 empty, 1 the first player's stone, 2 the second's
            ("parent", np.int16, (cells + 4,)),  # a forest of joined stones, and of the four sides after them
            ("ply", np.int16),
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        for node in range(cells + 4):
            state.parent[node] = node

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        board = state.board
        for cell in range(cells):
            mask[cell] = board[cell] == 0
        if swap:
            mask[cells] = state.ply == 1

    @numba.njit
    def root(parent: Any, node: Any) -> Any:
        while parent[node] != node:
            parent[node] = parent[parent[node]]
            node = parent[node]
        return node

    @numba.njit
    def join(parent: Any, one: Any, other: Any) -> None:
        parent[root(parent, one)] = root(parent, other)

    @numba.njit
    def place(state: Any, cell: Any, me: Any) -> Any:
        """Put a stone; whether it joins the player's sides."""
        board, parent = state.board, state.parent
        board[cell] = me + 1
        row, column = cell // size, cell % size
        for down, right in ((-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0)):
            y, x = row + down, column + right
            if 0 <= y < size and 0 <= x < size and board[y * size + x] == me + 1:
                join(parent, cell, y * size + x)
        along = row if me == 0 else column
        first = cells + 2 * me
        if along == 0:
            join(parent, cell, first)
        if along == size - 1:
            join(parent, cell, first + 1)
        return root(parent, first) == root(parent, first + 1)

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        me = state.ply & 1
        cell = action
        if action == cells:
            for stone in range(cells):
                if state.board[stone]:
                    state.board[stone] = 0
                    cell = stone % size * size + stone // size
                    break
            new(state, stream)
        state.ply += 1
        if place(state, cell, me):
            rewards[me] = 1
            rewards[1 - me] = -1
            return True
        return False

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        see_stones(state.board, player, out)
        out[2 * cells : 3 * cells] = player == 0

    @numba.njit
    def hash(state: Any) -> Any:
        return board_hash(state.board, np.uint64(state.ply))

    def print_move(state: Any, action: int) -> str:
        return "swap" if action == cells else cell_name(action, size, size, from_top=True)

    def parse_move(state: Any, text: str) -> int:
        if swap and text.strip().lower() in ("swap", "swap-pieces"):
            return cells
        return parse_cell(text, size, size, from_top=True)

    @numba.njit
    def set_up(state: Any, stones: Any) -> Any:
        """Put stones on an empty board; whether they join a player's sides."""
        new(state, stones)
        joined = False
        for cell in range(cells):
            if stones[cell]:
                joined |= place(state, cell, stones[cell] - 1)
        return joined

    put = compiled(lambda state, stones: set_up(state, stones), f"hex's positions {size}")  # for plain Python

    def parse_position(text: str) -> Any:
        """The position of a text; see `envs.stone_positions`: x joins above and below."""
        board, mover = read_stones(text, size, size)
        record = np.zeros(1, state)
        if put(record[0], board.ravel()):
            raise ValueError("the game is over in this position: both sides are joined")
        count = int((board != 0).sum())
        ply = ply_of(count, mover)
        # Only the first stone, when it is the second player's turn, may be taken over.
        record["ply"] = 3 if ply == 1 and not (board == 1).any() else ply
        return record[0]

    return Rules(
        spec=board_spec(
            (f"hex:size={size}" if size != 11 or swap else "hex") + (",swap=true" if swap else ""),
            (3, size, size),
            num_actions,
            cells + swap,
            f"join your two sides, {size} x {size}" + (", with the swap rule" if swap else ""),
            symmetries_of({"half turn": turns_of(size, size)["half turn"]}, swap),
        ),
        modality="board",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=lambda state, player, last: _picture(state, size, last),
        text=lambda state, player: _text(state, size),
        print_move=print_move,
        parse_move=parse_move,
        print_position=lambda state: print_stones(state["board"].reshape(size, size), int(state["ply"]) & 1),
        parse_position=parse_position,
        place=lambda cell, player: (*_middle(cell // size, cell % size), WIDE),
        print_end=lambda state: "both sides are joined",
        surface=Surface(
            lambda state, action, turned: (
                (Touch(*_middle(action // size, action % size), WIDE),) if action < cells else ()
            ),
            ("#d64545", "#2b63b8"),
        ),
    )


def _text(state: Any, size: int) -> str:
    """The rhombus in letters: X joins above and below and began, O joins left and right."""
    board = np.asarray(state["board"]).reshape(size, size)
    lines = ["   " + " ".join(LETTERS[:size])]
    for row in range(size):
        lines.append(" " * row + f"{row + 1:2d} " + " ".join(".XO"[stone] for stone in board[row]))
    return "\n".join(lines)


WIDE, HIGH = 34.0, 29.4  # of a cell: an upright hexagon with a circumradius of 19.6


def _middle(row: float, column: float) -> tuple[float, float]:
    """The middle of a cell in the picture."""
    return 60 + (column + row / 2) * WIDE, 56 + row * HIGH


def _picture(state: Any, size: int, last: int | None) -> str:
    """Hexagons in rows, each shifted by half a cell; the sides wear the colours of who joins them."""
    wide, radius, at = WIDE, HIGH / 1.5, _middle
    board = np.asarray(state["board"])
    colours = ("#f6efe0", "#d64545", "#2b63b8")
    corners = [at(-0.75, -0.4), at(-0.75, size - 0.25), at(size - 0.25, size - 0.6), at(size - 0.25, -0.75)]
    parts = []
    for number in range(4):
        (x1, y1), (x2, y2) = corners[number], corners[(number + 1) % 4]
        colour = colours[1 + number % 2]
        parts.append(
            f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="9"/>'
        )
    edge = [(0.0, -radius), (wide / 2, -radius / 2), (wide / 2, radius / 2)]
    outline = edge + [(-x, -y) for x, y in edge]
    for cell in range(size * size):
        x, y = at(cell // size, cell % size)
        points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in outline)
        parts.append(f'<polygon points="{points}" fill="{colours[board[cell]]}" stroke="#8a7c63"/>')
        if cell == last:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="#fff"/>')
    for number in range(size):
        parts.append(label(*at(number, -1.1), str(number + 1), 12, "#777"))
        parts.append(label(*at(-1.25, number + 0.1), LETTERS[number], 12, "#777"))
    width, height = at(size, size)
    return svg(width, height, parts)
