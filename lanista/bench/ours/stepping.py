"""Connect Four, random legal play through the public `make`, `turn()` and `step()`."""

from lanista.bench.worker import Work, repeat
from lanista.envs import make
from lanista.envs.draws import random_legal

PLIES = 100  # between two looks at the clock


def begin(game: str, copies: int) -> Work:
    """Make `copies` games that restart by themselves."""
    table = make(game, copies)
    table.reset(0)

    def play() -> float:
        for _ in range(PLIES):
            turn = table.turn()  # every row's observation and legal actions are made here
            table.step(random_legal(turn.legal, turn.draws))
        return PLIES * copies

    return lambda seconds: {"steps": repeat(play, seconds)}
