"""The board a session is played on: any game, put to any position of a move tree, and what is seen and legal there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.batched import BatchedGame
from lanista.envs.catalogue import games, make, native_rules
from lanista.envs.core import Game, GameSpec, Ints
from lanista.errors import UsageError

# Boards that all see: PettingZoo does not tell so, and the door takes nothing for granted that an agent might rely on.
OPEN_BOARDS = r"zoo:classic/(chess|connect_four|go|tictactoe)[_-]v\d+"


@dataclass(frozen=True)
class Start:
    """Where a game begins.

    Attributes:
        game: its string.
        seed: of its chance.
        position: in the field's notation (FEN); None is the usual start.
    """

    game: str
    seed: int
    position: str | None = None


@dataclass(frozen=True)
class Move:
    """A legal move: its action, its words, and the cells that are touched for it (see `envs.surface.Touch`)."""

    action: int
    word: str
    touches: tuple[tuple[float, ...], ...] = ()


@dataclass(frozen=True)
class Step:
    """What a round of moves did: rewards (players,), and "" or how the game ended."""

    rewards: tuple[float, ...]
    ended: str


class Table:
    """One copy of a game, at a line of moves; going on by a move is quick, going elsewhere plays the moves again."""

    def __init__(self, start: Start) -> None:
        """Make the game.

        Raises:
            UsageError: no such game or position, or one whose moves cannot be counted and clicked.
        """
        self.start = start
        self.game: Game = make(start.game, restart=False)
        self.spec: GameSpec = self.game.spec
        if re.match(OPEN_BOARDS, self.spec.name):
            self.spec = replace(self.spec, perfect_information=True)
        if not all(isinstance(role.action, spaces.Discrete) for role in self.spec.roles):
            raise UsageError(f"{self.spec.name} has actions that are not counted, so they cannot be clicked")
        self._moves: list[Any] = []
        self._reset()

    @property
    def native(self) -> bool:
        """Whether the rules are ours, so that positions can be drawn, copied and set up at will."""
        return isinstance(self.game, BatchedGame)

    def go_to(self, moves: Sequence[Any]) -> None:
        """Stand where these actions lead.

        Raises:
            UsageError: one of them is illegal.
        """
        moves = list(moves)
        if moves[: len(self._moves)] != self._moves:
            self._reset()
        while len(self._moves) < len(moves):
            rows = len(self.game.turn())
            now = moves[len(self._moves) : len(self._moves) + rows]
            if not rows or len(now) < rows:
                raise UsageError(f"{self.spec.name} is over before move {len(self._moves) + 1}")
            self.step(now)

    def movers(self) -> tuple[int, ...]:
        """The players who must act now; none when the game is over."""
        return tuple(self.game.turn().players.tolist())

    def legal(self, player: int) -> list[int]:
        """The legal actions of a player who must act."""
        turn = self.game.turn()
        rows = np.flatnonzero(turn.players == player)
        if not len(rows) or turn.legal is None:
            return []
        actions: list[int] = np.flatnonzero(turn.legal[rows[0]]).tolist()
        return actions

    def moves_of(self, player: int, turned: bool = False) -> tuple[Move, ...]:
        """The legal moves of a player, with their words and touches."""
        return tuple(
            Move(action, self.game.print_move(0, action), self.touches(action, turned)) for action in self.legal(player)
        )

    def touches(self, action: int, turned: bool = False) -> tuple[tuple[float, ...], ...]:
        """The cells that an action touches here; none in games whose picture is not played on."""
        if not isinstance(self.game, BatchedGame) or self.game.rules.surface is None:
            return ()
        return tuple(tuple(each) for each in self.game.rules.surface.touch(self.game.states[0], action, turned))

    def step(self, actions: Sequence[Any]) -> Step:
        """Play one action of each who must act, in the order of `movers`.

        Raises:
            UsageError: an action is illegal; nothing was played.
        """
        try:
            outcome = self.game.step(np.asarray(actions))
        except ValueError as error:
            raise UsageError(f"illegal in {self.spec.name}: {error}") from None
        self._moves += list(actions)
        ended = ""
        if outcome.broken[0]:
            ended = "broken"
        elif outcome.finished[0]:
            ended = "truncated" if outcome.truncated[0].any() else "end"
        return Step(tuple(outcome.rewards[0].tolist()), ended)

    def print_move(self, action: int) -> str:
        """An action as the field writes it."""
        return self.game.print_move(0, action)

    def parse_move(self, text: str) -> int:
        """The action that a text names; raises `UsageError`."""
        return self.game.parse_move(0, text)

    def picture(self, viewer: int | None, turned: bool = False) -> str:
        """The position as SVG, as a player may see it (None: all), from the second player's side if turned."""
        if turned and isinstance(self.game, BatchedGame):
            surface = self.game.rules.surface
            if surface is not None and surface.turned is not None:
                moves = self.game.moves(0)
                return surface.turned(self.game.states[0], viewer, moves[-1] if moves else None)
        return self.game.picture(0, viewer)

    def text(self, viewer: int | None) -> str:
        """The position as text."""
        return self.game.text(0, viewer)

    def notation(self) -> str | None:
        """The position in the field's notation, where there is one."""
        if isinstance(self.game, BatchedGame) and self.game.rules.print_position is not None:
            return self.game.print_position(0)
        return None

    def end_words(self) -> str:
        """Why the rules ended the game, in words; "" where the game does not say."""
        if isinstance(self.game, BatchedGame) and self.game.rules.print_end is not None:
            return self.game.rules.print_end(self.game.states[0])
        return ""

    def colours(self) -> tuple[str, str] | None:
        """The colours of the players' pieces."""
        if isinstance(self.game, BatchedGame) and self.game.rules.surface is not None:
            return self.game.rules.surface.colours
        return None

    @property
    def turnable(self) -> bool:
        """Whether the picture can be seen from the other side."""
        return (
            isinstance(self.game, BatchedGame)
            and self.game.rules.surface is not None
            and self.game.rules.surface.turned is not None
        )

    def _reset(self) -> None:
        first: Ints = np.zeros(1, np.int64)
        self.game.reset([self.start.seed], first)
        if self.start.position is not None:
            if not isinstance(self.game, BatchedGame):
                raise UsageError(f"{self.spec.name} has no notation for positions; write its moves")
            self.game.parse_position(0, self.start.position)
        self._moves = []


def check_game(name: str) -> GameSpec:
    """The spec of a game that can be played by hand; raises `UsageError` as `Table` does."""
    file = name.partition(":")[0].replace("-", "_")
    if file in games():  # whose rules need not be compiled to be known
        return native_rules(name).spec
    return Table(Start(name, 0)).spec
