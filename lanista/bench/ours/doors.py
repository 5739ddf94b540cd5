"""A game of another library, random play through the public `make`, `turn()` and `step()`."""

from lanista.bench.drawn_actions import drawn_actions
from lanista.bench.worker import Work, repeat
from lanista.envs import make


def begin(game: str, copies: int) -> Work:
    """Make `copies` games that restart by themselves.

    Args:
        game: a door's string.
        copies: stepped together.
    """
    table = make(game, copies)
    table.reset(0)
    actions = list(drawn_actions(table.spec.roles[0].action, copies))

    def play() -> float:
        moves = 0
        for drawn in actions:
            rows = len(table.turn())
            table.step(drawn if rows == copies else drawn[:rows])
            moves += rows
        return moves

    return lambda seconds: {"steps": repeat(play, seconds)}
