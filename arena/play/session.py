"""One game at the page, without the page: who sits where, what was played, and what each may do. One tab shows it.

It computes no agent's move: it says who must move (`to_move`), and takes moves from whoever found them. Time is the
caller's: every method that looks at a clock is told the moment.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from lanista.agents.awarded_returns import forfeit_returns
from lanista.agents.time_control import TimeControl
from lanista.arena.entrants import PERSON
from lanista.arena.play.chess_clock import ChessClock
from lanista.arena.play.move_tree import ROOT, MoveTree, Node
from lanista.arena.play.table import Start, Table
from lanista.errors import UsageError

MOST_PLIES = 20_000  # of one tree


@dataclass(frozen=True)
class Seat:
    """Who sits at a place: a person's name, or a contestant's string."""

    kind: Literal["person", "agent"]
    name: str

    @property
    def stored(self) -> str:
        """The name in a store."""
        return PERSON + self.name if self.kind == "person" else self.name


@dataclass(frozen=True)
class Result:
    """How a game ended.

    Attributes:
        returns: of each player.
        reason: `Played.reason`, or "resigned", "time", "agreed".
        words: why, for people.
        at_fault: who failed; None if nobody did.
    """

    returns: tuple[float, ...]
    reason: str
    words: str
    at_fault: int | None = None

    def winners(self) -> tuple[int, ...]:
        """The players with the most; all of them if nobody has less."""
        best = max(self.returns)
        return tuple(player for player, value in enumerate(self.returns) if value == best)


@dataclass(frozen=True)
class Rules:
    """What was agreed before the game.

    Attributes:
        strict: nothing is taken back, and no hints are given.
        control: of the clock; None plays without.
        pace: seconds between the moves of agents who play each other.
        analysis: it is no game but a board to try things on: whoever moves, moves for the player to move.
    """

    strict: bool = False
    control: TimeControl | None = None
    pace: float = 0.5
    analysis: bool = False


@dataclass
class Session:
    """A game that is played or looked at; see the module.

    Attributes:
        number: the id in its address.
        live: the position of the tree where the game stands.
        result: of the game; None while it goes on.
        clock: None without a time control.
        paused: agents wait; `step_once` lets one of them move.
        saved: the game is in a store.
        pending: in a round of moves at once, what some players have answered.
        version: grows with every change.
    """

    start: Start
    seats: tuple[Seat, ...]
    rules: Rules = field(default_factory=Rules)
    number: str = field(default_factory=lambda: secrets.token_urlsafe(9))
    title: str = ""

    def __post_init__(self) -> None:
        self.table = Table(self.start)
        spec = self.table.spec
        if len(self.seats) != spec.players:
            raise UsageError(f"{spec.name} has {spec.players} seats, not {len(self.seats)}")
        if self.rules.control is not None and spec.kind == "simultaneous":
            raise UsageError("where all move at once there is no clock")
        self.tree = MoveTree(spec.players)
        self.live = ROOT
        self.result: Result | None = None
        self.clock = ChessClock.new(self.rules.control, spec.players) if self.rules.control else None
        self.paused = False
        self.saved = False
        self.pending: dict[int, int] = {}
        self.version = 0
        self.opening = 0  # rounds that were given, not played
        self.restored = False  # it was made from a store: not to be stored again

    # --- who must do what

    @property
    def spec(self) -> Any:
        """The game's spec."""
        return self.table.spec

    @property
    def over(self) -> bool:
        """Whether there is a result."""
        return self.result is not None

    def movers(self, at: int | None = None) -> tuple[int, ...]:
        """The players who must act at a position (the live one) and have not answered yet."""
        at = self.live if at is None else at
        if self.tree[at].ended or (self.over and at == self.live and not self._hand_made(at)):
            return ()
        self.table.go_to(self.tree.moves(at))
        waiting = self.pending if at == self.live else {}
        return tuple(player for player in self.table.movers() if player not in waiting)

    def _hand_made(self, at: int) -> bool:
        """Whether moves may be tried on from a position after the game is over: they are variations."""
        return not self.tree[at].ended

    def agent_to_move(self) -> int | None:
        """A player at whose seat an agent must move now, if the game goes on."""
        if self.over or self.rules.analysis:
            return None
        return next((player for player in self.movers() if self.seats[player].kind == "agent"), None)

    def persons(self) -> tuple[int, ...]:
        """The players at whose seats people sit."""
        return tuple(player for player, seat in enumerate(self.seats) if seat.kind == "person")

    def may_move(self, at: int) -> tuple[int, ...]:
        """The players for whom a person at the page may move at a position."""
        movers = self.movers(at)
        if self.rules.analysis or self.over:
            return movers if not self.tree[at].ended else ()
        if at != self.live and (self.rules.strict or self.clock is not None or not self.persons()):
            return ()  # in a strict game the past stands
        return tuple(player for player in movers if self.seats[player].kind == "person")

    def viewer(self, at: int) -> int | None:
        """The player with whose eyes the page shows a position; None sees all."""
        if self.spec.perfect_information or self.over or self.rules.analysis:
            return None
        persons = self.persons()
        if not persons:
            return None
        if len(persons) == 1:
            return persons[0]
        movers = [player for player in self.movers(at) if player in persons]
        return movers[0] if movers else persons[0]

    @property
    def shared_screen(self) -> bool:
        """Whether several people with hidden hands look at one page, so that hands are covered between turns."""
        return not self.spec.perfect_information and len(self.persons()) > 1 and not self.over

    # --- what is done

    def begin(self, now: float) -> None:
        """Start the clock of whoever moves first."""
        self._run_clock(now)

    def play(self, at: int, player: int, action: int, now: float) -> Node:
        """Play a move at a position of the tree.

        At the live position it is the game's next move; at an earlier one the game goes on from there, and what was
        played after it stays as a variation. After the game is over every move is a variation.

        Raises:
            UsageError: it is not legal, or not that player's move.
        """
        if at not in self.tree:
            raise UsageError("there is no such position")
        if len(self.tree) > MOST_PLIES:
            raise UsageError("this tree has grown as large as it may")
        if player not in self.movers(at):
            raise UsageError("it is not that player's move")
        if not isinstance(action, int) or isinstance(action, bool) or action not in self.table.legal(player):
            raise UsageError("that move is not legal here")
        if self.check_time(now):
            raise UsageError("time is over")
        if self.over and at == self.live and not self.rules.analysis and self.tree[at].ended:
            raise UsageError("the game is over")
        in_game = not self.over and not self.rules.analysis
        self.version += 1
        moving = self.table.movers()
        if len(moving) > 1:
            answered = self.pending if at == self.live else {}
            answered[player] = action
            if len(answered) < len(moving):
                return self.tree[at]
            actions = tuple(answered[each] for each in moving)
            self.pending = {}
        else:
            actions = (action,)
        node = self._enter(at, moving, actions)
        if in_game:
            if self.clock is not None:
                node.seconds = self.clock.moved(player, now)
            self.live = node.number
            self.tree.promote(node.number)
            self._conclude(node)
            self._run_clock(now)
        elif self.rules.analysis:
            self.live = node.number
        return node

    def _enter(self, at: int, players: tuple[int, ...], actions: tuple[int, ...]) -> Node:
        known = self.tree.child(at, actions)
        if known is not None:
            return known
        word = " ".join(self.table.print_move(action) for action in actions)
        step = self.table.step(actions)
        returns = tuple(np.add(self.tree[at].returns, step.rewards).tolist())
        return self.tree.add(at, Node(0, at, players, actions, word, returns, step.ended))

    def _conclude(self, node: Node) -> None:
        """Give the game its result if a position is its end."""
        if node.ended == "broken":
            self._end(Result(node.returns, "broken", "the environment failed, so this game counts for nobody"))
        elif node.ended:
            words = self.table.end_words() if node.ended == "end" else "the game's length is reached"
            self._end(Result(node.returns, node.ended, words))

    def _end(self, result: Result) -> None:
        self.result = result
        self.pending = {}
        self.version += 1
        if self.clock is not None:
            self.clock.running = None

    def _run_clock(self, now: float) -> None:
        if self.clock is None:
            return
        movers = () if self.over else self.movers()
        # The clock waits for the first move of the game.
        if movers and self.live != ROOT:
            self.clock.start(movers[0], now)
        else:
            self.clock.stop(now)

    def check_time(self, now: float) -> bool:
        """End the game if somebody's time is over; whether it is so."""
        if self.clock is None or self.over:
            return False
        late = self.clock.flagged(now)
        if late is None:
            return False
        self.clock.stop(now)
        self._end(Result(self._forfeit(late), "time", "time is over", late))
        return True

    def _forfeit(self, player: int) -> tuple[float, ...]:
        """What each has when one gives up or fails."""
        return forfeit_returns(self.spec, self.tree[self.live].returns, [player])

    def fail(self, player: int, reason: str) -> None:
        """An agent failed: it forfeits, and the reason is said."""
        if not self.over:
            self._end(Result(self._forfeit(player), reason, f"{self.seats[player].name} failed: {reason}", player))

    def resign(self, player: int) -> None:
        """A person gives up.

        Raises:
            UsageError: the game is over, or no person sits there.
        """
        self._check_goes_on()
        if player not in self.persons():
            raise UsageError("nobody else's game can be resigned")
        self._end(Result(self._forfeit(player), "resigned", "resignation"))

    def agree_draw(self) -> None:
        """Two people agree that it is a draw.

        Raises:
            UsageError: the game is over, or not between people.
        """
        self._check_goes_on()
        if len(self.persons()) < self.spec.players:
            raise UsageError("a draw is agreed between people; agents play on")
        self._end(Result((0.0,) * self.spec.players, "agreed", "agreement"))

    def take_back(self, now: float) -> None:
        """Go back to before the last move of a person; a finished game goes on from there.

        Raises:
            UsageError: the game is strict, or there is no such move.
        """
        if self.rules.strict:
            raise UsageError("in a strict game nothing is taken back")
        if not self.spec.perfect_information:
            raise UsageError("where hands are hidden nothing is taken back: you would know more than before")
        line = self.tree.line(self.live)
        people = set(range(self.spec.players)) if self.rules.analysis else set(self.persons())
        mine = [node for node in line[self.opening :] if people & set(node.players)]
        if not mine:
            raise UsageError("there is no move of yours to take back")
        if self.saved and self.over:
            raise UsageError("the finished game is in the store; play a rematch")
        parent = mine[-1].parent
        assert parent is not None
        self.live, self.result, self.pending = parent, None, {}
        self.version += 1
        self._run_clock(now)

    def rematch(self) -> Session:
        """A new game of the same people and agents, who change seats."""
        seats = (*self.seats[1:], self.seats[0])
        seed = int(np.random.SeedSequence().generate_state(1)[0])
        return Session(Start(self.start.game, seed, self.start.position), seats, self.rules, title=self.title)

    def branch(self, at: int, seats: tuple[Seat, ...]) -> Session:
        """A new game that begins where a position of this one stands.

        Raises:
            UsageError: the game is over there, or hides something.
        """
        if self.tree[at].ended:
            raise UsageError("the game is over in this position")
        if not self.spec.perfect_information:
            raise UsageError("where hands are hidden a game cannot be gone on with in another one")
        fresh = Session(self.start, seats, Rules(pace=self.rules.pace))
        fresh.replay(self.tree.moves(at))
        return fresh

    def replay(self, moves: tuple[Any, ...]) -> None:
        """Play given moves from the start; they are the opening.

        Raises:
            UsageError: one is not legal.
        """
        done = 0
        while done < len(moves):
            self.table.go_to(moves[:done])
            movers = self.table.movers()
            now = tuple(moves[done : done + len(movers)])
            if not movers or len(now) < len(movers):
                break
            for player, action in zip(movers, now, strict=True):
                if action not in self.table.legal(player):
                    raise UsageError(f"move {done + 1} is not legal")
            node = self._enter(self.live, movers, now)
            self.live = node.number
            done += len(movers)
        self.opening = self.tree.depth(self.live)
        self.version += 1
        self._conclude(self.tree[self.live])

    def _check_goes_on(self) -> None:
        if self.over:
            raise UsageError("the game is over")
