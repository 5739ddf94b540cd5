"""Tournaments of players that cost next to nothing, through a store on the disk: what the arena itself takes."""

from __future__ import annotations

import tempfile
from itertools import count
from pathlib import Path

from lanista.agents.kinds.random import RandomAgent
from lanista.arena.tournament import tournament
from lanista.bench.worker import Work, repeat


class SecondRandomAgent(RandomAgent):
    """The same player under another name: a tournament has nobody twice."""

    name = "random again"


def begin(game: str, games: int) -> Work:
    """Have two players at random.

    Args:
        game: what is played.
        games: of a tournament; each begins a store of its own.
    """
    scratch = tempfile.TemporaryDirectory()
    numbers = count()

    def play() -> float:
        store = Path(scratch.name) / "t.sqlite"
        for file in store.parent.iterdir():
            file.unlink()
        # From the empty board, as the peers play.
        tournament(game, [RandomAgent(), SecondRandomAgent()], games=games, db=store, seed=next(numbers),
                   opening_plies=(0, 0))  # fmt: skip
        return games

    return lambda seconds: {"steps": repeat(play, seconds)}
