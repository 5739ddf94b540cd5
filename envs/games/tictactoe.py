"""Tic-tac-toe: three in a row on three by three. Moves are cells, `a1` to `c3`."""

from lanista.envs.games import mnk
from lanista.envs.rules import Rules


def rules() -> Rules:
    """The rules of tic-tac-toe."""
    return mnk.named("tictactoe", rows=3, columns=3, k=3)
