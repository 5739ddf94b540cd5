"""Games as their moves in words, the way outside engines are told them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lanista.envs.batched import BatchedGame
from lanista.envs.core import Array, Ints, Turn
from lanista.envs.rules import Rules


@dataclass
class ToldGame:
    """A game from where it began to where it stands.

    Attributes:
        begin: the position it began from in the field's notation; None is the usual start, and "" one that the game
            has no notation for.
        words: the moves since.
        movers: the player of each of them.
        actions: the actions of the game so far, also those that led to `begin`.
        position: where it stands, a record of the rules' state.
        mover: whose turn it is there.
    """

    begin: str | None
    position: Any
    words: list[str] = field(default_factory=list)
    movers: list[int] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    mover: int = 0


class ToldGames:
    """The games that an agent is asked about, kept from turn to turn, so that only new moves are put into words."""

    def __init__(self, rules: Rules, write: Callable[[Any, int], str]) -> None:
        """Know nothing yet.

        Args:
            rules: of a native game that hides nothing.
            write: (state, action) -> the word of a move.
        """
        self.rules = rules
        self._write = write
        self._board = BatchedGame(rules, 1)
        self._games: dict[int, ToldGame] = {}  # by serial number
        self._meant: dict[str, list[int]] = {}  # word -> the actions that it has been found to mean

    def of(self, turn: Turn) -> list[ToldGame]:
        """The game of each row."""
        assert turn.public is not None
        positions = turn.public.positions()
        return [
            self._told(number, turn.public.moves(row), positions[row], player)
            for row, (number, player) in enumerate(zip(turn.games.tolist(), turn.players.tolist(), strict=True))
        ]

    def forget(self, games: Ints) -> None:
        """Drop games that are over."""
        for number in games.tolist():
            self._games.pop(number, None)

    def words_of(self, position: Any, legal: Array) -> dict[str, int]:
        """The legal moves of a position, word -> action; `legal` is (num_actions,) bool."""
        return {self._write(position, action): action for action in np.flatnonzero(legal).tolist()}

    def action_of(self, position: Any, legal: Array, word: str) -> int | None:
        """The legal move that a word means, in whatever case it is written; None if there is none."""
        wanted = word.lower()
        # A word means the same action wherever it is the same piece's move: nearly always one of those of before.
        meant = self._meant.get(wanted, [])
        for action in meant:
            if legal[action] and self._write(position, action).lower() == wanted:
                return action
        for action in np.flatnonzero(legal).tolist():
            if self._write(position, action).lower() == wanted:
                self._meant[wanted] = [*meant, action]
                return action
        return None

    def _told(self, number: int, moves: list[int], position: Array, player: int) -> ToldGame:
        told = self._games.get(number)
        if told is None or moves[: len(told.actions)] != told.actions:  # new, or a move was taken back
            told = self._games[number] = self._from_the_start(moves, position)
        fresh = moves[len(told.actions) :]
        for action in fresh[:-1]:
            self._go_on(told, action)
        if fresh:  # the last leads here: nobody has to play it
            self._write_down(told, fresh[-1])
            told.position = position.copy()
        told.mover = player
        return told

    def _from_the_start(self, moves: list[int], position: Array) -> ToldGame:
        """A game that begins at the usual start, or, if its moves do not lead to the position from there, here."""
        self._board.reset(0)
        told = ToldGame(None, self._board.states[0].copy(), mover=int(self._board.turn().players[0]))
        for action in moves:
            legal = self._board.turn().legal
            if legal is None or not legal[0, action]:
                break
            self._go_on(told, action)
        if told.actions == moves and _same(told.position, position):
            return told
        notation = self.rules.print_position
        return ToldGame("" if notation is None else notation(position), position.copy(), actions=list(moves))

    def _go_on(self, told: ToldGame, action: int) -> None:
        """Write a move down and play it."""
        self._write_down(told, action)
        self._board.set_positions(told.position)
        self._board.step(np.array([action]))
        told.position = self._board.states[0].copy()
        told.mover = int(self._board.turn().players[0])

    def _write_down(self, told: ToldGame, action: int) -> None:
        """Write a move down that is made where the game stands."""
        told.movers.append(told.mover)
        told.words.append(self._write(told.position, action))
        told.actions.append(action)


def _same(one: Any, other: Any) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one.dtype.names)
