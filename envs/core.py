"""The contracts of Lanista. Read this file first, then its one loop, in `loop.py`.

A game is always `n` independent copies stepped together. At every moment it shows the seats that must act as the rows
of one batch (`Turn`); whoever plays answers the batch (`Choice`); the game goes on (`Outcome`). Turn-based games show
one row a copy, simultaneous games one for each player, single-player games one: the same rows for all.

Collecting experience, a tournament and a person at a board are `loop.play` with different callers.

Shapes are written `# (k, num_actions)`: `k` rows of a turn, `n` copies of the game, `players` seats a copy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

Array = NDArray[Any]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Kind = Literal["turn-based", "simultaneous", "single-player"]


@dataclass(frozen=True)
class Role:
    """What a player of this role sees and may do.

    Attributes:
        observation: a `spaces.Dict`, modality name -> space of one row.
        action: `Discrete`, `MultiDiscrete` or `Box`.
        name: what the game calls its players, such as "speaker"; where it is empty, nothing. Roles with equal spaces
            are equal, whatever they are called.
    """

    observation: spaces.Dict
    action: spaces.Space[Any]
    name: str = field(default="", compare=False)


@dataclass(frozen=True)
class Symmetry:
    """A way to turn the board, or to exchange cards, that leaves the game the same.

    The cells of each named modality (its last two axes, flattened, or its only one) and the actions are permuted:
    `turned.reshape(..., cells)[..., i] = observation.reshape(..., cells)[..., cells_from[i]]` and action `a` of the
    original is action `actions_to[a]` of the turned position.
    """

    name: str
    cells_from: Mapping[str, tuple[int, ...]]
    actions_to: tuple[int, ...]


@dataclass(frozen=True)
class GameSpec:
    """What is known of a game before it is played.

    Attributes:
        name: the string that makes it, with every option that differs from the default.
        players: how many seats a copy has.
        roles: the different roles; most games have one.
        role_of: for each player, its index in `roles`.
        kind: who moves when.
        zero_sum: the rewards of each step add up to nothing.
        perfect_information: every seat sees all there is, and chance plays no part after the start.
        longest: no game has more plies; None if there is no such bound.
        returns: the least and the greatest sum of rewards one player can have in a game.
        symmetries: the game's symmetries, without the identity.
        static: modalities that never change within a game, to be stored once a game.
        description: one line for people.
        levels: an episode is a level that its number alone decides, and may be chosen: the game is a `LevelGame`.
        instructed: its player is told what to do, and may be told something else: see `envs.instructed`.
    """

    name: str
    players: int
    roles: tuple[Role, ...]
    role_of: tuple[int, ...]
    kind: Kind
    zero_sum: bool
    perfect_information: bool
    longest: int | None
    returns: tuple[float, float]
    symmetries: tuple[Symmetry, ...] = ()
    static: frozenset[str] = frozenset()
    description: str = ""
    levels: bool = False
    instructed: bool = False

    def role(self, player: int) -> Role:
        """The role of a player."""
        return self.roles[self.role_of[player]]


class Public(Protocol):
    """All there is to know of the games of a turn, for search; only perfect-information games have one."""

    @property
    def rules(self) -> Any:
        """The compiled rules, an `envs.rules.Rules`."""
        ...

    def positions(self) -> Array:
        """Copies of the positions, one record a row."""  # (k,) of rules.state
        ...

    def moves(self, row: int) -> list[int]:
        """The actions that led from the game's start to this row's position."""
        ...


@dataclass(frozen=True)
class Turn:
    """The seats that must act now: `k` rows, one a seat.

    Attributes:
        copies: which copy of the game.
        players: which player in it.
        games: serial number of the game being played, never reused: the key for trees and memory.
        plies: how many plies this game has seen.
        draws: a number drawn from the game's own stream for this decision. An agent that takes its chance from here
            plays a game again exactly from its seed, whatever batch it is in.
        observation: modality name -> rows; only what that seat may see.
        legal: the legal actions; (k, sum(nvec)) for MultiDiscrete; None for Box.
        clock: seconds left, the increment that a move brings, how many moves (this one too) are to be made until more
            time comes, 0 where none comes, and the seconds that the opponent has left, of two players; None where no
            clock runs. A fixed time a move is (time, 0, 1, time).
        public: for perfect-information games, the positions and rules; None if anything is hidden.
    """

    copies: Ints  # (k,)
    players: Ints  # (k,)
    games: Ints  # (k,)
    plies: Ints  # (k,)
    draws: NDArray[np.uint64]  # (k,)
    observation: Mapping[str, Array]  # each (k, *shape)
    legal: Bools | None  # (k, num_actions)
    clock: Floats | None = None  # (k, 4)
    public: Public | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.copies)

    def take(self, rows: Ints) -> Turn:
        """The same turn with only these rows, in this order."""
        return Turn(
            copies=self.copies.take(rows),
            players=self.players.take(rows),
            games=self.games.take(rows),
            plies=self.plies.take(rows),
            draws=self.draws.take(rows),
            observation={name: value.take(rows, axis=0) for name, value in self.observation.items()},
            legal=None if self.legal is None else self.legal.take(rows, axis=0),
            clock=None if self.clock is None else self.clock[rows],
            public=None if self.public is None else _PublicRows(self.public, rows),
        )


@dataclass(frozen=True)
class _PublicRows:
    """Some rows of a `Public`."""

    whole: Public
    rows: Ints

    @property
    def rules(self) -> Any:
        return self.whole.rules

    def positions(self) -> Array:
        return self.whole.positions()[self.rows]

    def moves(self, row: int) -> list[int]:
        return self.whole.moves(int(self.rows[row]))


@dataclass(frozen=True)
class Outcome:
    """What a step did.

    Attributes:
        rewards: what each player of each copy got in this step.
        terminated: players for whom the game ended; players may drop out singly.
        truncated: players who were cut off, though their game had not ended.
        finished: copies whose game is over for all.
        broken: copies whose environment raised: void, not an end.
        final: the rows of seats that were cut off, before the restart: bootstrap there and nowhere else.
    """

    rewards: Floats  # (n, players)
    terminated: Bools  # (n, players)
    truncated: Bools  # (n, players)
    finished: Bools  # (n,)
    broken: Bools  # (n,)
    final: Turn | None = None


@dataclass(frozen=True)
class Choice:
    """An agent's answer to a turn.

    Attributes:
        actions: one a row; (k, m) for MultiDiscrete, (k, *shape) for Box.
        policy: the probability of each action, where the agent has it.
        value: the return that the row's player expects from here, where the agent has it; NaN in a row where it did
            not say.
        memory: what the agent wants back at this seat's next turn, one row a row.
        failed: row -> why the agent could not answer it.
        waiting: rows that are not answered yet: a person who still thinks, an engine that still runs.
        seconds: how long each row took, where a process of its own was asked and measured.
    """

    actions: Array  # (k,)
    policy: Floats | None = None  # (k, num_actions)
    value: Floats | None = None  # (k,)
    memory: Array | None = None  # (k, *memory)
    failed: Mapping[int, str] = field(default_factory=dict)
    waiting: Bools | None = None  # (k,)
    seconds: Array | None = None  # (k,) float64


@runtime_checkable
class Game(Protocol):
    """`n` copies of a game, stepped together."""

    spec: GameSpec
    copies: int

    def reset(
        self,
        seed: int | Sequence[int] | None = None,
        copies: Ints | None = None,
        openings: Sequence[Sequence[int]] | None = None,
    ) -> None:
        """Begin new games.

        Args:
            seed: one for all, from which each copy draws its own, or one for each of `copies`; None goes on with the
                copies' random streams.
            copies: which copies; None is all.
            openings: for each of `copies`, actions that are played before its first turn.

        Raises:
            UsageError: an opening has an illegal action, or ends the game.
        """
        ...

    def turn(self) -> Turn:
        """The seats that must act now. Without a step it is the same again. No rows: no copy has a game to go on."""
        ...

    def step(self, actions: Array, rows: Ints | None = None) -> Outcome:
        """Play one action for each of these rows of the last turn (None: for all); rows not answered stay open.

        Raises:
            ValueError: an action is illegal; then nothing was played.
        """
        ...

    def stop(self, copies: Ints) -> None:
        """End the games of these copies where they stand: they restart, or wait for `reset`."""
        ...

    def picture(self, copy: int, player: int | None = None) -> str:
        """An SVG of the position, as that player may see it; None sees all."""
        ...

    def text(self, copy: int, player: int | None = None) -> str:
        """The position as text for a terminal."""
        ...

    def print_move(self, copy: int, action: int) -> str:
        """An action of the player to move as the field writes it."""
        ...

    def parse_move(self, copy: int, text: str) -> int:
        """The action that a text names.

        Raises:
            UsageError: it names none.
        """
        ...


@runtime_checkable
class LevelGame(Game, Protocol):
    """A game of one player whose episodes are levels, as procedural generation makes them from a number."""

    def begin_levels(self, levels: Ints, copies: Ints, seeds: Sequence[int]) -> None:
        """Begin new games in some copies, each on the level of its own.

        The other copies go on; those that never began wait. A level's number decides all that the environment draws,
        whichever copy plays it and whatever was played there before.

        Args:
            levels: (m,) their numbers, from 0 to 2**31 - 1.
            copies: (m,) where they are played.
            seeds: one for each of `copies`, of what agents draw there (`Turn.draws`): two games on one level need not
                be the same game.

        Raises:
            UsageError: the environments of this game have no levels to choose.
        """
        ...


class Agent(Protocol):
    """Whoever plays. A class with `act` will do; the rest has defaults."""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """Answer each row of a turn.

        Args:
            turn: the rows this agent must answer.
            memory: what it returned as `Choice.memory` at each seat's last turn, zeros at a game's start; None until
                it has returned any.
        """
        ...


def agent_name(agent: Agent) -> str:
    """What an agent calls itself, else its class's name."""
    return str(getattr(agent, "name", type(agent).__name__))


def start_agent(agent: Agent, spec: GameSpec, seed: int) -> None:
    """Tell an agent which game it will play, and the seed of its chance, if it has a `start` to be told by."""
    begin = getattr(agent, "start", None)
    if begin is not None:
        begin(spec, seed)


@dataclass(frozen=True)
class Answered:
    """One agent's part of a turn."""

    agent: int  # index in the agents that play
    rows: Ints  # (r,) rows of the turn
    choice: Choice  # of these rows


@dataclass(frozen=True)
class Failure:
    """A seat that lost its game by not answering as the rules of `loop.play` ask."""

    copy: int
    game: int
    player: int
    agent: int
    reason: str


@dataclass(frozen=True)
class Ply:
    """One round of the loop: what was asked, answered and done."""

    turn: Turn
    answers: tuple[Answered, ...]
    rows: Ints  # (r,) the rows of the turn that were played
    actions: Array  # (r,) what they played
    outcome: Outcome
    failures: tuple[Failure, ...]


Ask = Callable[[Agent, Turn, Ints, Array | None, GameSpec], Choice]  # `loop.ask_agent`, or what stands before it
