"""Games of a chess engine against itself through `play_games`."""

from __future__ import annotations

from itertools import count

from lanista.agents.contestant import load_agent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.random_openings import random_openings
from lanista.bench.worker import Work, repeat


def begin(engine: str, at_once: int) -> Work:
    """Seat the engine in both seats.

    Args:
        engine: a contestant's string.
        at_once: so many games are played together, and so many processes of the engine think.
    """
    agents = [load_agent(engine)]
    firsts = count(0, at_once)

    def play() -> float:
        first = next(firsts)
        seeds = range(first, first + at_once)
        openings = random_openings("chess", seeds, (8, 8))
        schedule = [Scheduled((0, 0), seed, opening) for seed, opening in zip(seeds, openings, strict=True)]
        games = [one for some in play_games("chess", agents, schedule, copies=at_once) for one in some]
        assert all(one.at_fault is None for one in games), [one.reason for one in games]
        return sum(len(one.moves) - 8 for one in games)

    play()
    return lambda seconds: {"steps": repeat(play, seconds)}
