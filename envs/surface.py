"""How a game is played by hand on its picture: where each move is touched, and what the players' pieces look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from lanista.envs.boards import CELL, MARGIN, TOP, middle


class Touch(NamedTuple):
    """A cell that is touched, in the picture's units.

    Attributes:
        x, y: its middle; of a column where a stone falls, the middle of the cell where it comes to lie.
        size: its width.
        left, top, width, height: the area that may be touched, if it is more than the cell; else zeros.
    """

    x: float
    y: float
    size: float
    left: float = 0.0
    top: float = 0.0
    width: float = 0.0
    height: float = 0.0


class Piece(NamedTuple):
    """What can stand on a cell.

    Attributes:
        sign: as the notation of positions writes it.
        name: for people, such as `white knight`.
        drawing: SVG elements in a square of `CELL`.
    """

    sign: str
    name: str
    drawing: str


@dataclass(frozen=True)
class Surface:
    """A picture that can be played on.

    Attributes:
        touch: (state, action, turned) -> the cells that are touched for a move, in their order: one for a stone that
            is placed, two for a piece that goes from one to the other, none for what is said (a pass).
        colours: of each player's pieces.
        turned: (state, player or None, last action or None) -> the picture from the second player's side, where the
            players sit opposite each other.
        pieces: of all kinds, where they are not simply stones of the players' colours.
    """

    touch: Callable[[Any, int, bool], tuple[Touch, ...]]
    colours: tuple[str, str]
    turned: Callable[[Any, int | None, int | None], str] | None = None
    pieces: Callable[[], tuple[Piece, ...]] | None = None


def square(cell: int, columns: int) -> Touch:
    """A cell of a board that `squares_svg` draws."""
    x, y = middle(cell, columns)
    return Touch(MARGIN + x, TOP + y, CELL)
