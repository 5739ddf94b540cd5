"""The table of a tournament of a game of one player: everyone's scores on the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lanista.arena.aggregates import Aggregate, paired_improvement, score_aggregates
from lanista.arena.remarks import few, unplayed
from lanista.arena.store import Store
from lanista.arena.stored_games import NOBODY, Floats


@dataclass(frozen=True)
class ScoreRow:
    """One contestant's line.

    Attributes:
        rank: from 1, by the mean.
        name: the contestant.
        mean, middle: of its scores and of their middle half (the interquartile mean), each with its 95 % interval; None
            where none of its games counts.
        least, median, greatest: of its scores.
        improvement: how often it scores more than the one below on the same seed, equals counting half, with its 95 %
            interval; None for the last, or where they share no seed.
        games: that count.
        faults: games that it ended by a fault; the score of each is the game's least, or less than all before.
    """

    rank: int
    name: str
    mean: Aggregate | None
    middle: Aggregate | None
    least: float
    median: float
    greatest: float
    improvement: Aggregate | None
    games: int
    faults: int


@dataclass(frozen=True)
class ScoreTable:
    """The standings of scores.

    Attributes:
        game: the game's string.
        rows: by mean score, best first.
        games: how many games are stored.
        void: games that broke and count for nobody.
        complete: all games that were asked for have been played.
        standing: lines of the format's own contest.
    """

    game: str
    rows: tuple[ScoreRow, ...]
    games: int
    void: int
    complete: bool = True
    standing: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    def __str__(self) -> str:
        """The table as people read it in a terminal."""
        width = max([len(row.name) for row in self.rows] + [4])
        lines = [
            f"{'#':>2}  {'name':{width}}  {'mean':>9}  {'95 % interval':>20}"
            f"  {'middle half':>11}  {'95 % interval':>20}  {'above next':>10}  games"
        ]
        for row in self.rows:
            above = "" if row.improvement is None else f"{row.improvement.value:.0%}"
            notes = f"  {row.faults} faults" if row.faults else ""
            lines.append(
                f"{row.rank:>2}  {row.name:{width}}  {_value(row.mean):>9}  {_interval(row.mean):>20}"
                f"  {_value(row.middle):>11}  {_interval(row.middle):>20}  {above:>10}  {row.games:>5}{notes}"
            )
        return "\n".join([*lines, *self.remarks(), *self.standing])

    def remarks(self) -> list[str]:
        """What is to be said below the table."""
        lines = ["Scores of the same seeds; above next: how often it scores more than the next one on a seed."]
        lines.extend(
            f"Enough games? {row.name} above {below.name} is not settled: on {row.improvement.low:.0%} to "
            f"{row.improvement.high:.0%} of the seeds it is ahead."
            for row, below in zip(self.rows, self.rows[1:], strict=False)
            if row.improvement is not None and row.improvement.low <= 0.5 <= row.improvement.high
        )
        least = min((row.games for row in self.rows), default=0)
        return lines + few(least, "game") + unplayed(self.void, self.complete)


def _value(found: Aggregate | None) -> str:
    return "" if found is None else f"{found.value:.5g}"


def _interval(found: Aggregate | None) -> str:
    return "" if found is None else f"{found.low:.5g} .. {found.high:.5g}"


def score_table_of(store: Store, names: Sequence[str] | None = None, *, complete: bool = True) -> ScoreTable:
    """The standings of a store of a game of one player.

    Args:
        store: the games.
        names: only these; None takes everyone who was entered.
        complete: what to say of it.
    """
    wanted = sorted(set(store.contestants() if names is None else names))
    games = store.games().among(wanted)
    counted = ~games.void
    who = np.array([wanted.index(met[0]) if met and met[0] in wanted else -1 for met in games.names], np.int64)
    whose = who[games.who] if len(games) else np.zeros(0, np.int64)
    scores: list[dict[int, float]] = []  # of each contestant, number of the seed -> score
    for index in range(len(wanted)):
        mine = counted & (whose == index)
        scores.append(dict(zip(games.numbers[mine].tolist(), games.returns[mine, 0].tolist(), strict=True)))
    order = sorted(
        range(len(wanted)),
        key=lambda index: (-np.mean(list(scores[index].values())) if scores[index] else np.inf, wanted[index]),
    )
    rows = []
    for rank, index in enumerate(order, 1):
        mine = np.array(list(scores[index].values()))
        mean, middle = score_aggregates(mine) if len(mine) else (None, None)
        rows.append(
            ScoreRow(
                rank=rank,
                name=wanted[index],
                mean=mean,
                middle=middle,
                least=float(mine.min(initial=np.inf)) if len(mine) else 0.0,
                median=float(np.median(mine)) if len(mine) else 0.0,
                greatest=float(mine.max(initial=-np.inf)) if len(mine) else 0.0,
                improvement=_ahead(scores[index], scores[order[rank]]) if rank < len(order) else None,
                games=len(mine),
                faults=int((counted & (whose == index) & (games.at_fault != NOBODY)).sum()),
            )
        )
    return ScoreTable(str(store.setting("game")), tuple(rows), len(games), int(games.void.sum()), complete)


def _ahead(mine: dict[int, float], other: dict[int, float]) -> Aggregate | None:
    """How often the one is ahead of the other on the seeds that both played."""
    both = sorted(mine.keys() & other.keys())
    if not both:
        return None

    def of(scores: dict[int, float]) -> Floats:
        return np.array([scores[number] for number in both])

    return paired_improvement(of(mine), of(other))
