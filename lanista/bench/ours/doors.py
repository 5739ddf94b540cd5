"""A game of another library, random play through the public `make`, `turn()` and `step()`."""

from lanista.bench.drawn_actions import PLIES, drawn_actions
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
        for drawn in actions:
            turn = table.turn()
            table.step(drawn if len(turn) == copies else drawn[: len(turn)])
        return PLIES * copies  # steps of the environments, those included in which one begins anew

    return lambda seconds: {"steps": repeat(play, seconds)}
