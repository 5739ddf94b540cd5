"""The contracts of Lanista and its one loop. Read this file first.

A game is always `n` independent copies stepped together. At every moment it shows the seats that must act as the rows
of one batch (`Turn`); whoever plays answers the batch (`Choice`); the game goes on (`Outcome`). Turn-based games show
one row a copy, simultaneous games one for each player, single-player games one: the same rows for all.

Collecting experience, a tournament and a person at a board are `play` with different callers.

Shapes are written `# (k, num_actions)`: `k` rows of a turn, `n` copies of the game, `players` seats a copy.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
        value: the return that the row's player expects from here, where the agent has it.
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
    """A seat that lost its game by not answering as the rules of `play` ask."""

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


Ask = Callable[[Agent, Turn, Ints, Array | None, GameSpec], Choice]  # `ask_agent`, or what stands before it


def play(
    game: Game, agents: Sequence[Agent], seats: Ints | None = None, *, seed: int = 0, ask: Ask | None = None
) -> Iterator[Ply]:
    """The one loop: show each agent its rows, check the answers, step the game, until no copy goes on.

    If an agent raises on a batch it is asked row by row, and only the failing rows forfeit: their copies are stopped
    and named in `Ply.failures`. An illegal action forfeits likewise. Rows that wait stay open while other copies go
    on; the loop still yields, so that a caller may sleep or look at a clock.

    Args:
        game: reset by the caller. Copies that finish restart by themselves, or the caller resets them between plies.
        agents: who plays.
        seats: which agent sits where; read at every turn, so the caller may seat new games between plies. None seats
            agent `p % len(agents)` at player `p`.
        seed: agents draw their own random streams from it and their name.
        ask: asks an agent instead of `ask_agent`; what it has fail loses, whoever is to blame.
    """
    ask = ask or ask_agent
    players = game.spec.players
    if seats is None:
        seats = np.tile(np.arange(players) % len(agents), (game.copies, 1))  # (n, players)
    memories: list[Array | None] = [None] * len(agents)  # each (n, players, *memory)
    for agent in agents:
        # By name, so that what an agent draws does not depend on who else is at the table.
        start_agent(agent, game.spec, (seed + zlib.crc32(agent_name(agent).encode())) % 2**63)
    while len(turn := game.turn()):
        answers = tuple(
            Answered(number, rows, ask(agents[number], turn, rows, memories[number], game.spec))
            for number, rows in _split(turn, seats, game.spec)
        )
        rows, actions, failures = _gather(turn, answers, game.spec)
        for answer in answers:
            _remember(memories, answer, turn, game.copies, players)
        outcome = game.step(actions, rows if len(rows) < len(turn) else None)
        if failures:
            game.stop(np.array(sorted({failure.copy for failure in failures})))
        _forget(memories, agents, turn, outcome, failures)
        yield Ply(turn, answers, rows, actions, outcome, failures)


def _split(turn: Turn, seats: Ints, spec: GameSpec) -> Iterator[tuple[int, Ints]]:
    """Which agent answers which rows; a call never mixes roles."""
    who = seats[turn.copies, turn.players]  # (k,)
    if len(spec.roles) > 1:
        who = who * len(spec.roles) + np.asarray(spec.role_of)[turn.players]
    if len(who) == 1 or (who[0] == who[-1] and (who == who[0]).all()):
        yield int(who[0]) // len(spec.roles), np.arange(len(turn))
        return
    for key in np.flatnonzero(np.bincount(who)).tolist():
        yield key // len(spec.roles), np.flatnonzero(who == key)


def ask_agent(agent: Agent, turn: Turn, rows: Ints, memory: Array | None, spec: GameSpec) -> Choice:
    """One agent's answer to its rows, with what it did wrong in `failed`.

    Args:
        agent: who is asked.
        turn: all that must act now.
        rows: (r,) those that this agent answers.
        memory: (n, players, *memory) what it remembers of every seat.
        spec: the game.
    """
    mine = turn if len(rows) == len(turn) else turn.take(rows)
    remembered = None if memory is None else memory[mine.copies, mine.players]
    try:
        choice = agent.act(mine, remembered)
        wrong = wrong_actions(mine, choice, spec)
    except Exception as error:
        if len(mine) == 1:
            return Choice(np.zeros(1, np.int64), failed={0: f"crashed: {type(error).__name__}: {error}"[:200]})
        return _ask_one_by_one(agent, mine, remembered, spec)
    return replace(choice, failed={**wrong, **choice.failed}) if wrong else choice


def _ask_one_by_one(agent: Agent, mine: Turn, remembered: Array | None, spec: GameSpec) -> Choice:
    """Find the rows on which an agent fails; the others are answered."""
    choices = []
    for row in range(len(mine)):
        memory = None if remembered is None else remembered[row : row + 1]
        single = mine.take(np.array([row]))
        try:
            choice = agent.act(single, memory)
            choices.append(replace(choice, failed={**wrong_actions(single, choice, spec), **choice.failed}))
        except Exception as error:
            reason = f"crashed: {type(error).__name__}: {error}"[:200]
            choices.append(Choice(np.zeros(1, np.int64), failed={0: reason}))
    whole = [choice for choice in choices if not choice.failed]
    if not whole:
        return Choice(np.zeros(len(mine), np.int64), failed={r: c.failed[0] for r, c in enumerate(choices)})
    filler = whole[0]

    def stack(name: str) -> Any:
        parts = [getattr(filler if choice.failed else choice, name) for choice in choices]
        return None if any(part is None for part in parts) else np.concatenate(parts)

    return Choice(
        actions=stack("actions"),
        policy=stack("policy"),
        value=stack("value"),
        memory=stack("memory"),
        failed={row: choice.failed[0] for row, choice in enumerate(choices) if choice.failed},
        waiting=np.array([choice.waiting is not None and bool(choice.waiting[0]) for choice in choices]),
    )


def wrong_actions(turn: Turn, choice: Choice, spec: GameSpec) -> dict[int, str]:
    """Check the actions that are no failures and do not wait.

    Returns:
        Row -> why its action may not be played.

    Raises:
        ValueError: the answer is of the wrong shape or type.
    """
    actions = np.asarray(choice.actions)
    if len(actions) != len(turn):
        raise ValueError(f"answered {len(actions)} rows of {len(turn)}")
    for name in ("waiting", "memory"):
        value = getattr(choice, name)
        if value is not None and len(value) != len(turn):
            raise ValueError(f"gave {name} for {len(value)} rows of {len(turn)}")
    space = spec.roles[0].action if len(spec.roles) == 1 else spec.role(int(turn.players[0])).action
    if isinstance(space, spaces.Discrete) and turn.legal is not None:
        if actions.ndim != 1 or actions.dtype.kind not in "iu":
            raise ValueError(f"actions must be (k,) integers, not {actions.dtype} of shape {actions.shape}")
        width = turn.legal.shape[1]
        if len(actions) == 1:  # a game at a time, as users' own classes and engines are often asked
            action = int(actions[0])
            if 0 <= action < width and turn.legal[0, action]:
                return {}
        known = len(actions) and actions.min() >= 0 and actions.max() < width
        if known and turn.legal.take(np.arange(0, len(turn) * width, width) + actions).all():
            return {}  # as nearly always: small batches are asked thousands of times a second
        inside: Bools = (actions >= 0) & (actions < width)
        good = inside & turn.legal[np.arange(len(turn)), np.where(inside, actions, 0)]
    elif isinstance(space, spaces.MultiDiscrete) and turn.legal is not None:
        if actions.shape != (len(turn), len(space.nvec)) or actions.dtype.kind not in "iu":
            raise ValueError(f"actions must be (k, m) integers, not {actions.dtype} of shape {actions.shape}")
        starts = np.concatenate([[0], np.cumsum(space.nvec)[:-1]])
        inside = np.asarray(((actions >= 0) & (actions < space.nvec)).all(axis=1))
        flat = starts + np.where(inside[:, None], actions, 0)
        good = inside & np.take_along_axis(turn.legal, flat, axis=1).all(axis=1)
    else:
        if actions.shape != (len(turn), *(space.shape or ())):
            raise ValueError(f"actions must be (k, *{space.shape}), not of shape {actions.shape}")
        good = np.isfinite(actions.reshape(len(turn), -1)).all(axis=1)
    if good.all():
        return {}
    asked = np.ones(len(turn), bool) if choice.waiting is None else ~choice.waiting
    for row in choice.failed:
        asked[row] = False
    wrong: Bools = np.asarray(asked & ~good)
    return {int(row): f"illegal action {actions[row]}" for row in np.flatnonzero(wrong)}


def _gather(turn: Turn, answers: tuple[Answered, ...], spec: GameSpec) -> tuple[Ints, Array, tuple[Failure, ...]]:
    """The rows that are played, their actions, and the seats that failed."""
    if len(answers) == 1 and not answers[0].choice.failed and answers[0].choice.waiting is None:
        return answers[0].rows, np.asarray(answers[0].choice.actions), ()
    failures = []
    played_rows, played_actions = [], []
    for answer in answers:
        choice = answer.choice
        good = np.ones(len(answer.rows), bool) if choice.waiting is None else ~choice.waiting
        for row, reason in choice.failed.items():
            good[row] = False
            at = answer.rows[row]
            seat = int(turn.copies[at]), int(turn.games[at]), int(turn.players[at])
            failures.append(Failure(*seat, answer.agent, reason))
        if good.any():  # a failed answer may have no actions of the right shape
            played_rows.append(answer.rows[good])
            played_actions.append(np.asarray(choice.actions)[good])
    if not played_rows:
        space = spec.role(int(turn.players[0])).action  # no actions have their shape too
        return np.zeros(0, np.int64), np.zeros((0, *(space.shape or ())), space.dtype), tuple(failures)
    if len({part.shape[1:] for part in played_actions}) == 1 and sum(map(len, played_rows)) == len(turn):
        whole = np.empty((len(turn), *played_actions[0].shape[1:]), np.result_type(*played_actions))
        for places, part in zip(played_rows, played_actions, strict=True):
            whole[places] = part
        return np.arange(len(turn)), whole, tuple(failures)  # as nearly always, without a sort
    rows = np.concatenate(played_rows)
    order = np.argsort(rows)  # in the turn's order again: `play` may then give them without their rows
    return rows[order], _joined(played_actions)[order], tuple(failures)


def _joined(parts: Sequence[Array]) -> Array:
    """The actions of several agents in one array; where roles differ in shape, flat and filled up from the left."""
    if len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    flat = [part.reshape(len(part), -1) for part in parts]
    width = max(part.shape[1] for part in flat)
    return np.concatenate([np.pad(part, ((0, 0), (0, width - part.shape[1]))) for part in flat])


def _remember(memories: list[Array | None], answer: Answered, turn: Turn, copies: int, players: int) -> None:
    """Keep what an agent wants back, by copy and player."""
    new = answer.choice.memory
    if new is None:
        return
    kept = memories[answer.agent]
    if kept is None:
        kept = memories[answer.agent] = np.zeros((copies, players, *new.shape[1:]), new.dtype)
    done = slice(None) if answer.choice.waiting is None else ~answer.choice.waiting  # who waits was not answered yet
    rows = answer.rows[done]
    kept[turn.copies[rows], turn.players[rows]] = new[done]


def _forget(
    memories: list[Array | None],
    agents: Sequence[Agent],
    turn: Turn,
    outcome: Outcome,
    failures: tuple[Failure, ...],
) -> None:
    """Clear the memory of games that are over, and tell the agents that have a `finish`."""
    over: Bools = outcome.finished | outcome.broken
    for failure in failures:
        over[failure.copy] = True
    if not np.count_nonzero(over):  # quicker than `any` where there are few
        return
    for memory in memories:
        if memory is not None:
            memory[over] = 0
    for agent in agents:
        finish = getattr(agent, "finish", None)
        if finish is not None:
            finish(np.unique(turn.games[over[turn.copies]]))
