"""Othello: stones between two of the mover's turn over; most stones win. Moves are cells, `f5`, or `pass`.

Action: the cell, counted row by row from the top left (`a1`), or 64 to pass, which is legal only for a player who
cannot move otherwise. The game ends when neither can. Observation `board` (2, 8, 8) int8: the stones of the player to
move, the stones of the other.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.bits import bit, count, spread
from lanista.envs.boards import (
    board_spec,
    board_text,
    cell_name,
    disc,
    middle,
    parse_cell,
    place_of_square,
    squares_svg,
    symmetries_of,
    turns_of,
)
from lanista.envs.draws import mix
from lanista.envs.rules import Rules
from lanista.envs.stone_positions import ply_of, print_stones, read_stones
from lanista.envs.surface import Surface, square

SIDE, CELLS, PASS = 8, 64, 64
INNER = np.uint64(0x7E7E7E7E7E7E7E7E)  # without the first and last column, over which a line must not wrap
WHOLE = np.uint64(0xFFFFFFFFFFFFFFFF)
START = (np.uint64(1 << 28 | 1 << 35), np.uint64(1 << 27 | 1 << 36))  # black e4 d5, white d4 e5
STATE = np.dtype([("stones", np.uint64, (2,)), ("ply", np.int16)], align=True)  # bit = cell; black moves first


def rules() -> Rules:
    """The rules of Othello."""
    turns = {name: turn for name, turn in turns_of(SIDE, SIDE).items() if name in KEPT}
    return Rules(
        spec=board_spec(
            "othello",
            (2, SIDE, SIDE),
            CELLS + 1,
            2 * (CELLS - 4),  # nobody passes twice in a row
            "stones between two of yours turn over; most stones win",
            symmetries_of(turns, more_actions=1),
        ),
        modality="board",
        state=STATE,
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
        print_position=lambda state: print_stones(_board(state), int(state["ply"]) & 1),
        parse_position=parse_position,
        place=place_of_square(SIDE),
        print_end=lambda state: "{}-{} stones".format(*(int(stones).bit_count() for stones in state["stones"])),
        surface=Surface(
            lambda state, action, turned: (square(action, SIDE),) if action != PASS else (), ("#111", "#f7f7f2")
        ),
    )


KEPT = ("half turn", "diagonal", "antidiagonal")  # the others change the colours of the first four stones


@numba.njit
def new(state: Any, stream: Any) -> None:
    state.stones[0] = START[0]
    state.stones[1] = START[1]


@numba.njit
def player(state: Any) -> Any:
    return state.ply & 1


@numba.njit
def _up(begin: Any, through: Any, step: Any) -> Any:
    """The run of `through` next to `begin` towards higher bits; a line has at most six between its ends."""
    run = (begin << step) & through
    run |= (run << step) & through
    run |= (run << step) & through
    run |= (run << step) & through
    run |= (run << step) & through
    return run | ((run << step) & through)


@numba.njit
def _down(begin: Any, through: Any, step: Any) -> Any:
    """The same, towards lower bits."""
    run = (begin >> step) & through
    run |= (run >> step) & through
    run |= (run >> step) & through
    run |= (run >> step) & through
    run |= (run >> step) & through
    return run | ((run >> step) & through)


@numba.njit
def moves(mine: Any, theirs: Any) -> Any:
    """The cells where a stone turns others over, as bits."""
    found = np.uint64(0)
    for step in (1, 7, 8, 9):
        by = np.uint64(step)
        through = theirs & (WHOLE if step == 8 else INNER)
        found |= _up(mine, through, by) << by
        found |= _down(mine, through, by) >> by
    return found & ~(mine | theirs)


@numba.njit
def turned(mine: Any, theirs: Any, cell: Any) -> Any:
    """The stones that a stone on this cell turns over, as bits."""
    stone = bit(cell)
    found = np.uint64(0)
    for step in (1, 7, 8, 9):
        by = np.uint64(step)
        through = theirs & (WHOLE if step == 8 else INNER)
        run = _up(stone, through, by)
        if (run << by) & mine:
            found |= run
        run = _down(stone, through, by)
        if (run >> by) & mine:
            found |= run
    return found


@numba.njit
def legal(state: Any, mask: Any) -> None:
    me = state.ply & 1
    may = moves(state.stones[me], state.stones[1 - me])
    for cell in range(CELLS):
        mask[cell] = (may >> np.uint64(cell)) & np.uint64(1) != 0
    mask[PASS] = may == 0


@numba.njit
def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
    me = state.ply & 1
    other = 1 - me
    if action != PASS:
        flips = turned(state.stones[me], state.stones[other], action)
        state.stones[me] |= flips | bit(action)
        state.stones[other] &= ~flips
    state.ply += 1
    if moves(state.stones[other], state.stones[me]) or moves(state.stones[me], state.stones[other]):
        return False
    lead = np.sign(count(state.stones[0]) - count(state.stones[1]))
    rewards[0] = lead
    rewards[1] = -lead
    return True


@numba.njit
def observe(state: Any, player: Any, out: Any) -> None:
    spread(state.stones[player], out)
    spread(state.stones[1 - player], out[CELLS:])


@numba.njit
def hash(state: Any) -> Any:
    return mix(mix(state.stones[0]) ^ state.stones[1]) ^ np.uint64(state.ply & 1)


def _owner(state: Any, cell: int) -> int:
    """0 an empty cell, 1 black's stone, 2 white's."""
    black, white = (int(stones) >> cell & 1 for stones in state["stones"])
    return black + 2 * white


def _board(state: Any) -> Any:
    """The stones, (8, 8): 0 an empty cell, 1 black's, 2 white's."""
    return np.array([_owner(state, cell) for cell in range(CELLS)]).reshape(SIDE, SIDE)


def parse_position(text: str) -> Any:
    """The position of a text; see `envs.stone_positions`: x is black.

    Raises:
        ValueError: it is none that can be played on.
    """
    board, mover = read_stones(text, SIDE, SIDE)
    state = np.zeros((), STATE)
    for stone in (1, 2):
        state["stones"][stone - 1] = sum(1 << cell for cell in np.flatnonzero(board == stone).tolist())
    state["ply"] = ply_of(max(int((board != 0).sum()) - 4, 0), mover)
    one, other = state["stones"]
    if not (moves(one, other) or moves(other, one)):
        raise ValueError("the game is over in this position: nobody can move")
    return state


def print_move(state: Any, action: int) -> str:
    return "pass" if action == PASS else cell_name(action, SIDE, SIDE, from_top=True)


def parse_move(state: Any, text: str) -> int:
    return PASS if text.strip().lower() in ("pass", "--") else parse_cell(text, SIDE, SIDE, from_top=True)


def text(state: Any, player: int | None) -> str:
    """The board in letters: X is black and began, O is white."""
    signs = [[".XO"[_owner(state, row * SIDE + column)] for column in range(SIDE)] for row in range(SIDE)]
    black, white = (int(stones).bit_count() for stones in state["stones"])
    return f"{board_text(signs, from_top=True)}\nX {black}  O {white}"


def picture(state: Any, player: int | None, last: int | None) -> str:
    """A green board; the last stone has a dot."""
    parts = []
    for cell in range(CELLS):
        owner = _owner(state, cell)
        if owner:
            parts.append(disc(*middle(cell, SIDE), 16, ("#111", "#f7f7f2")[owner - 1]))
        if cell == last:
            parts.append(disc(*middle(cell, SIDE), 4, "#d64545", "none"))
    return squares_svg(SIDE, SIDE, lambda cell: "#2f7d4f", parts, from_top=True, lines="#1d5636")
