"""The table of a tournament, computed from its store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from lanista.arena.insight import Insight, insight_of
from lanista.arena.ratings import Pair, Ratings, rate
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError


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
        if self.void:
            lines.append(f"{self.void} games broke in the environment and count for nobody.")
        if insight := str(self.insight):
            lines.append(insight)
        if not self.complete:
            lines.append("Not all games have been played yet.")
        lines.extend(self.standing)
        return "\n".join(lines)


def distinct_games(games: Iterable[StoredGame], *, perfect_information: bool = True) -> set[int]:
    """The indices of the games that count and differ from all before in seats or moves, or in chance where it plays."""
    seen: set[tuple[object, ...]] = set()
    found = set()
    for number, game in enumerate(games):
        mark = (game.seats, str(game.moves), None if perfect_information else game.seed)
        if not game.void and mark not in seen:
            seen.add(mark)
            found.add(number)
    return found


def pairs_of(games: Iterable[StoredGame], *, perfect_information: bool = True) -> list[Pair]:
    """What was observed: the two games of each opening together, each distinct game counted once.

    Deterministic players repeat themselves; a second game with the same seats and moves says nothing new.

    Args:
        games: what was played.
        perfect_information: the moves tell the whole game; else chance, so the seed, is part of what makes it distinct.
    """
    listed = list(games)
    distinct = distinct_games(listed, perfect_information=perfect_information)
    legs: dict[tuple[str, str, int], list[float | None]] = {}
    for number, game in enumerate(listed):
        points = legs.setdefault((game.one, game.other, game.number), [None, None])
        if number in distinct:
            points[game.leg] = game.points(game.one)
    return [Pair(one, other, first, second) for (one, other, _), (first, second) in legs.items()]


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
    wanted = set(store.contestants() if names is None else names)
    games = [game for game in store.games() if game.one in wanted and game.other in wanted]
    told = store.setting("perfect_information") is not False
    pairs = pairs_of(games, perfect_information=told)
    try:
        ratings = rate(pairs, sorted(wanted), anchors=anchors)
    except ValueError as error:
        raise UsageError(f"{error}; it holds {', '.join(sorted(wanted))}") from None
    rows = _rows(ratings, games, pairs)
    distinct = distinct_games(games, perfect_information=told)
    cross: dict[tuple[str, str], tuple[float, int]] = {}
    for game in games:
        if game.void:
            continue
        for one, other in (game.seats, game.seats[::-1]):
            points, count = cross.get((one, other), (0.0, 0))
            cross[one, other] = (points + game.points(one), count + 1)
    return Table(
        game=str(store.setting("game")),
        rows=rows,
        cross=cross,
        advantage=ratings.advantage,
        draw_share=ratings.draw_share,
        games=len(games),
        void=sum(game.void for game in games),
        insight=insight_of(ratings, [row.name for row in rows], pairs, games, distinct),
        complete=complete,
        anchors=dict(anchors or {}),
    )


def _rows(ratings: Ratings, games: Sequence[StoredGame], pairs: Sequence[Pair]) -> tuple[Row, ...]:
    order = sorted(range(len(ratings.names)), key=lambda number: (-ratings.elo[number], ratings.names[number]))
    games_of: dict[str, list[StoredGame]] = {name: [] for name in ratings.names}
    distinct = dict.fromkeys(ratings.names, 0)
    for game in games:
        if not game.void:
            games_of[game.one].append(game)
            games_of[game.other].append(game)
    for pair in pairs:
        for name in (pair.one, pair.other):
            distinct[name] += (pair.as_first is not None) + (pair.as_second is not None)
    rows = []
    for rank, number in enumerate(order, 1):
        name = ratings.names[number]
        mine = games_of[name]
        points = [game.points(name) for game in mine]
        below = ratings.names[order[rank]] if rank < len(order) else None
        rows.append(
            Row(
                rank=rank,
                name=name,
                elo=float(ratings.elo[number]),
                low=float(ratings.low[number]),
                high=float(ratings.high[number]),
                score=sum(points) / len(points) if points else 0.5,
                wins=points.count(1.0),
                draws=points.count(0.5),
                losses=points.count(0.0),
                games=len(mine),
                distinct=distinct[name],
                faults=sum(game.at_fault is not None and game.seats[game.at_fault] == name for game in mine),
                superior=None if below is None else ratings.superiority(name, below),
            )
        )
    return tuple(rows)
