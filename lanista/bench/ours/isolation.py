"""An agent in a process of its own: the CPU time that a move costs the process which seats it."""

from __future__ import annotations

from itertools import count
from pathlib import Path

from lanista.agents.contestant import load_agent
from lanista.agents.match import Scheduled, play_games
from lanista.bench.worker import Work, repeat_alone

AGENT = Path(__file__).with_name("first_legal.py")


def begin(game: str, at_once: int) -> Work:
    """Seat one that answers at once, in both seats.

    Args:
        game: what is played.
        at_once: so many games are played together: a message holds the rows of all of them.
    """
    agents = [load_agent(f"py:{AGENT}:FirstLegal")]
    firsts = count(0, 4 * at_once)

    def play() -> float:
        first = next(firsts)
        schedule = [Scheduled((0, 0), first + number) for number in range(4 * at_once)]
        games = [one for some in play_games(game, agents, schedule, copies=at_once) for one in some]
        assert all(one.at_fault is None for one in games), games[0].reason
        return sum(len(one.moves) for one in games)

    play()  # the player's process is begun
    return lambda seconds: repeat_alone(play, seconds)
