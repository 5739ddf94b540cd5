"""The m,n,k family: `k` in a row on a board of `rows` x `columns`, with or without gravity.

Tic-tac-toe, Connect Four and Gomoku are this game with other numbers. Action: the cell, counted row by row from the
top left; with gravity the column. Observation `board` (2, rows, columns) int8: the stones of the player to move, the
stones of the other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numba
import numpy as np

from lanista.envs.boards import (
    CELL,
    WOOD,
    board_hash,
    board_spec,
    board_text,
    cell_name,
    disc,
    middle,
    parse_cell,
    place_of_square,
    see_stones,
    squares_svg,
    svg,
    symmetries_of,
    turns_of,
)
from lanista.envs.core import Symmetry
from lanista.envs.draws import mix
from lanista.envs.rules import Rules
from lanista.envs.stone_positions import print_stones, read_stones
from lanista.envs.surface import Surface, Touch, square
from lanista.errors import UsageError


def rules(rows: int = 6, columns: int = 7, k: int = 4, gravity: bool = False) -> Rules:
    """The rules of one member of the family.

    Args:
        rows, columns: the board, each 1 to 26.
        k: so many in a row win.
        gravity: stones fall to the lowest free cell of a column.
    """
    name = f"mnk:rows={rows},columns={columns},k={k},gravity={str(gravity).lower()}"
    return named(name, rows, columns, k, gravity)


def named(name: str, rows: int, columns: int, k: int, gravity: bool = False) -> Rules:
    """The rules of a member that has an id of its own; see `rules`."""
    if not (1 <= rows <= 26 and 1 <= columns <= 26 and 1 <= k <= max(rows, columns)):
        raise UsageError(f"mnk needs rows and columns of 1 to 26 and k at most the longer, not {rows}, {columns}, {k}")
    cells = rows * columns
    num_actions = columns if gravity else cells
    in_one_word = (rows + 1) * columns <= 64
    state = np.dtype(
        [
            ("stones", np.uint64, (2,)),  # each player's stones as bits, kept where the board fits in one word
            ("board", np.int8, (cells,)),  # 0 empty, 1 the first player's stone, 2 the second's
            ("height", np.int8, (columns,)),  # stones in a column, with gravity
            ("ply", np.int16),
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        return

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        # The top row decides with gravity, every cell without: the first `num_actions` cells either way.
        board = state.board
        for action in range(num_actions):
            mask[action] = board[action] == 0

    @numba.njit
    def _row_in_word(state: Any, me: Any, row: Any, column: Any) -> Any:
        """Place a stone in the bits and look for k in a row, without a branch: shifted copies are laid over each other.

        One bit a cell, column by column, each column followed by a blank bit so that no line wraps.
        """
        state.stones[me] |= np.uint64(1) << np.uint64(column * (rows + 1) + row)
        stones = state.stones[me]
        lines = np.uint64(0)
        for shift in (1, rows, rows + 1, rows + 2):
            line = stones
            for step in range(1, k):
                # A shift by 64 or more is undefined; there the line cannot fit anyway.
                line &= (stones >> np.uint64(shift * step)) if shift * step < 64 else np.uint64(0)
            lines |= line
        return lines != 0

    @numba.njit
    def _row_on_board(board: Any, stone: Any, row: Any, column: Any) -> Any:
        """Count both ways from the last stone along each line."""
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            run = 1
            for sign in (1, -1):
                y = row + sign * down
                x = column + sign * right
                while 0 <= y < rows and 0 <= x < columns and board[y * columns + x] == stone:
                    run += 1
                    y += sign * down
                    x += sign * right
            if run >= k:
                return True
        return False

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        board = state.board
        me = state.ply & 1
        stone = me + 1
        if gravity:
            row = rows - 1 - state.height[action]
            column = action
            state.height[action] += 1
        else:
            row = action // columns
            column = action % columns
        board[row * columns + column] = stone
        state.ply += 1
        if in_one_word:
            won = _row_in_word(state, me, row, column)
        else:
            won = _row_on_board(board, stone, row, column)
        if won:
            rewards[me] = 1.0
            rewards[1 - me] = -1.0
            return True
        return state.ply == cells

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        see_stones(state.board, player, out)

    @numba.njit
    def hash(state: Any) -> Any:
        if in_one_word:
            return mix(mix(state.stones[0] + np.uint64(1)) ^ state.stones[1])
        return board_hash(state.board, np.uint64(1))

    return Rules(
        spec=board_spec(
            name,
            (2, rows, columns),
            num_actions,
            cells,
            f"{k} in a row on {rows} x {columns}" + (", stones fall" if gravity else ""),
            _symmetries(rows, columns, gravity),
        ),
        modality="board",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=lambda state, player, last: _picture(state, rows, columns, gravity, last),
        text=lambda state, player: _text(state, rows, columns, gravity),
        print_move=lambda state, action: str(action + 1) if gravity else cell_name(action, rows, columns),
        parse_move=lambda state, text: _parse_column(text, columns) if gravity else parse_cell(text, rows, columns),
        print_position=lambda state: print_stones(
            np.asarray(state["board"]).reshape(rows, columns), int(state["ply"]) & 1
        ),
        parse_position=lambda text: _parse_position(text, state, rows, columns, k, gravity),
        place=(lambda cell, player: (*middle(cell, columns), CELL)) if gravity else place_of_square(columns),
        print_end=lambda state: "the board is full" if _is_draw(state, rows, columns, k) else f"{k} in a row",
        surface=_surface(rows, columns, gravity),
    )


def _parse_position(text: str, record: Any, rows: int, columns: int, k: int, gravity: bool) -> Any:
    """The record that `print_stones` prints so; who is to move follows from the counts too, and may be left out.

    Raises:
        ValueError: it is none, or no game can come to it and go on.
    """
    placed, mover = read_stones(text, rows, columns)
    board = placed.astype(np.int8)
    stones = [int((board == stone).sum()) for stone in (1, 2)]
    if not 0 <= stones[0] - stones[1] <= 1:
        raise ValueError(f"x begins and they move in turn, so {stones[0]} x and {stones[1]} o cannot be")
    if len(text.split()) > 1 and mover != sum(stones) & 1:
        raise ValueError(f"with {stones[0]} x and {stones[1]} o it is {'xo'[sum(stones) & 1]} who moves")
    if gravity:
        below = (board[:-1] != 0) & (board[1:] == 0)
        if below.any():
            row, column = np.argwhere(below)[0].tolist()
            raise ValueError(f"the stone in column {column + 1}, row {rows - row}, floats: there is none below it")
    state = np.zeros((), record)
    state["board"] = board.ravel()
    state["ply"] = sum(stones)
    if gravity:
        state["height"] = (board != 0).sum(0)
    if (rows + 1) * columns <= 64:
        for row, column in np.argwhere(board != 0).tolist():
            state["stones"][board[row, column] - 1] |= np.uint64(1) << np.uint64(column * (rows + 1) + row)
    if sum(stones) == rows * columns or not _is_draw(state, rows, columns, k):
        raise ValueError("the game is over in this position")
    return state


def _is_draw(state: Any, rows: int, columns: int, k: int) -> bool:
    """Whether nobody has k in a row."""
    board = np.asarray(state["board"]).reshape(rows, columns)
    for stone in (1, 2):
        for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
            for row, column in np.argwhere(board == stone).tolist():
                cells = [(row + down * step, column + right * step) for step in range(k)]
                if all(0 <= y < rows and 0 <= x < columns and board[y, x] == stone for y, x in cells):
                    return False
    return True


def _surface(rows: int, columns: int, gravity: bool) -> Surface:
    """With gravity whole columns are touched, else cells."""

    def falls(state: Any, action: int, turned: bool) -> tuple[Touch, ...]:
        x, y = middle((rows - 1 - int(state["height"][action])) * columns + action, columns)
        return (Touch(x, y, CELL, action * CELL, 0, CELL, rows * CELL),)

    if gravity:
        return Surface(falls, ("#d64545", "#f2c037"))
    return Surface(lambda state, action, turned: (square(action, columns),), ("#111", "#f7f7f2"))


def _symmetries(rows: int, columns: int, gravity: bool) -> tuple[Symmetry, ...]:
    """The mirror with gravity; else all turns and mirrors of the rectangle or square."""
    if not gravity:
        return symmetries_of(turns_of(rows, columns))
    (mirror,) = symmetries_of({"mirror": turns_of(rows, columns)["mirror"]})
    return (replace(mirror, actions_to=tuple(range(columns))[::-1]),)


def _parse_column(text: str, columns: int) -> int:
    if not text.strip().isdecimal() or not 1 <= int(text) <= columns:
        raise ValueError(f"write a column from 1 to {columns}")
    return int(text) - 1


def _text(state: Any, rows: int, columns: int, gravity: bool) -> str:
    """The board in letters: X began, O answers."""
    board = [[".XO"[stone] for stone in row] for row in np.asarray(state["board"]).reshape(rows, columns)]
    if not gravity:
        return board_text(board)
    return "\n".join([*map(" ".join, board), " ".join(str((column + 1) % 10) for column in range(columns))])


def _picture(state: Any, rows: int, columns: int, gravity: bool, last: int | None) -> str:
    """With gravity a rack of discs, red began; else a wooden board, black began; the last stone has a ring."""
    board = np.asarray(state["board"])
    if not gravity:
        stones = [
            disc(*middle(cell, columns), 15, ("#111", "#f7f7f2")[stone - 1], *_edge(cell == last, "#d64545"))
            for cell, stone in enumerate(board.tolist())
            if stone
        ]
        return squares_svg(rows, columns, lambda cell: WOOD, stones)
    marked = -1 if last is None else (rows - int(state["height"][last])) * columns + last
    parts = ['<rect width="100%" height="100%" rx="6" fill="#1f4e8c"/>']
    for cell, stone in enumerate(board.tolist()):
        fill = ("#f4f6f8", "#d64545", "#f2c037")[stone]
        parts.append(disc(*middle(cell, columns), 15, fill, *(("#fff", 2.5) if cell == marked else ("#17396a", 1))))
    return svg(columns * CELL, rows * CELL, parts)


def _edge(marked: bool, colour: str) -> tuple[str, float]:
    """The colour and width of a stone's edge."""
    return (colour, 3) if marked else ("#111", 0.5)
