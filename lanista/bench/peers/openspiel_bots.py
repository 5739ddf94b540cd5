"""OpenSpiel's C++ bots that play at random against each other, without any store."""

from __future__ import annotations

from itertools import count

import pyspiel

from lanista.bench.worker import Work, repeat


def begin(game: str) -> Work:
    """Seat two of them.

    Args:
        game: OpenSpiel's string.
    """
    loaded = pyspiel.load_game(game)
    seeds = count()

    def play() -> float:
        seed = next(seeds)
        bots = [pyspiel.make_uniform_random_bot(player, 2 * seed + player) for player in (0, 1)]
        for number in range(1000):
            pyspiel.evaluate_bots(loaded.new_initial_state(), bots, 1000 * seed + number)
        return 1000

    return lambda seconds: {"steps": repeat(play, seconds)}
