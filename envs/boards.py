"""What boards of squares have in common: names of cells, symmetries, the spec of a two-player game, pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, GameSpec, Role, Symmetry
from lanista.envs.draws import mix

LETTERS = "abcdefghijklmnopqrstuvwxyz"
CELL = 40  # the side of a cell in a picture
MARGIN, TOP = CELL / 2, 4  # left of the board and above it
WOOD, LINES, INK = "#e3c58f", "#7a5c2e", "#3b2a12"


def board_spec(
    name: str,
    shape: tuple[int, int, int],
    num_actions: int,
    longest: int,
    description: str,
    symmetries: tuple[Symmetry, ...] = (),
) -> GameSpec:
    """A game of two players who move in turn on a board that both see, won by one, lost by the other, or drawn.

    Args:
        name, longest, description, symmetries: see `GameSpec`.
        shape: planes, rows and columns of the observation `board`, int8 of 0 and 1.
        num_actions: how many actions there are.
    """
    seen = spaces.Dict({"board": spaces.Box(0, 1, shape, np.int8)})
    return GameSpec(
        name=name,
        players=2,
        roles=(Role(seen, spaces.Discrete(num_actions)),),
        role_of=(0, 0),
        kind="turn-based",
        zero_sum=True,
        perfect_information=True,
        longest=longest,
        returns=(-1.0, 1.0),
        symmetries=symmetries,
        description=description,
    )


@numba.njit(inline="always")
def see_stones(board: Any, player: Any, out: Any) -> None:
    """Write the first two planes of an observation: the player's own stones, the other's.

    Args:
        board: (cells,) int8, 0 empty, 1 the first player's stone, 2 the second's.
        player: who looks.
        out: flat, at least 2 * cells.
    """
    cells = len(board)
    mine = np.int8(player + 1)  # of the board's own width: compared 64 cells at a time
    theirs = np.int8(2 - player)
    for cell in range(cells):
        out[cell] = board[cell] == mine
    for cell in range(cells):
        out[cells + cell] = board[cell] == theirs


@numba.njit
def board_hash(board: Any, value: Any) -> Any:
    """A hash of a board of 0, 1 and 2: (cells,) int8, uint64 to begin with -> uint64."""
    for cell in range(len(board)):
        value = mix(value * np.uint64(3) + np.uint64(board[cell]))
    return value


def turns_of(rows: int, columns: int) -> dict[str, Array]:
    """All ways to lay a rectangle or square on itself, without the identity: name -> (rows, columns) source cells."""
    grid = np.arange(rows * columns).reshape(rows, columns)
    turns = {"mirror": grid[:, ::-1], "flip": grid[::-1], "half turn": grid[::-1, ::-1]}
    if rows == columns:
        turns |= {
            "quarter turn": np.rot90(grid),
            "three-quarter turn": np.rot90(grid, 3),
            "diagonal": grid.T,
            "antidiagonal": grid[::-1, ::-1].T,
        }
    return turns


def symmetries_of(turns: Mapping[str, Array], more_actions: int = 0) -> tuple[Symmetry, ...]:
    """The symmetries of a game whose action is a cell of its modality `board`.

    Args:
        turns: name -> (rows, columns), for each cell of the turned board the cell that is seen there.
        more_actions: actions after the cells that no turn changes, such as passing.
    """
    made = []
    for name, source in turns.items():
        cells = source.ravel()
        # Cell `cells[i]` moves to `i`, so the action there becomes `i`.
        actions = [*np.argsort(cells).tolist(), *range(len(cells), len(cells) + more_actions)]
        made.append(Symmetry(name, {"board": tuple(cells.tolist())}, tuple(actions)))
    return tuple(made)


def cell_name(cell: int, rows: int, columns: int, from_top: bool = False, letters: str = LETTERS) -> str:
    """The column's letter and the row's number, counted from the bottom unless said otherwise, as `b2`."""
    row = cell // columns
    return f"{letters[cell % columns]}{row + 1 if from_top else rows - row}"


def parse_cell(text: str, rows: int, columns: int, from_top: bool = False, letters: str = LETTERS) -> int:
    """The cell that `cell_name` names so.

    Raises:
        ValueError: there is none.
    """
    word = text.strip().lower()
    known = letters.lower()[:columns]
    if len(word) < 2 or word[0] not in known or not word[1:].isdecimal() or not 1 <= int(word[1:]) <= rows:
        first, last = (0, rows * columns - 1) if from_top else ((rows - 1) * columns, columns - 1)
        names = [cell_name(cell, rows, columns, from_top, letters) for cell in (first, last)]
        raise ValueError(f"write a cell from {names[0]} to {names[1]}")
    row = int(word[1:]) - 1
    return (row if from_top else rows - 1 - row) * columns + known.index(word[0])


def board_text(rows: Sequence[Sequence[str]], from_top: bool = False, letters: str = LETTERS) -> str:
    """A board in letters, with its coordinates.

    Args:
        rows: the sign of each cell, from the top.
        from_top: row 1 is the top one.
        letters: of the columns.
    """
    height = len(rows)
    lines = [
        f"{number + 1 if from_top else height - number:2d} " + " ".join(signs) for number, signs in enumerate(rows)
    ]
    return "\n".join([*lines, "   " + " ".join(letters[: len(rows[0])])])


def svg(width: float, height: float, parts: Iterable[str]) -> str:
    """A picture from its parts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'font-family="sans-serif">{"".join(parts)}</svg>'
    )


def label(x: float, y: float, text: str, size: float = 13, fill: str = INK) -> str:
    """A text with its middle at a place."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" fill="{fill}" text-anchor="middle" '
        f'dominant-baseline="central">{text}</text>'
    )


@lru_cache(maxsize=4096)  # a report draws thousands of games, all of the same few stones
def disc(x: float, y: float, radius: float, fill: str, edge: str = "#111", width: float = 1) -> str:
    """A stone with its middle at a place."""
    return f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}" fill="{fill}" stroke="{edge}" stroke-width="{width:g}"/>'


def squares_svg(
    rows: int,
    columns: int,
    fill: Callable[[int], str],
    inside: Iterable[str],
    from_top: bool = False,
    letters: str = LETTERS,
    lines: str = LINES,
    turned: bool = False,
) -> str:
    """A board of squares with coordinates on a margin at the left and below.

    Args:
        rows, columns: of the board.
        fill: the colour of a cell.
        inside: what is drawn on it, in places counted from the board's top left corner, a cell being `CELL` wide.
        from_top, letters: as for `cell_name`.
        lines: the colour of the lines.
        turned: the cells are counted from the bottom right corner: the coordinates are written so.
    """
    margin = MARGIN
    parts = [f'<g transform="translate({margin:g} {TOP})">']
    for cell in range(rows * columns):
        x, y = cell % columns * CELL, cell // columns * CELL
        parts.append(f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill(cell)}" stroke="{lines}"/>')
    parts += [*inside, "</g>"]
    for row in range(rows):
        number = row + 1 if from_top != turned else rows - row
        parts.append(label(margin / 2, TOP + (row + 0.5) * CELL, str(number), 10.5, "#777"))
    for column in range(columns):
        letter = letters[columns - 1 - column if turned else column]
        parts.append(label(margin + (column + 0.5) * CELL, TOP + rows * CELL + margin / 2, letter, 10.5, "#777"))
    return svg(margin + columns * CELL + TOP, rows * CELL + TOP + margin, parts)


def place_of_square(columns: int) -> Callable[[int, int], tuple[float, float, float]]:
    """`Rules.place` of a board that `squares_svg` draws as it is seen."""

    def place(cell: int, player: int) -> tuple[float, float, float]:
        x, y = middle(cell, columns)
        return MARGIN + x, TOP + y, CELL

    return place


@lru_cache(maxsize=4096)
def middle(cell: int, columns: int) -> tuple[float, float]:
    """The middle of a cell in a picture, from the board's top left corner."""
    return (cell % columns + 0.5) * CELL, (cell // columns + 0.5) * CELL
