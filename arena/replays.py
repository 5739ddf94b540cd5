"""A few games of a tournament to step through: which ones, and their boards drawn move by move."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.arena.standings import Table
from lanista.arena.stored_games import StoredGame
from lanista.envs import make
from lanista.envs.batched import begin_games

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
    """

    title: str
    first: str
    second: str
    result: str
    frames: tuple[str, ...]
    moves: tuple[str, ...]
    movers: tuple[int | None, ...]
    opening: int


def choose_replays(table: Table, games: Sequence[StoredGame]) -> list[Replay]:
    """The games worth seeing, each shown once, within what a page can hold."""
    replays: list[Replay] = []
    room = MOST_CHARACTERS
    for title, game in _worth_seeing(table, games):
        drawn = replay(table.game, title, game)
        room -= sum(map(len, drawn.frames)) // 10  # about what `packed` leaves of them
        if room > 0:
            replays.append(drawn)
    return replays


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
    """
    board = make(name, 1, restart=False)
    begin_games(board, [game.seed], positions=[game.position])
    moves: list[str] = []
    movers: list[int | None] = []
    frames = [board.picture(0)]
    done = opening = 0
    while done < len(game.moves) and len(turn := board.turn()):
        now = game.moves[done : done + len(turn)]
        if len(now) < len(turn):
            break  # in a simultaneous game the round in which someone failed is not played
        moves.append(" ".join(board.print_move(0, action) for action in now))
        movers.append(int(turn.players[0]) if len(turn) == 1 else None)
        board.step(np.array(now))
        frames.append(board.picture(0))
        done += len(now)
        if done == len(game.opening):
            opening, frames = len(moves), frames[-1:]
    first, second = game.seats
    words = {1.0: f"{first} won", 0.5: "a draw", 0.0: f"{second} won"}[game.points(first)]
    result = f"{words} after {len(moves)} moves"
    if game.at_fault is not None:
        result += f": {game.seats[game.at_fault]} failed ({game.reason})"
    elif game.reason != "end":
        result += f" ({game.reason})"
    return Replay(title, first, second, result, tuple(frames), tuple(moves), tuple(movers), opening)


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
        plain.append(vars(each) | {"frames": frames})
    return {"parts": list(parts), "replays": plain}
