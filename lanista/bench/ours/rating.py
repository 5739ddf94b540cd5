"""A tournament rated at once, intervals included."""

from __future__ import annotations

import numpy as np

from lanista.arena.ratings import Pair, rate
from lanista.bench.worker import Work, repeat

POINTS = (1.0, 0.5, 0.0)


def played(players: int, games: int) -> tuple[list[str], list[Pair]]:
    """Pairs of games between players whose strengths are some 150 Elo from each other; one in ten is drawn."""
    random = np.random.default_rng(0)
    elo = random.normal(0, 150, players)
    one = random.integers(players, size=games // 2)
    other = (one + random.integers(1, players, size=games // 2)) % players
    wins = 1 / (1 + 10 ** ((elo[other] - elo[one]) / 400))
    ends = np.stack([0.9 * wins, 0.1 + 0.9 * wins], axis=-1)
    results = (random.random((games // 2, 2, 1)) > ends[:, None]).sum(-1)  # (pairs, 2): win, draw, loss
    names = [f"player {number}" for number in range(players)]
    return names, [
        Pair(names[first], names[second], POINTS[a], POINTS[b])
        for first, second, (a, b) in zip(one, other, results.tolist(), strict=True)
    ]


def begin(players: int, games: int) -> Work:
    """Have the games played; a step is to rate them all."""
    names, pairs = played(players, games)

    def once() -> float:
        rate(pairs, names)
        return 1.0

    once()  # compiles, or loads what was compiled
    return lambda seconds: {"steps": repeat(once, seconds)}
