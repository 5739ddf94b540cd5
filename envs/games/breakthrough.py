"""Breakthrough: bring one of your pieces to the far side. Moves are written `a2b3`, captures `a2xb3`.

Pieces step one square forward, straight or slantwise, and capture slantwise; who has no piece left loses (Troyka 2000).
Action: `3 * square + way`, squares counted row by row from the top left and ways left, straight, right as seen on the
page, the same for both players. Observation `board` (3, rows, columns) int8: the pieces of the player to move, those
of the other, and ones everywhere if the player to move goes up the page.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.boards import (
    CELL,
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
)
from lanista.envs.core import Symmetry
from lanista.envs.rules import Rules
from lanista.envs.stone_positions import print_stones, read_stones
from lanista.envs.surface import Surface, Touch, square
from lanista.errors import UsageError

WAYS = 3


def rules(rows: int = 8, columns: int = 8) -> Rules:
    """The rules on a board.

    Args:
        rows: 4 to 16; each side begins with two of them.
        columns: 2 to 16.
    """
    if not (4 <= rows <= 16 and 2 <= columns <= 16):
        raise UsageError(f"breakthrough needs 4 to 16 rows and 2 to 16 columns, not {rows} and {columns}")
    name = "breakthrough" if (rows, columns) == (8, 8) else f"breakthrough:rows={rows},columns={columns}"
    cells = rows * columns
    state = np.dtype(
        [
            ("board", np.int8, (cells,)),  # 0 empty, 1 the first player's, who goes up the page, 2 the second's
            ("left", np.int16, (2,)),  # pieces of each player
            ("ply", np.int16),
        ],
        align=True,
    )

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        for cell in range(2 * columns):
            state.board[cell] = 2
            state.board[cells - 1 - cell] = 1
        state.left[:] = 2 * columns

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        me = state.ply & 1
        forward = -columns if me == 0 else columns
        board = state.board
        for cell in range(cells):
            if board[cell] != me + 1:
                continue
            column = cell % columns
            ahead = cell + forward  # on the board: a piece on the last row has won
            mask[WAYS * cell] = column > 0 and board[ahead - 1] != me + 1
            mask[WAYS * cell + 1] = board[ahead] == 0
            mask[WAYS * cell + 2] = column < columns - 1 and board[ahead + 1] != me + 1

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        me = state.ply & 1
        cell = action // WAYS
        target = cell + (-columns if me == 0 else columns) + action % WAYS - 1
        state.ply += 1
        if state.board[target]:
            state.left[1 - me] -= 1
        state.board[cell] = 0
        state.board[target] = me + 1
        row = target // columns
        if row == (0 if me == 0 else rows - 1) or state.left[1 - me] == 0:
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
        return board_hash(state.board, np.uint64(state.ply & 1))

    def target_of(cell: int, way: int, me: int) -> int:
        return cell + (-columns if me == 0 else columns) + way - 1

    def print_move(state: Any, action: int) -> str:
        cell, me = action // WAYS, int(state["ply"]) & 1
        target = target_of(cell, action % WAYS, me)
        inside = 0 <= target < cells
        sign = "x" if inside and state["board"][target] else ""
        return f"{cell_name(cell, rows, columns)}{sign}{cell_name(target, rows, columns)}"

    def parse_move(state: Any, text: str) -> int:
        word = text.strip().lower().replace("x", "").replace("-", "")
        middle_of = next((at for at in range(1, len(word)) if word[at].isalpha()), len(word))
        cell, target = (parse_cell(part, rows, columns) for part in (word[:middle_of], word[middle_of:]))
        for way in range(WAYS):
            aside = cell % columns + way - 1
            if 0 <= aside < columns and target_of(cell, way, int(state["ply"]) & 1) == target:
                return WAYS * cell + way
        raise ValueError("a piece steps one square forward, straight or slantwise: a2b3")

    def parse_position(text: str) -> Any:
        """The position of a text; see `envs.stone_positions`: x goes up the page."""
        board, mover = read_stones(text, rows, columns)
        record = np.zeros((), state)
        record["board"], record["ply"] = board.ravel(), mover
        record["left"] = [(board == piece).sum() for piece in (1, 2)]
        if not record["left"].all():
            raise ValueError(f"{'xo'[int(record['left'][0] > 0)]} has no piece")
        if (board[0] == 1).any() or (board[-1] == 2).any():
            raise ValueError("the game is over in this position: a piece has come to the far side")
        return record

    def text(state: Any, player: int | None) -> str:
        """The board in letters: X goes up and began, O goes down."""
        board = np.asarray(state["board"]).reshape(rows, columns)
        return board_text([[".XO"[piece] for piece in row] for row in board])

    def picture(state: Any, player: int | None, last: int | None, turned: bool = False) -> str:
        """Squares in two colours; the piece that moved last has a ring."""
        moved = -1 if last is None else target_of(last // WAYS, last % WAYS, 1 - (int(state["ply"]) & 1))
        parts = [
            disc(
                *middle(cells - 1 - cell if turned else cell, columns), CELL * 0.34, ("#f7f7f2", "#222")[piece - 1],
                *(("#d64545", 3) if cell == moved else ("#111", 1)),
            )
            for cell, piece in enumerate(state["board"].tolist())
            if piece
        ]  # fmt: skip
        return squares_svg(
            rows, columns, lambda cell: ("#f0d9b5", "#b58863")[(cell // columns + cell % columns) % 2], parts,
            lines="none", turned=turned,
        )  # fmt: skip

    def touch(state: Any, action: int, turned: bool) -> tuple[Touch, ...]:
        """The piece, and where it goes."""
        cell = action // WAYS
        both = cell, target_of(cell, action % WAYS, int(state["ply"]) & 1)
        return tuple(square(cells - 1 - each if turned else each, columns) for each in both)

    # Each step brings a piece one of at most rows - 1 rows forward.
    longest = 2 * columns * ((rows - 1) + (rows - 2)) - 1
    return Rules(
        spec=board_spec(
            name, (3, rows, columns), WAYS * cells, longest, "bring a piece to the far side", _mirror(rows, columns)
        ),
        modality="board",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=picture,
        text=text,
        print_move=print_move,
        parse_move=parse_move,
        print_position=lambda state: print_stones(state["board"].reshape(rows, columns), int(state["ply"]) & 1),
        parse_position=parse_position,
        place=place_of_square(columns),
        print_end=lambda state: "the far side is reached" if min(state["left"]) else "no piece is left",
        surface=Surface(
            touch, ("#f7f7f2", "#222"), lambda state, player, last: picture(state, player, last, turned=True)
        ),
    )


def _mirror(rows: int, columns: int) -> tuple[Symmetry, ...]:
    """Left and right changed, ways too."""
    cells = np.arange(rows * columns).reshape(rows, columns)[:, ::-1].ravel()
    actions = (WAYS * cells[:, None] + np.arange(WAYS)[::-1]).ravel()
    return (Symmetry("mirror", {"board": tuple(cells.tolist())}, tuple(actions.tolist())),)
