"""A few games of a tournament to step through: which ones, and their boards drawn move by move."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lanista.arena.drawn_games import drawn_games
from lanista.arena.standings import Table
from lanista.arena.stored_games import StoredGame
from lanista.envs.core import Agent
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.arena.analysis import Analysis

MOST_SHOWN = 6
MOST_CHARACTERS = 4_000_000  # of drawings in one report


@dataclass(frozen=True)
class Replay:
    """A game to step through.

    Attributes:
        title: why it is shown.
        first, second: who sat where.
        result: how it ended, in words.
        frames: an SVG of the position after the opening and after each round of moves.
        moves: what was played in each round, as the field writes it, the opening included.
        movers: who played it: 0 the first seat, 1 the second, None both at once.
        opening: how many of the rounds are the opening.
        values: of each round, what its player expected, as a share of the points in [0, 1]; None where nobody told.
        judge: who analysed the game; empty if nobody did.
        chances: the first seat's expected share of the points before each round and at the end, as the judge sees it.
        notes: round, counted from 1 and written as a text -> what the judge has to say of it.
    """

    title: str
    first: str
    second: str
    result: str
    frames: tuple[str, ...]
    moves: tuple[str, ...]
    movers: tuple[int | None, ...]
    opening: int
    values: tuple[float | None, ...] = ()
    judge: str = ""
    chances: tuple[float, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def choose_replays(
    table: Table, games: Sequence[StoredGame], judge: Agent | None = None, besides: Sequence[StoredGame] = ()
) -> list[Replay]:
    """The games worth seeing, each shown once, within what a page can hold.

    Args:
        table: who is how strong.
        games: what was played.
        judge: analyses them, where it can.
        besides: of what was played, what is shown already.
    """
    replays: list[Replay] = []
    room = MOST_CHARACTERS
    for title, game in _worth_seeing(table, [game for game in games if game not in besides]):
        try:
            drawn = replay(table.game, title, game)
        except UsageError:  # it is damaged, which `lanista verify` tells; the others are shown
            continue
        analysis = _judged(table.game, game, judge)
        drawn = drawn if analysis is None else judged(drawn, analysis)
        room -= sum(map(len, drawn.frames)) // 10  # about what `packed` leaves of them
        if room > 0:
            replays.append(drawn)
    return replays


def _judged(name: str, game: StoredGame, judge: Agent | None) -> Analysis | None:
    """The analysis of a game; None without a judge, and of a game that nobody could analyse."""
    if judge is None or game.at_fault is not None:
        return None
    from lanista.arena.analysis import analyse

    return analyse(name, 0, game, judge)


def _worth_seeing(table: Table, games: Sequence[StoredGame]) -> list[tuple[str, StoredGame]]:
    """The best two from either seat, the greatest upset, the longest game, the quickest win, a fault."""
    played = [game for game in games if not game.void and game.moves]
    sound = [game for game in played if game.at_fault is None]
    elo = {row.name: row.elo for row in table.rows}
    top = tuple(row.name for row in table.rows[:2])

    def length(game: StoredGame) -> int:
        return len(game.moves) - len(game.opening)

    def surprise(game: StoredGame) -> float:
        """By how much the winner was rated below the loser."""
        points = game.points(game.seats[0])
        winner, loser = game.seats if points == 1 else game.seats[::-1]
        return elo[loser] - elo[winner] if points != 0.5 else 0.0

    def decided(game: StoredGame) -> bool:
        return game.points(game.seats[0]) != 0.5

    wanted: list[tuple[str, StoredGame]] = []

    def want(title: str, among: list[StoredGame], key: Any) -> None:
        shown = [game for _, game in wanted]
        left = [game for game in among if game not in shown]
        if left:
            wanted.append((title, max(left, key=key)))

    want("The best two", [game for game in sound if game.seats == top], length)
    want("The best two, seats changed", [game for game in sound if game.seats == top[::-1]], length)
    want("The greatest upset", [game for game in sound if surprise(game) > 0], surprise)
    want("The longest game", sound, length)
    want("The quickest win", [game for game in sound if decided(game)], lambda game: -length(game))
    want("A fault", [game for game in played if game.at_fault is not None], length)
    return wanted[:MOST_SHOWN]


def replay(name: str, title: str, game: StoredGame) -> Replay:
    """Play a stored game again and draw each position.

    Args:
        name: the game's string.
        title: why it is shown.
        game: what was played.

    Raises:
        UsageError: it cannot be played as it is stored.
    """
    drawn = next(drawn_games(name, [game]))
    if drawn is None:
        raise UsageError(
            f"a game of {' and '.join(game.seats)} cannot be played again as it is stored; see lanista verify"
        )
    first, second = game.seats
    words = {1.0: f"{first} won", 0.5: "a draw", 0.0: f"{second} won"}[game.points(first)]
    result = f"{words} after {len(drawn.moves)} moves"
    if game.at_fault is not None:
        result += f": {game.seats[game.at_fault]} failed ({game.reason})"
    elif game.reason != "end":
        result += f" ({game.reason})"
    return Replay(
        title, first, second, result, tuple(drawn.frames), tuple(drawn.moves), tuple(drawn.movers), drawn.opening,
        tuple(drawn.values),
    )  # fmt: skip


def judged(shown: Replay, analysis: Analysis) -> Replay:
    """A replay with what a judge says of its game."""
    notes = {
        str(move.ply): f"blunder, {move.before:.0%} to {move.after:.0%}; better: "
        + (", ".join(f"{each.move} {each.chance:.0%}" for each in move.alternatives) or move.preferred)
        for move in analysis.blunders
    }
    return replace(shown, judge=analysis.by, chances=tuple(round(each, 3) for each in analysis.chances), notes=notes)


def packed(replays: Sequence[Replay]) -> dict[str, Any]:
    """Replays as plain data without repetition: consecutive pictures have most of their tags in common.

    Returns:
        "parts": the different tags and texts of all pictures; "replays": each with "frames" as lists of indices in it.
    """
    parts: dict[str, int] = {}
    plain = []
    for each in replays:
        frames = [
            [parts.setdefault(part, len(parts)) for part in re.findall(r"<[^>]*>|[^<]+", frame)]
            for frame in each.frames
        ]
        plain.append(
            vars(each) | {"frames": frames, "values": [None if v is None else round(v, 3) for v in each.values]}
        )
    return {"parts": list(parts), "replays": plain}
