"""The simple reader of boards: cut into equal cells, clustered by colour."""

from __future__ import annotations

import numpy as np

from lanista.perception.data._board_drawing import luminance, redness

SHAPES = ((6, 7), (3, 3))
INSIDE = 0.6  # of a cell's side, looked at
ROUNDS = 20  # of the clustering


def read_board(picture: np.ndarray) -> str:
    """The position on a picture (h, w, 3) of bytes: the board whose cells are the more alike inside, as a text."""
    values = _cropped(picture.astype(np.float32))
    found = [_position(values, *shape) for shape in SHAPES]
    return min(found)[1]


def _cropped(values: np.ndarray) -> np.ndarray:
    """What differs from the picture's edge."""
    edge = np.median(np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]]), 0)
    differs = np.linalg.norm(values - edge, axis=-1) > 40
    rows, columns = np.flatnonzero(differs.mean(1) > 0.1), np.flatnonzero(differs.mean(0) > 0.1)
    if len(rows) < 12 or len(columns) < 12:
        return values
    return values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _position(values: np.ndarray, rows: int, columns: int) -> tuple[float, str]:
    """(how much the cells differ inside, the position) if the board fills the picture."""
    high, wide = values.shape[0] / rows, values.shape[1] / columns
    means, spread = [], []
    for row in range(rows):
        for column in range(columns):
            y, x = (row + 0.5) * high, (column + 0.5) * wide
            half_y, half_x = max(1.0, high * INSIDE / 2), max(1.0, wide * INSIDE / 2)
            cell = values[round(y - half_y) : round(y + half_y), round(x - half_x) : round(x + half_x)].reshape(-1, 3)
            means.append(cell.mean(0))
            spread.append(cell.std(0).mean())
    colours = np.array(means)
    kinds, centres = _clustered(colours)
    empty = _empty(kinds.reshape(rows, columns))
    others = sorted((number for number in range(3) if number != empty), key=lambda number: _order(centres[number]))
    signs = {empty: ".", others[0]: "x", others[1]: "o"}
    text = "/".join("".join(signs[kind] for kind in line) for line in kinds.reshape(rows, columns).tolist())
    return float(np.mean(spread)), text


def _order(colour: np.ndarray) -> tuple[float, float]:
    """The red side begins, and without one the darker."""
    rounded = (int(colour[0]), int(colour[1]), int(colour[2]))
    return -round(redness(rounded), 1), luminance(rounded)


def _clustered(colours: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Three clusters (k-means from the most distant colours): the number of each, and their middles."""
    centres = [colours.mean(0)]
    for _ in range(3):
        far = np.min([np.linalg.norm(colours - centre, axis=1) for centre in centres], 0)
        centres.append(colours[far.argmax()])
    middles = np.array(centres[1:])
    kinds = np.zeros(len(colours), np.int64)
    for _ in range(ROUNDS):
        kinds = np.linalg.norm(colours[:, None] - middles[None], axis=2).argmin(1)
        middles = np.array([colours[kinds == k].mean(0) if (kinds == k).any() else middles[k] for k in range(3)])
    return kinds, middles


def _empty(kinds: np.ndarray) -> int:
    """The cluster of the empty cells: the commonest of the upper half, for stones fall and boards are seldom full."""
    counts = np.bincount(kinds[: (len(kinds) + 1) // 2].ravel(), minlength=3) * 1.01 + np.bincount(
        kinds.ravel(), minlength=3
    )
    return int(counts.argmax())
