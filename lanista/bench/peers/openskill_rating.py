"""The same games through OpenSkill, one after the other, as its users do."""

from __future__ import annotations

from openskill.models import PlackettLuce

from lanista.bench.ours.rating import played
from lanista.bench.worker import Work, repeat


def begin(players: int, games: int) -> Work:
    """Have the games played; a step is to rate them all."""
    names, pairs = played(players, games)
    rows = [
        (pair.one, pair.other, [points, 1 - points])
        for pair in pairs
        for points in (pair.as_first, pair.as_second)
        if points is not None
    ]

    def once() -> float:
        model = PlackettLuce()
        ratings = {name: model.rating(name=name) for name in names}
        for one, other, scores in rows:
            ((ratings[one],), (ratings[other],)) = model.rate([[ratings[one]], [ratings[other]]], scores=scores)
        return 1.0

    return lambda seconds: {"steps": repeat(once, seconds)}
