"""Stored games played again, many at once, and drawn move by move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from lanista.arena.stored_games import StoredGame
from lanista.envs import make
from lanista.envs.batched import begin_games
from lanista.envs.core import Game, Ints

TOGETHER = 64  # games


@dataclass
class DrawnGame:
    """A game in pictures.

    Attributes:
        frames: an SVG of the position after the opening and after each round of moves.
        moves: what was played in each round, as the field writes it, the opening included.
        movers: who played it: 0 the first seat, 1 the second, None several at once.
        opening: how many of the rounds are the opening.
        values: of each round, what its player expected of the game, as a share of the points in [0, 1]; None where
            nobody told.
    """

    frames: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    movers: list[int | None] = field(default_factory=list)
    opening: int = 0
    values: list[float | None] = field(default_factory=list)


def drawn_games(name: str, games: Sequence[StoredGame]) -> Iterator[DrawnGame | None]:
    """Play games again and draw them; None in the place of one that cannot be played as it is stored.

    Args:
        name: the game's string.
        games: what was played.
    """
    for begin in range(0, len(games), TOGETHER):
        part = games[begin : begin + TOGETHER]
        try:
            yield from _drawn(make(name, len(part), restart=False), part)
        except Exception:  # one of them is damaged: whatever that raises, the others are shown
            for game in part:
                yield _alone(name, game)


def _alone(name: str, game: StoredGame) -> DrawnGame | None:
    try:
        return _drawn(make(name, 1, restart=False), [game])[0]
    except Exception:
        return None


def _drawn(board: Game, games: Sequence[StoredGame]) -> list[DrawnGame]:
    """The games, one a copy of the board."""
    begin_games(board, [game.seed for game in games], positions=[game.position for game in games])
    drawn, done = [DrawnGame() for _ in games], [0] * len(games)
    for copy, game in enumerate(games):
        if not game.opening:
            drawn[copy].frames.append(board.picture(copy))
    while len(turn := board.turn()):
        rows_of: dict[int, list[int]] = {}
        for row in np.lexsort((turn.players, turn.copies)).tolist():
            rows_of.setdefault(int(turn.copies[row]), []).append(row)
        # In a simultaneous game the round in which someone failed is not played.
        over = [copy for copy, rows in rows_of.items() if done[copy] + len(rows) > len(games[copy].moves)]
        for copy in over:
            del rows_of[copy]
        chosen = [
            (row, games[copy].moves[done[copy] + at]) for copy, rows in rows_of.items() for at, row in enumerate(rows)
        ]
        for copy, rows in rows_of.items():
            _write(board, copy, games[copy], drawn[copy], done[copy], turn.players[rows])
        if chosen:
            chosen.sort()
            which: Ints | None = np.array([row for row, _ in chosen]) if over else None
            board.step(np.array([action for _, action in chosen]), which)
        if over:
            board.stop(np.array(over))
        for copy, rows in rows_of.items():
            done[copy] += len(rows)
            if done[copy] == len(games[copy].opening):
                drawn[copy].opening = len(drawn[copy].moves)
            if done[copy] >= len(games[copy].opening):
                drawn[copy].frames.append(board.picture(copy))
    return drawn


def _write(board: Game, copy: int, game: StoredGame, drawn: DrawnGame, done: int, players: Ints) -> None:
    """Write down a round of moves before it is played."""
    actions = game.moves[done : done + len(players)]
    drawn.moves.append(" ".join(board.print_move(copy, action) for action in actions))
    drawn.movers.append(int(players[0]) if len(players) == 1 else None)
    place = done - len(game.opening)
    told = len(players) == 1 and 0 <= place < len(game.values)
    drawn.values.append(game.values[place] if told else None)
