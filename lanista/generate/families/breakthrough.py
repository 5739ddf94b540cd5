"""Breakthrough on boards of any shape."""

SPACE = {"rows": range(4, 11), "columns": range(2, 10)}
MOST_CELLS = 64  # search takes long on larger boards


def sensible(rows: int, columns: int) -> bool:
    """Any shape is, with few or many rows between the sides."""
    return rows * columns <= MOST_CELLS
