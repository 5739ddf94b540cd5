"""A tournament that lies in a store: what it takes to go on with it, and to write its report."""

from __future__ import annotations

import tempfile
from pathlib import Path

from lanista.agents.kinds.random import RandomAgent
from lanista.arena.report import write_report
from lanista.arena.store import Store
from lanista.arena.tournament import tournament
from lanista.bench.ours.tournament import SecondRandomAgent
from lanista.bench.worker import Work, repeat


def begin(game: str, games: int, doing: str) -> Work:
    """Play a tournament of random players into a store.

    Args:
        game: what is played.
        games: of the tournament.
        doing: "resume" asks for the same tournament again, of which nothing is missing; "report" writes its report.
    """
    scratch = tempfile.TemporaryDirectory()

    def store() -> Path:
        return Path(scratch.name, "t.sqlite")  # while somebody may ask, the folder is there

    def resume() -> float:
        tournament(game, [RandomAgent(), SecondRandomAgent()], games=games, db=store(), opening_plies=(0, 0))
        return games

    def write() -> float:
        with Store(store(), write=False) as opened:
            write_report(opened, Path(scratch.name, "report.html"))
        return games

    resume()  # plays it: the store is not there yet
    return lambda seconds: {"steps": repeat({"resume": resume, "report": write}[doing], seconds)}
