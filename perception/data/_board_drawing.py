"""Boards of Connect Four and tic-tac-toe, drawn in many styles: flat pictures, before a camera sees them."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import Any

import numpy as np

Colour = tuple[int, int, int]
CELL = {7: 30, 3: 64}  # pixels of a cell, by the columns of the board: both boards come out about as large
RED_HUE = 0.045  # of the whole circle: how far from red something is still called red


@dataclass(frozen=True)
class Flat:
    """A board seen from straight above.

    Attributes:
        picture: RGBA, as PIL has it; what is outside of the board is transparent.
        text: what lies on it: rows from the top with `/` between them, "." empty, "x" and "o".
        ground: what it must lie on to be seen, where it is drawn on nothing; None where it has a ground of its own.
    """

    picture: Any
    text: str
    ground: Colour | None = None


def play(chance: np.random.Generator, rows: int, columns: int, k: int, falling: bool) -> str:
    """A position after some random legal moves; none is made after a win."""
    board = np.zeros((rows, columns), np.int8)
    for ply in range(int(chance.integers(rows * columns + 1))):
        free = np.argwhere(board[:1] == 0) if falling else np.argwhere(board == 0)
        row, column = free[chance.integers(len(free))]
        if falling:
            row = np.flatnonzero(board[:, column] == 0)[-1]
        board[row, column] = 1 + ply % 2
        if _wins(board, int(row), int(column), k):
            break
    return "/".join("".join(".xo"[stone] for stone in line) for line in board)


def _wins(board: np.ndarray, row: int, column: int, k: int) -> bool:
    stone = board[row, column]
    for down, right in ((0, 1), (1, 0), (1, 1), (1, -1)):
        run = 1
        for sign in (1, -1):
            y, x = row + sign * down, column + sign * right
            while 0 <= y < board.shape[0] and 0 <= x < board.shape[1] and board[y, x] == stone:
                run, y, x = run + 1, y + sign * down, x + sign * right
        if run >= k:
            return True
    return False


# --- colours


def any_colour(chance: np.random.Generator, light: tuple[float, float] = (0, 1), rich: float = 1.0) -> Colour:
    """A colour of any hue with a lightness between two bounds."""
    hue, saturation = chance.random(), chance.random() * rich
    red, green, blue = colorsys.hls_to_rgb(hue, chance.uniform(*light), saturation)
    return round(255 * red), round(255 * green), round(255 * blue)


def redness(colour: Colour) -> float:
    """How red a colour is, in [0, 1]: what is near red on the circle of hues, and not grey, dark or pale."""
    hue, light, saturation = colorsys.rgb_to_hls(*(part / 255 for part in colour))
    far = min(hue, 1 - hue)
    return saturation * min(1.0, 2.5 * min(light, 1 - light)) * max(0.0, 1 - far / (2 * RED_HUE))


def luminance(colour: Colour) -> float:
    """As the eye weighs it, in [0, 255]."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def sides(chance: np.random.Generator) -> tuple[Colour, Colour]:
    """Colours of two sides' discs that can be told apart; the red side begins, and without one the darker."""

    def near(red: int, green: int, blue: int) -> Colour:
        moved = np.array([red, green, blue]) + chance.normal(0, 18, 3)
        return tuple(int(part) for part in moved.clip(0, 255))  # type: ignore[return-value]

    red, yellow, black, white = (210, 40, 50), (240, 205, 60), (45, 45, 50), (240, 240, 236)
    blue, green, orange = (40, 80, 200), (50, 150, 80), (240, 150, 50)
    pairs = [(red, yellow)] * 6 + [(red, black)] * 3 + [(red, white), (red, blue), (red, green)] + [(black, white)] * 4
    pairs += [(blue, yellow), (blue, orange), (black, yellow), (green, white), (blue, white), (black, orange)]
    one, other = pairs[chance.integers(len(pairs))]
    if chance.random() < 0.12:
        for _ in range(20):
            first, second = any_colour(chance, (0.1, 0.9)), any_colour(chance, (0.1, 0.9))
            if np.linalg.norm(np.subtract(first, second)) < 130:
                continue
            redder = redness(first) - redness(second)
            if abs(redder) > 0.3:
                return (first, second) if redder > 0 else (second, first)
            darker = luminance(second) - luminance(first)
            if max(redness(first), redness(second)) < 0.15 and abs(darker) > 60:
                return (first, second) if darker > 0 else (second, first)
    return near(*one), near(*other)


def apart(chance: np.random.Generator, others: list[Colour], least: float = 70, **how: Any) -> Colour:
    """A colour that differs from some others."""
    best, far = (0, 0, 0), -1.0
    for _ in range(12):
        colour = any_colour(chance, **how)
        nearest = min(float(np.linalg.norm(np.subtract(colour, other))) for other in others)
        if nearest > least:
            return colour
        if nearest > far:
            best, far = colour, nearest
    return best


def shaded(colour: Colour, by: float) -> Colour:
    """Lighter (by > 0) or darker."""
    goal = 255 if by > 0 else 0
    return tuple(round(part + (goal - part) * abs(by)) for part in colour)  # type: ignore[return-value]


# --- boards


def draw_rack(chance: np.random.Generator, text: str) -> Flat:
    """Connect Four: a rack with holes, discs in them; or discs on squares."""
    from PIL import Image, ImageDraw

    lines = text.split("/")
    first, second = sides(chance)
    board: Colour = (31, 78, 140)
    kind = chance.random()
    if kind < 0.55:
        board = tuple(int(part) for part in (np.array([35, 75, 170]) + chance.normal(0, 25, 3)).clip(0, 255))  # type: ignore[assignment]
    elif kind < 0.8:
        board = apart(chance, [first, second], 80)
    else:  # wood, white or grey
        board = apart(chance, [first, second], 70, light=(0.35, 0.95), rich=0.5)
    pale = chance.random()
    hole = (
        any_colour(chance, (0.88, 1.0), 0.4)
        if pale < 0.6
        else shaded(board, float(chance.uniform(-0.6, 0.6)))
        if pale < 0.8
        else any_colour(chance, (0.05, 0.95), 0.4)
    )
    if min(np.linalg.norm(np.subtract(hole, each)) for each in (first, second)) < 90:
        hole = apart(chance, [first, second], 110, rich=0.4)
    cell = CELL[7]
    sides_of = [round(cell * chance.uniform(0, 0.7)) for _ in range(2)]
    left, top = sides_of[0], sides_of[1]
    bottom = top + round(cell * (chance.uniform(0, 0.8) if chance.random() < 0.3 else 0))
    size = (7 * cell + 2 * left, 6 * cell + top + bottom)
    picture = Image.new("RGBA", size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(picture)
    pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), cell * chance.uniform(0, 0.5), (*board, 255))
    radius, disc = chance.uniform(0.33, 0.49), chance.uniform(0.86, 1.08)
    rim = shaded(board, float(chance.uniform(-0.5, 0.4)))
    edge = int(chance.integers(0, 3))
    squares, ring = chance.random() < 0.08, chance.random()
    ring_by, ring_at = float(chance.uniform(-0.4, 0.4)), chance.uniform(0.35, 0.8)
    last = chance.integers(42) if chance.random() < 0.3 else -1
    numbered = top > 0.35 * cell and chance.random() < 0.25
    for place in range(42):
        row, column = divmod(place, 7)
        x, y, r = left + (column + 0.5) * cell, top + (row + 0.5) * cell, radius * cell
        box = (x - r, y - r, x + r, y + r)
        if squares:
            pen.rectangle((x - cell / 2, y - cell / 2, x + cell / 2, y + cell / 2), hole, rim, max(1, edge))
        else:
            pen.ellipse(box, hole, rim, edge)
        sign = lines[row][column]
        if sign != ".":
            colour = first if sign == "x" else second
            r = min(0.49, radius * disc) * cell
            box = (x - r, y - r, x + r, y + r)
            marked = place == last
            pen.ellipse(box, colour, (255, 255, 255) if marked else shaded(colour, -0.3), 2 if marked else edge)
            if ring < 0.45:
                r *= ring_at
                pen.ellipse((x - r, y - r, x + r, y + r), None if ring < 0.2 else shaded(colour, ring_by),
                            shaded(colour, ring_by), 2)  # fmt: skip
    if numbered:
        for column in range(7):
            pen.text((left + (column + 0.5) * cell, top / 2), str(column + 1), shaded(board, 0.8), anchor="mm")
    return Flat(picture, text)


def draw_grid(chance: np.random.Generator, text: str) -> Flat:
    """Tic-tac-toe: lines, tiles or a wooden board; crosses and noughts in many hands, or discs."""
    from PIL import Image, ImageDraw

    lines, cell = text.split("/"), CELL[3]
    dark = chance.random() < 0.25
    ground = any_colour(chance, (0.03, 0.3) if dark else (0.6, 1.0), 0.8)
    if chance.random() < 0.25:
        ground = tuple(int(part) for part in (np.array([222, 184, 110]) + chance.normal(0, 22, 3)).clip(0, 255))  # type: ignore[assignment]
    margins = [round(cell * (chance.uniform(0, 0.6) if chance.random() < 0.6 else 0)) for _ in range(4)]
    left, top, right, bottom = margins
    size = (3 * cell + left + right, 3 * cell + top + bottom)
    clear = chance.random() < 0.3  # drawn straight on the background, as on paper
    picture = Image.new("RGBA", size, (*ground, 0))
    pen = ImageDraw.Draw(picture)
    if not clear:
        pen.rounded_rectangle((0, 0, size[0] - 1, size[1] - 1), cell * chance.uniform(0, 0.25), (*ground, 255))
    line = apart(chance, [ground], 60)
    wide = round(cell * chance.uniform(0.02, 0.16))
    if chance.random() < 0.3:  # tiles
        tile = shaded(ground, float(chance.uniform(-0.45, 0.45)))
        gap = cell * chance.uniform(0.02, 0.1)
        for place in range(9):
            x, y = left + place % 3 * cell, top + place // 3 * cell
            box = (x + gap, y + gap, x + cell - gap, y + cell - gap)
            pen.rounded_rectangle(box, cell * chance.uniform(0, 0.2), (*tile, 255), line, int(chance.integers(0, 4)))
        below = [ground, tile]
    else:
        framed = chance.random() < 0.5
        for number in range(0 if framed else 1, 4 if framed else 3):
            pen.line((left + number * cell, top, left + number * cell, top + 3 * cell), (*line, 255), wide)
            pen.line((left, top + number * cell, left + 3 * cell, top + number * cell), (*line, 255), wide)
        below = [ground]
    marks = _discs if chance.random() < 0.28 else _signs
    marks(pen, chance, lines, (left, top, cell), below)
    return Flat(picture, text, ground if clear else None)


def _discs(pen: Any, chance: np.random.Generator, lines: list[str], where: tuple[int, int, int], below: Any) -> None:
    first, second = sides(chance)
    left, top, cell = where
    radius, edge = cell * chance.uniform(0.28, 0.46), int(chance.integers(1, 4))
    last = chance.integers(9) if chance.random() < 0.4 else -1
    for place in range(9):
        sign = lines[place // 3][place % 3]
        if sign == ".":
            continue
        x, y = left + (place % 3 + 0.5) * cell, top + (place // 3 + 0.5) * cell
        colour = first if sign == "x" else second
        outline = (214, 69, 69) if place == last else shaded(colour, -0.6)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), (*colour, 255), (*outline, 255), edge)


def _signs(pen: Any, chance: np.random.Generator, lines: list[str], where: tuple[int, int, int], below: Any) -> None:
    left, top, cell = where
    cross = apart(chance, below, 90)
    nought = cross if chance.random() < 0.35 else apart(chance, below, 90)
    wide = [max(3, round(cell * chance.uniform(0.05, 0.2))) for _ in range(2)]
    reach = [cell * chance.uniform(0.22, 0.42) for _ in range(2)]
    hand = cell * (chance.uniform(0, 0.06) if chance.random() < 0.5 else 0)
    patch = chance.random() < 0.12  # the marks come with a ground of their own
    own = any_colour(chance, (0.0, 1.0))
    patched = patch and min(np.linalg.norm(np.subtract(own, each)) for each in (cross, nought)) > 90
    for place in range(9):
        sign = lines[place // 3][place % 3]
        if sign == ".":
            continue
        x = left + (place % 3 + 0.5) * cell + chance.normal(0, hand)
        y = top + (place // 3 + 0.5) * cell + chance.normal(0, hand)
        if patched:
            half = cell * 0.42
            pen.rectangle((x - half, y - half, x + half, y + half), (*own, 255))
        if sign == "x":
            r, w = reach[0], wide[0]
            for way in (1, -1):
                ends = np.array([x - r, y - way * r, x + r, y + way * r]) + chance.normal(0, hand, 4)
                pen.line(tuple(ends), (*cross, 255), w)
                for ex, ey in (ends[:2], ends[2:]):
                    pen.ellipse((ex - w / 2, ey - w / 2, ex + w / 2, ey + w / 2), (*cross, 255))
        else:
            r, w = reach[1], wide[1]
            rx, ry = r + chance.normal(0, hand), r + chance.normal(0, hand)
            pen.ellipse((x - rx, y - ry, x + rx, y + ry), None, (*nought, 255), min(w, int(0.7 * r)))
