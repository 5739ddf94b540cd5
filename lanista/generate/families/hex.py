"""Hex on boards of any size, with or without the swap."""

SPACE = {"size": range(3, 8), "swap": (False, True)}


def sensible(size: int, swap: bool) -> bool:
    """All are."""
    return True
