"""Gomoku: five or more in a row on a board without gravity. Moves are cells, `a1` to `o15`."""

from lanista.envs.games import mnk
from lanista.envs.rules import Rules


def rules(size: int = 15) -> Rules:
    """The rules of freestyle Gomoku.

    Args:
        size: the board's side, 5 to 26.
    """
    return mnk.named("gomoku" if size == 15 else f"gomoku:size={size}", rows=size, columns=size, k=5)
