"""Some number in a row on a board of any shape, with or without gravity."""

SPACE = {"rows": range(3, 9), "columns": range(3, 10), "k": range(3, 6), "gravity": (False, True)}
MOST_CELLS = 49  # without gravity every cell is a move, and search takes long


def sensible(rows: int, columns: int, k: int, gravity: bool) -> bool:
    """The line fits lengthwise; without gravity a board and the same board on its side are one."""
    return k <= max(rows, columns) and (gravity or (rows <= columns and rows * columns <= MOST_CELLS))
