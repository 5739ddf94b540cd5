"""The table of a tournament of a game of more than two players."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from lanista.arena.aggregates import Aggregate, drawn_means, mean_aggregates, superiority
from lanista.arena.multiplayer import ORDERS, Finish, Skill, rate_finishes
from lanista.arena.remarks import few, unplayed
from lanista.arena.store import Store
from lanista.arena.stored_games import NOBODY, Floats, Ints, StoredGames

MOST_UPDATES = 40_000  # of OpenSkill, some 0.1 ms each: of more games, fewer orders are averaged, at least 1
SURE = 0.95  # an order that is at least so sure is settled
WIDE = float(norm.ppf(0.975))


@dataclass(frozen=True)
class ManyRow:
    """One contestant's line.

    Attributes:
        rank: from 1; by skill, or by the mean return where all players of a game have the same one.
        name: the contestant.
        skill, low, high: OpenSkill's mean with the 95 % interval of its own deviation; who has not played is at 25.
        score: the share of the others at its table that it left behind, equals counting half, with its 95 % interval.
        mean_return: of its seats, with its 95 % interval. Both intervals draw whole openings with all their seatings.
        games: that count as played.
        distinct: games that differ from each other in seats or moves; only these are rated.
        faults: games in which it failed first.
        superior: how likely its score, or its mean return where that ranks, is above that of the one below, by the
            same draws; None for the last.
    """

    rank: int
    name: str
    skill: float
    low: float
    high: float
    score: Aggregate | None
    mean_return: Aggregate | None
    games: int
    distinct: int
    faults: int
    superior: float | None


@dataclass(frozen=True)
class Seat:
    """What a seat is worth, whoever sits there.

    Attributes:
        seat: from 1.
        score: the mean share of the others left behind.
        mean_return: the mean sum of rewards.
    """

    seat: int
    score: float
    mean_return: float


@dataclass(frozen=True)
class ManyTable:
    """The standings.

    Attributes:
        game: the game's string.
        rows: best first.
        seats: what each is worth.
        openings: over which games were played, each with its seatings: what the intervals draw.
        shared: all players of each game had the same return: they play together, and the mean return ranks them.
        games: how many games are stored.
        void: games that broke and count for nobody.
        complete: all games that were asked for have been played.
        standing: lines of the format's own contest.
    """

    game: str
    rows: tuple[ManyRow, ...]
    seats: tuple[Seat, ...]
    openings: int
    shared: bool
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
            f"{'#':>2}  {'name':{width}}  {'skill':>6}  {'95 % interval':>14}  {'score':>6}  {'95 % interval':>15}"
            f"  {'return':>8}  {'95 % interval':>19}  games"
        ]
        for row in self.rows:
            score, share = ("", "") if row.score is None else (f"{row.score.value:.1%}", _percent(row.score))
            mean, spread = (
                ("", "") if row.mean_return is None else (f"{row.mean_return.value:.4g}", _wide(row.mean_return))
            )
            notes = f"  {row.faults} faults" if row.faults else ""
            if row.distinct < row.games:
                notes += f"  {row.distinct} distinct"
            lines.append(
                f"{row.rank:>2}  {row.name:{width}}  {row.skill:>6.2f}  {f'{row.low:.2f} .. {row.high:.2f}':>14}"
                f"  {score:>6}  {share:>15}  {mean:>8}  {spread:>19}  {row.games:>5}{notes}"
            )
        lines += self.remarks()
        lines.extend(self.standing)
        return "\n".join(lines)

    def remarks(self) -> list[str]:
        """What is to be said below the table."""
        lines = ["Skill is OpenSkill's; score is the share of the others at the table that it left behind."]
        if self.shared:
            lines = ["All players of a game had the same return: they play together, and the mean return ranks them."]
        worth = ", ".join(f"{seat.seat}: {seat.score:.0%}" for seat in self.seats)
        if not self.shared and self.seats:
            lines.append(f"What each seat scores, whoever sits there: {worth}.")
        lines.extend(
            f"Enough games? {row.name} above {below.name} is {row.superior:.0%} sure."
            for row, below in zip(self.rows, self.rows[1:], strict=False)
            if row.superior is not None and row.superior < SURE
        )
        return lines + few(self.openings, "opening") + unplayed(self.void, self.complete)


def _percent(found: Aggregate) -> str:
    return f"{found.low:.1%} .. {found.high:.1%}"


def _wide(found: Aggregate) -> str:
    return f"{found.low:.4g} .. {found.high:.4g}"


def many_table_of(store: Store, names: Sequence[str] | None = None, *, complete: bool = True) -> ManyTable:
    """The standings of a store of a game of more than two players.

    Args:
        store: the games.
        names: rate only the games among these; None takes everyone who was entered.
        complete: what to say of it.
    """
    wanted = sorted(set(store.contestants() if names is None else names))
    games = store.games().among(wanted)
    distinct = games.distinct(perfect_information=store.setting("perfect_information") is not False)
    counted = games.take(~games.void)
    sitting = _sitting(counted, wanted)
    rated = games.take(distinct)
    skills = {skill.name: skill for skill in _skills(rated, _sitting(rated, wanted), wanted)}
    shares = _shares(counted.returns)
    shared = len(counted) > 0 and bool((counted.returns == counted.returns[:, :1]).all())
    failed = np.flatnonzero(counted.at_fault != NOBODY)
    faults = np.bincount(sitting[failed, counted.at_fault[failed]], minlength=len(wanted))
    played = np.bincount(sitting.ravel(), minlength=len(wanted))
    groups = counted.who * (int(counted.numbers.max(initial=0)) + 1) + counted.numbers
    scores, returns = (_Means.of(values, sitting, groups, wanted) for values in (shares, counted.returns))
    decisive = returns if shared else scores

    def by(name: str) -> tuple[float, str]:
        mean = returns.mean(name)
        return (-(mean.value if mean else -math.inf) if shared else -skills[name].mean, name)

    order = sorted(wanted, key=by)
    rows = []
    for rank, name in enumerate(order, 1):
        skill, at = skills[name], wanted.index(name)
        rows.append(
            ManyRow(
                rank=rank,
                name=name,
                skill=skill.mean,
                low=skill.mean - WIDE * skill.deviation,
                high=skill.mean + WIDE * skill.deviation,
                score=scores.mean(name),
                mean_return=returns.mean(name),
                games=int(played[at]),
                distinct=skill.games,
                faults=int(faults[at]),
                superior=decisive.superiority(name, order[rank]) if rank < len(order) else None,
            )
        )
    seats = tuple(
        Seat(seat + 1, float(shares[:, seat].mean()), float(counted.returns[:, seat].mean()))
        for seat in range(counted.returns.shape[1] if len(counted) else 0)
    )
    return ManyTable(
        game=str(store.setting("game")),
        rows=tuple(rows),
        seats=seats,
        openings=len(np.unique(groups)),
        shared=shared,
        games=len(games),
        void=int(games.void.sum()),
        complete=complete,
    )


def _sitting(games: StoredGames, names: Sequence[str]) -> Ints:
    """(n, players) which of the names sits where."""
    index = {name: at for at, name in enumerate(names)}
    players = games.returns.shape[1]
    met = np.array([[index.get(name, -1) for name in who] or [-1] * players for who in games.names], np.int64)
    return np.take_along_axis(met[games.who], games.seats, axis=1) if len(games) else np.zeros((0, 1), np.int64)


def _shares(returns: Floats) -> Floats:
    """(n, players) the share of the others at its table that each seat left behind, equals counting half."""
    mine, theirs = returns[:, :, None], returns[:, None, :]
    beaten = (mine > theirs).sum(axis=2) + 0.5 * (mine == theirs).sum(axis=2) - 0.5
    shares: Floats = beaten / max(1, returns.shape[1] - 1)
    return shares


@dataclass(frozen=True)
class _Means:
    """Mean values of contestants, with draws of whole openings.

    Attributes:
        names: of those who played.
        means: of each.
        drawn: (draws, names)
    """

    names: tuple[str, ...]
    means: tuple[Aggregate, ...]
    drawn: Floats

    @classmethod
    def of(cls, values: Floats, sitting: Ints, groups: Ints, names: Sequence[str]) -> _Means:
        """Of the values (n, players) of the seats, games drawn by their groups (n,)."""
        if not len(values):
            return cls((), (), np.zeros((0, 0)))
        keys, at = np.unique(groups, return_inverse=True)
        place = (at[:, None] * len(names) + sitting).ravel()
        size = len(keys) * len(names)
        sums = np.bincount(place, values.ravel(), minlength=size).reshape(-1, len(names)).astype(np.float64)
        counts = np.bincount(place, minlength=size).reshape(-1, len(names)).astype(np.float64)
        there = np.flatnonzero(counts.sum(axis=0))
        sums, counts = sums[:, there], counts[:, there]
        drawn = drawn_means(sums, counts)
        return cls(tuple(names[who] for who in there.tolist()), tuple(mean_aggregates(sums, counts, drawn)), drawn)

    def mean(self, name: str) -> Aggregate | None:
        """Of one contestant; None if it has not played."""
        return self.means[self.names.index(name)] if name in self.names else None

    def superiority(self, name: str, below: str) -> float | None:
        """How likely the one's is above the other's; None if one has not played."""
        if name not in self.names or below not in self.names:
            return None
        return superiority(self.drawn, self.names.index(name), self.names.index(below))


def _skills(games: StoredGames, sitting: Ints, names: Sequence[str]) -> list[Skill]:
    finishes = [
        Finish(tuple(names[at] for at in who), tuple(returns))
        for who, returns in zip(sitting.tolist(), games.returns.tolist(), strict=True)
    ]
    return rate_finishes(finishes, names, orders=max(1, min(ORDERS, MOST_UPDATES // max(1, len(finishes)))))
