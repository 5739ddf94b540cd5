"""The table of a tournament, computed from its store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from lanista.arena.insight import Insight, Repeats, insight_of
from lanista.arena.ratings import MISSING, RESULTS, Ratings, Tally, rate
from lanista.arena.remarks import unplayed
from lanista.arena.store import Store
from lanista.arena.stored_games import NOBODY, Floats, Ints, StoredGames
from lanista.envs.core import Bools
from lanista.errors import UsageError

POINTS = np.array(RESULTS)
TURNED = (2, 1, 0, MISSING)  # cells of the tally as the opponent sees them


@dataclass(frozen=True)
class Row:
    """One contestant's line.

    Attributes:
        rank: from 1, by rating.
        name: the contestant.
        elo, low, high: its rating with the 95 % interval; the mean of all is 0 unless there are anchors.
        score: its share of the points, in [0, 1].
        wins, draws, losses, games: of all its games that count as played.
        distinct: games that differ from each other in seats or moves; only these are rated.
        faults: games that it lost by a fault.
        superior: how likely it is stronger than the one below; None for the last.
    """

    rank: int
    name: str
    elo: float
    low: float
    high: float
    score: float
    wins: int
    draws: int
    losses: int
    games: int
    distinct: int
    faults: int
    superior: float | None


@dataclass(frozen=True)
class Table:
    """A tournament's standings.

    Attributes:
        game: the game's string.
        rows: by rating, best first.
        cross: (name, name) -> points and games of the first against the second.
        advantage: what sitting first is worth, in Elo, with its 95 % interval.
        draw_share: of draws between equals.
        games: how many games are stored.
        void: games that broke and count for nobody.
        insight: repeated games, whether they were enough, cycles.
        complete: all games that were asked for have been played.
        standing: lines that tell how the format's own contest stands, such as the rounds of a knockout.
        anchors: who was held at which Elo.
        endings: reason -> games that it ended, where that is neither the rules' end nor somebody's fault.
    """

    game: str
    rows: tuple[Row, ...]
    cross: dict[tuple[str, str], tuple[float, int]]
    advantage: tuple[float, float, float]
    draw_share: float
    games: int
    void: int
    insight: Insight
    complete: bool = True
    standing: tuple[str, ...] = ()
    anchors: dict[str, float] = field(default_factory=dict)
    endings: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        cross = [
            {"name": one, "against": other, "points": points, "games": games}
            for (one, other), (points, games) in sorted(self.cross.items())
        ]
        plain = asdict(self)
        insight: dict[str, Any] = plain.pop("insight")
        return plain | insight | {"rows": [asdict(row) for row in self.rows], "cross": cross}

    def __str__(self) -> str:
        """The table as people read it in a terminal."""
        width = max([len(row.name) for row in self.rows] + [4])
        lines = [f"{'#':>2}  {'name':{width}}  {'Elo':>6}  {'95 % interval':>15}  {'score':>6}  {'W/D/L':>13}  games"]
        for row in self.rows:
            record = f"{row.wins}/{row.draws}/{row.losses}"
            interval = f"{row.low:+.0f} .. {row.high:+.0f}"
            notes = f"  {row.faults} faults" if row.faults else ""
            if row.distinct < row.games:
                notes += f"  {row.distinct} distinct"
            lines.append(
                f"{row.rank:>2}  {row.name:{width}}  {row.elo:>+6.0f}  {interval:>15}  {row.score:>6.1%}  {record:>13}"
                f"  {row.games:>5}{notes}"
            )
        worth, low, high = self.advantage
        lines.append(f"Sitting first is worth {worth:+.0f} Elo ({low:+.0f} .. {high:+.0f}).")
        if self.endings:
            lines.append(f"Not by the rules nor by a fault ended: {in_words(self.endings)}.")
        if insight := str(self.insight):
            lines.append(insight)
        lines += unplayed(self.void, self.complete)
        lines.extend(self.standing)
        return "\n".join(lines)


def in_words(endings: Mapping[str, int]) -> str:
    """How many games ended how, the most first."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(endings.items(), key=lambda each: -each[1]))


def endings_of(games: StoredGames) -> dict[str, int]:
    """How many games ended how, where that is neither the rules' end nor somebody's fault."""
    counted = Counter(zip(games.reasons, (games.at_fault == NOBODY).tolist(), strict=True))
    return {reason: count for (reason, nobody), count in sorted(counted.items()) if nobody and reason != "end"}


def tally_of(games: StoredGames, distinct: Bools, names: tuple[str, ...]) -> Tally:
    """What was observed: the two games of each opening together, each distinct game counted once.

    Args:
        games: what was played, by two each.
        distinct: (n,) which of them count.
        names: of all who played, and maybe others, sorted.
    """
    cells: dict[tuple[int, int], Floats] = {}
    if len(games):
        begins = np.concatenate([[True], (np.diff(games.who) != 0) | (np.diff(games.numbers) != 0)])
        opening = np.cumsum(begins) - 1  # (n,) which pair of games it is of
        of_first = _cells(games)
        pairs = np.full((opening[-1] + 1, 2), MISSING)
        pairs[opening[distinct], games.legs[distinct]] = of_first[distinct]
        flat = np.bincount(16 * games.who[begins] + 4 * pairs[:, 0] + pairs[:, 1], minlength=16 * len(games.names))
        index = {name: at for at, name in enumerate(names)}
        for (one, other), found in zip(games.names, flat.reshape(-1, 4, 4).astype(np.float64), strict=True):
            found[MISSING, MISSING] = 0
            if not found.any():
                continue
            at = (index[one], index[other])
            if one > other:  # from the other's side, and it sat first in the second game
                at, found = at[::-1], found.T[np.ix_(TURNED, TURNED)]
            cells[at] = cells.get(at, 0.0) + found
    who = sorted(cells)
    counts = np.array([cells[each] for each in who]) if who else np.zeros((0, 4, 4))
    return Tally(names, np.array(who, np.int64).reshape(-1, 2), counts)


def _cells(games: StoredGames) -> Ints:
    """(n,) what the first of the two names did: 0 won, 1 drew, 2 lost."""
    rows = np.arange(len(games))
    mine, theirs = games.returns[rows, games.legs], games.returns[rows, 1 - games.legs]
    found: Ints = np.where(mine > theirs, 0, np.where(mine == theirs, 1, 2))
    return found


def table_of(
    store: Store,
    names: Sequence[str] | None = None,
    *,
    complete: bool = True,
    anchors: Mapping[str, float] | None = None,
) -> Table:
    """The standings of a store.

    Args:
        store: the games.
        names: rate only these; None rates everyone who was entered.
        complete: what to say of it.
        anchors: name -> the Elo at which it is held; the others are rated on the scale of these.

    Raises:
        UsageError: an anchor is not among the rated.
    """
    wanted = tuple(sorted(set(store.contestants() if names is None else names)))
    games = store.games().among(wanted)
    distinct = games.distinct(perfect_information=store.setting("perfect_information") is not False)
    tallied = tally_of(games, distinct, wanted)
    try:
        ratings = rate(tallied, wanted, anchors=anchors)
    except ValueError as error:
        raise UsageError(f"{error}; it holds {', '.join(wanted)}") from None
    records = Records.of(games, distinct, wanted)
    rows = _rows(ratings, records)
    return Table(
        game=str(store.setting("game")),
        rows=rows,
        cross=records.cross(),
        advantage=ratings.advantage,
        draw_share=ratings.draw_share,
        games=len(games),
        void=int(games.void.sum()),
        endings=endings_of(games),
        insight=insight_of(ratings, [row.name for row in rows], tallied, records.repeats()),
        complete=complete,
        anchors=dict(anchors or {}),
    )


@dataclass(frozen=True)
class Records:
    """What each contestant did against each other one, as counts; a row's contestant against a column's.

    Attributes:
        names: sorted.
        results: (p, p, 3) won, drawn, lost.
        distinct: (p, p) games that differ from all before them.
        faults: (p,) games lost by a fault.
    """

    names: tuple[str, ...]
    results: Ints
    distinct: Ints
    faults: Ints

    @classmethod
    def of(cls, games: StoredGames, distinct: Bools, names: tuple[str, ...]) -> Records:
        """Count games of two; those that broke count for nobody."""
        index = {name: at for at, name in enumerate(names)}
        p = len(names)
        met = np.array([[index.get(name, -1) for name in pair] for pair in games.names], np.int64).reshape(-1, 2)
        one, other = met[games.who].T
        counted = ~games.void
        cells = _cells(games)
        ahead = np.bincount((one * p + other)[counted] * 3 + cells[counted], minlength=3 * p * p).reshape(p, p, 3)
        different = np.bincount((one * p + other)[distinct], minlength=p * p).reshape(p, p)
        failed = np.flatnonzero(counted & (games.at_fault != NOBODY))
        sitting = games.legs[failed] ^ games.at_fault[failed]  # which of the two names: turned in leg 1
        faults = np.bincount(np.where(sitting == 0, one[failed], other[failed]), minlength=p)
        return cls(names, ahead + ahead.transpose(1, 0, 2)[..., ::-1], different + different.T, faults)

    def cross(self) -> dict[tuple[str, str], tuple[float, int]]:
        """Who took how many points in how many games from whom."""
        games, points = self.results.sum(2), self.results @ POINTS
        return {
            (self.names[one], self.names[other]): (float(points[one, other]), int(games[one, other]))
            for one, other in np.argwhere(games).tolist()
        }

    def repeats(self) -> list[Repeats]:
        """Of each two that met, how many games there are and how many of them differ."""
        games = self.results.sum(2)
        return [
            Repeats(self.names[one], self.names[other], int(games[one, other]), int(self.distinct[one, other]))
            for one, other in np.argwhere(np.triu(games)).tolist()
        ]


def _rows(ratings: Ratings, records: Records) -> tuple[Row, ...]:
    order = sorted(range(len(ratings.names)), key=lambda number: (-ratings.elo[number], ratings.names[number]))
    rows = []
    for rank, number in enumerate(order, 1):
        name = ratings.names[number]
        wins, draws, losses = records.results[number].sum(axis=0).tolist()
        games = wins + draws + losses
        below = ratings.names[order[rank]] if rank < len(order) else None
        rows.append(
            Row(
                rank=rank,
                name=name,
                elo=float(ratings.elo[number]),
                low=float(ratings.low[number]),
                high=float(ratings.high[number]),
                score=(wins + draws / 2) / games if games else 0.5,
                wins=wins,
                draws=draws,
                losses=losses,
                games=games,
                distinct=int(records.distinct[number].sum()),
                faults=int(records.faults[number]),
                superior=None if below is None else ratings.superiority(name, below),
            )
        )
    return tuple(rows)
