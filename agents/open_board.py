"""One game that is moved from outside, word by word: set up, played, taken back, and played on past its end."""

from __future__ import annotations

from typing import Any

import numpy as np

from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import native_rules
from lanista.envs.core import Turn
from lanista.envs.rules import Rules
from lanista.errors import UsageError


class OpenBoard:
    """A native game that hides nothing, with all its positions so far.

    Who moves it may go on where our rules have ended the game, as chess programs do after a third repetition and Go
    programs after two passes, as long as the rules know what follows.
    """

    def __init__(self, game: str, seed: int = 0) -> None:
        """Begin a game.

        Args:
            game: its string.
            seed: of the draws that agents are shown.

        Raises:
            UsageError: there is no such game, or it is not one whose position can be shown.
        """
        self.rules: Rules = native_rules(game)
        self.spec = self.rules.spec
        if not self.spec.perfect_information or self.spec.players != 2:
            raise UsageError(f"{self.spec.name} is no board game of two players who see all of it")
        self._board = BatchedGame(self.rules, 1, restart=False)
        self._board.reset(seed)
        self._write = self.rules.print_engine_move or self.rules.print_move
        self.clear()

    def clear(self) -> None:
        """Go back to the usual start."""
        self._board.reset()
        self._positions: list[Any] = [self._board.states[0].copy()]
        self._winners: list[int | None] = [None]  # at each position; -1 is a draw
        self._from_start = True
        self.actions: list[int] = []

    def set_up(self, text: str) -> None:
        """Begin at a position in the field's notation.

        Raises:
            UsageError: it is none; the board stays as it was.
        """
        try:
            self._board.parse_position(0, text)
        finally:
            self._board.set_positions(self._positions[-1])
        assert self.rules.parse_position is not None
        self._positions, self._winners, self.actions = [self.rules.parse_position(text)], [None], []
        self._from_start = False

    @property
    def position(self) -> Any:
        """Where it stands, a record of `rules.state`."""
        return self._positions[-1]

    @property
    def winner(self) -> int | None:
        """The player who has won, -1 for a draw; None while the game goes on."""
        return self._winners[-1]

    def turn(self) -> Turn:
        """The one row of the player to move; its `legal` may be all False if the game is over."""
        if self._from_start and self.winner is None:
            try:
                self._board.reset(openings=[self.actions])
                return self._board.turn()
            except UsageError:  # it was played on past an end
                pass
        self._board.set_positions(self.position)
        return self._board.turn()

    def words(self, turn: Turn) -> dict[str, int]:
        """The legal moves, word in small letters -> action."""
        assert turn.legal is not None
        return {self._write(self.position, action).lower(): action for action in np.flatnonzero(turn.legal[0]).tolist()}

    def word(self, action: int) -> str:
        """An action in the position as it stands, as engines write it."""
        return self._write(self.position, action)

    def play(self, word: str) -> None:
        """Play a move.

        Raises:
            UsageError: it is illegal, or the game is over for good.
        """
        if self.winner is not None:
            self._positions[-1] = self._revived()
        turn = self.turn()
        action = self.words(turn).get(word.lower())
        if action is None:
            raise UsageError(f"'{word}' is no legal move here")
        self._board.set_positions(self.position)
        outcome = self._board.step(np.array([action]))
        self.actions.append(action)
        self._positions.append(self._board.states[0].copy())
        rewards = outcome.rewards[0]
        over = bool(outcome.finished[0])
        self._winners.append((-1 if rewards[0] == rewards[1] else int(rewards.argmax())) if over else None)

    def undo(self) -> None:
        """Take a move back.

        Raises:
            UsageError: there is none.
        """
        if not self.actions:
            raise UsageError("there is no move to take back")
        for line in (self.actions, self._positions, self._winners):
            line.pop()

    def text(self) -> str:
        """The board as text."""
        return self.rules.text(self.position, None)

    def _revived(self) -> Any:
        """The position from which a game that has ended is played on."""
        words = [] if self.rules.print_position is None else self.rules.print_position(self.position).split()
        if self.rules.parse_position is not None and len(words) == 6:  # with a count of moves that can be set back
            try:
                return self.rules.parse_position(" ".join([*words[:4], "0", *words[5:]]))
            except ValueError as error:
                raise UsageError(str(error)) from None
        counted = self.rules.print_score is not None  # it ended by passes, not by a move that won
        if not counted or len(self.actions) + 1 >= (self.spec.longest or 0):
            raise UsageError("the game is over")
        return self.position
