"""An agent that is asked about positions by the moves that lead there: many questions in one call of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lanista.agents.contestant import load_agent
from lanista.agents.explaining import Line, explain, line_words
from lanista.agents.time_control import TimeControl, Timed
from lanista.arena.play.table import Start, Table
from lanista.envs.batched import BatchedGame
from lanista.envs.core import Agent, Array, Choice, Game, GameSpec, Turn, start_agent
from lanista.envs.loop import wrong_actions
from lanista.envs.rules import Rules
from lanista.errors import UsageError

MOST_SHOWN = 400  # moves of a policy that leave this module: more than any board has points
MOST_LINES = 8


@dataclass(frozen=True)
class Position:
    """A question: where a game stands, and who is asked.

    Attributes:
        start, moves: the position.
        player: who is asked; None: the only one who must act.
        clock: seconds that player has left, and the increment; None without a clock.
    """

    start: Start
    moves: tuple[Any, ...]
    player: int | None = None
    clock: tuple[float, float] | None = None


@dataclass(frozen=True)
class Variation:
    """A line of a search: its moves as actions and in words, and what it is worth to the player to move.

    Attributes:
        chance: the mover's expected share of the points after it, in [0, 1].
        effort: such as "640 visits" or "depth 4".
    """

    actions: tuple[int, ...]
    words: tuple[str, ...]
    chance: float
    effort: str


@dataclass(frozen=True)
class Thought:
    """An answer.

    Attributes:
        action: what the agent would play.
        player: who was asked.
        policy: action -> probability, the likely ones first; empty where the agent tells none.
        chance: the player's expected share of the points, in [0, 1]; None where the agent tells no values.
        lines: of a search, the best first.
        failed: why there is no answer.
    """

    action: int = -1
    player: int = 0
    policy: tuple[tuple[int, float], ...] = ()
    chance: float | None = None
    lines: tuple[Variation, ...] = ()
    failed: str = ""


@dataclass
class Mind:
    """A loaded agent for one game."""

    contestant: str
    game: str
    spec: GameSpec = field(init=False)

    def __post_init__(self) -> None:
        """Load the agent.

        Raises:
            UsageError: there is no such agent, or it does not play this game.
        """
        self.agent: Agent = load_agent(self.contestant)
        self._table = Table(Start(self.game, 0))
        self.spec = self._table.spec
        start_agent(self.agent, self.spec, 0)

    def answer(self, positions: Sequence[Position]) -> list[Thought]:
        """What the agent plays in each position; the positions of a native game are one call of it."""
        if not isinstance(self._table.game, BatchedGame):
            return [self._answer_one(position) for position in positions]
        turn, _ = self._batch(positions)
        clocks = {position.clock for position in positions}
        if len(clocks) > 1:  # a time control is of all games of a call
            return [thought for position in positions for thought in self.answer([position])]
        try:
            choice = self.agent.act(self._timed(turn, clocks.pop()))
            wrong = wrong_actions(turn, choice, self.spec)
        except Exception as error:
            if len(positions) == 1:
                return [_failed(error)]
            return [thought for position in positions for thought in self.answer([position])]
        if choice.memory is not None:
            return [self._remembering(position) for position in positions]
        return [self._thought(turn, choice, row, wrong) for row in range(len(positions))]

    def explain(self, position: Position) -> Thought:
        """What the agent plays, and the lines it looked at."""
        if not isinstance(self._table.game, BatchedGame):
            return self._answer_one(position)
        turn, game = self._batch([position])
        try:
            found = explain(self.agent, turn)
        except Exception as error:
            return _failed(error)
        if found.choice.memory is not None:
            return self._remembering(position)
        thought = self._thought(turn, found.choice, 0, wrong_actions(turn, found.choice, self.spec))
        if thought.failed or not found.lines:
            return thought
        rules, state = game.rules, game.states[0]
        lines = tuple(self._variation(rules, state, line) for line in found.lines[:MOST_LINES])
        policy = thought.policy
        visits = sum(line.visits or 0 for line in found.lines)
        if not policy and visits:
            shares = sorted(((line.actions[0], (line.visits or 0) / visits) for line in found.lines), key=_likely)
            policy = tuple(shares)
        return Thought(thought.action, thought.player, policy, thought.chance, lines)

    def _variation(self, rules: Rules, state: Any, line: Line) -> Variation:
        effort = f"{line.visits} visits" if line.visits is not None else f"depth {line.depth}"
        words = tuple(line_words(rules, state, line))
        return Variation(line.actions, words, self.share(line.value), effort)

    def _timed(self, turn: Turn, clock: tuple[float, float] | None) -> Turn:
        """A turn with the clock, for an agent that divides its time by it."""
        if not isinstance(self.agent, Timed):
            return turn
        if clock is None:
            self.agent.play_under(None)
            return turn
        self.agent.play_under(TimeControl(begin=max(clock[0], 1.0), increment=clock[1]))
        return replace(turn, clock=np.full((len(turn), 2), clock, np.float32))

    def share(self, value: float) -> float:
        """A return as a share of the points, in [0, 1]."""
        least, greatest = self.spec.returns
        return float(np.clip((value - least) / (greatest - least), 0.0, 1.0))

    def _batch(self, positions: Sequence[Position]) -> tuple[Turn, BatchedGame]:
        """All positions as the rows of one turn."""
        assert isinstance(self._table.game, BatchedGame)
        game = BatchedGame(self._table.game.rules, len(positions), restart=False)
        seeds = [position.start.seed for position in positions]
        usual = [position.moves if position.start.position is None else () for position in positions]
        game.reset(seeds, openings=usual)
        for row, position in enumerate(positions):
            if position.start.position is not None:
                table = Table(position.start)
                table.go_to(position.moves)
                assert isinstance(table.game, BatchedGame)
                game.set_positions(table.game.states[:1], np.array([row]))
        return game.turn(), game

    def _answer_one(self, position: Position) -> Thought:
        """In a game through a door, or to an agent that remembers."""
        if self._table.start != position.start:
            self._table = Table(position.start)
        self._table.go_to(position.moves)
        turn = _asked(self._table.game, position.player)
        try:
            choice = self.agent.act(turn)
            if choice.memory is not None:
                return self._remembering(position)
            return self._thought(turn, choice, 0, wrong_actions(turn, choice, self.spec))
        except Exception as error:
            return _failed(error)

    def _remembering(self, position: Position) -> Thought:
        """Ask an agent with a memory at each of its turns of the game, so that it knows what it saw."""
        if self._table.start != position.start:
            self._table = Table(position.start)
        self._table.go_to(position.moves)
        movers = self._table.movers()
        player = movers[0] if position.player is None else position.player
        memory: Array | None = None
        done = 0
        try:
            while True:
                self._table.go_to(position.moves[:done])
                movers = self._table.movers()
                if player in movers:
                    turn = _asked(self._table.game, player)
                    choice = self.agent.act(turn, memory)
                    memory = choice.memory
                    if done >= len(position.moves):
                        return self._thought(turn, choice, 0, wrong_actions(turn, choice, self.spec))
                if done >= len(position.moves):
                    return Thought(failed="was asked where it is not to move")
                done += len(movers)
        except Exception as error:
            return _failed(error)

    def _thought(self, turn: Turn, choice: Choice, row: int, wrong: dict[int, str]) -> Thought:
        failed = choice.failed.get(row) or wrong.get(row, "")
        player = int(turn.players[row])
        if failed:
            return Thought(player=player, failed=failed)
        policy: tuple[tuple[int, float], ...] = ()
        if choice.policy is not None:
            likely = np.argsort(-choice.policy[row], kind="stable")[:MOST_SHOWN]
            policy = tuple(
                (int(action), float(choice.policy[row, action])) for action in likely if choice.policy[row, action] > 0
            )
        chance = None
        if choice.value is not None and np.isfinite(self.spec.returns).all() and self.spec.players <= 2:
            value = float(choice.value[row])
            chance = None if np.isnan(value) else self.share(value)
        return Thought(int(choice.actions[row]), player, policy, chance)


def _asked(game: Game, player: int | None) -> Turn:
    turn = game.turn()
    if not len(turn):
        raise UsageError("the game is over in this position")
    row = 0 if player is None else int(np.flatnonzero(turn.players == player)[0])
    return turn.take(np.array([row]))


def _likely(pair: tuple[int, float]) -> float:
    return -pair[1]


def _failed(error: BaseException) -> Thought:
    return Thought(failed=f"crashed: {type(error).__name__}: {error}"[:200])
