"""Stored games played again, many at once, and drawn move by move."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lanista.arena.stored_games import StoredGame
from lanista.envs import make
from lanista.envs.batched import begin_games
from lanista.envs.catalogue import games as native_games
from lanista.envs.core import Array, Game, Ints
from lanista.envs.doors._making import DRAWN_COPIES

TOGETHER = 64  # games


@dataclass
class DrawnGame:
    """A game in pictures.

    Attributes:
        frames: an SVG of the position after the opening and after each round of moves; none where only the moves were
            asked for.
        moves: what was played in each round, as the field writes it, the opening included.
        movers: who played it: 0 the first seat, 1 the second and so on, None several at once.
        opening: how many of the rounds are the opening.
        values: of each round, what its player expected of the game, as a share of the points in [0, 1]; None where
            nobody told.
        returns: what each player has been given after the opening and after each round of moves.
    """

    frames: list[str] = field(default_factory=list)
    moves: list[str] = field(default_factory=list)
    movers: list[int | None] = field(default_factory=list)
    opening: int = 0
    values: list[float | None] = field(default_factory=list)
    returns: list[tuple[float, ...]] = field(default_factory=list)


def drawn_games(name: str, games: Sequence[StoredGame], *, pictures: bool = True) -> Iterator[DrawnGame | None]:
    """Play games again and draw them.

    In the place of a game that cannot be played as it is stored comes None: its moves are illegal, or its environment
    ends it elsewhere or with other returns, as one does that takes its chance from elsewhere than its seed.

    Args:
        name: the game's string.
        games: what was played.
        pictures: draw them too.
    """
    together = TOGETHER if name.partition(":")[0] in native_games() or not pictures else DRAWN_COPIES
    for begin in range(0, len(games), together):
        part = games[begin : begin + together]
        try:
            yield from _drawn(make(name, len(part), restart=False), part, pictures)
        except Exception:  # one of them is damaged: whatever that raises, the others are shown
            for game in part:
                yield _alone(name, game, pictures)


def _alone(name: str, game: StoredGame, pictures: bool) -> DrawnGame | None:
    try:
        return _drawn(make(name, 1, restart=False), [game], pictures)[0]
    except Exception:
        return None


def _drawn(board: Game, games: Sequence[StoredGame], pictures: bool) -> list[DrawnGame | None]:
    """The games, one a copy of the board."""
    begin_games(board, [game.seed for game in games], positions=[game.position for game in games])
    drawn, done = [DrawnGame() for _ in games], [0] * len(games)
    returns, finished = np.zeros((len(games), board.spec.players)), np.zeros(len(games), bool)

    def show(copy: int) -> None:
        drawn[copy].returns.append(tuple(returns[copy].tolist()))
        if pictures:
            drawn[copy].frames.append(board.picture(copy))

    for copy, game in enumerate(games):
        if not game.opening:
            show(copy)
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
            outcome = board.step(np.array([action for _, action in chosen]), which)
            finished |= outcome.finished
            for copy in rows_of:
                if done[copy] >= len(games[copy].opening):  # an opening counts for nobody
                    returns[copy] += outcome.rewards[copy]
        if over:
            board.stop(np.array(over))
        for copy, rows in rows_of.items():
            done[copy] += len(rows)
            if done[copy] == len(games[copy].opening):
                drawn[copy].opening = len(drawn[copy].moves)
            if done[copy] >= len(games[copy].opening):
                show(copy)
    true = [_as_stored(game, done[copy], finished[copy], returns[copy]) for copy, game in enumerate(games)]
    return [each if as_stored else None for each, as_stored in zip(drawn, true, strict=True)]


def _as_stored(game: StoredGame, done: int, finished: bool, returns: Array) -> bool:
    """Whether a game that was played again went as it is stored.

    Args:
        game: what is stored.
        done: so many of its moves were played.
        finished: the rules ended it.
        returns: (players,) what they brought.
    """
    if game.reason in ("end", "truncated"):
        return bool(finished) and done == len(game.moves) and np.allclose(returns, game.returns)
    return not finished or done == len(game.moves)


def _write(board: Game, copy: int, game: StoredGame, drawn: DrawnGame, done: int, players: Ints) -> None:
    """Write down a round of moves before it is played."""
    actions = game.moves[done : done + len(players)]
    drawn.moves.append(" ".join(_word(board, copy, action) for action in actions))
    drawn.movers.append(int(players[0]) if len(players) == 1 else None)
    place = done - len(game.opening)
    told = len(players) == 1 and 0 <= place < len(game.values)
    drawn.values.append(game.values[place] if told else None)


def _word(board: Game, copy: int, action: Any) -> str:
    """An action in words; one of several numbers as these, without spaces, which stand between players."""
    if isinstance(action, list | tuple):
        return ",".join(f"{number:.3g}" for number in np.ravel(action).tolist())
    return board.print_move(copy, action)
