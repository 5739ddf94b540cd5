"""Collect experience with the one loop: the current network plays all seats of a batch of games."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from lanista.agents.policy_network import PolicyNetwork, remember
from lanista.envs.core import (
    Agent,
    Array,
    Bools,
    Choice,
    Floats,
    Game,
    GameSpec,
    Ints,
    LevelGame,
    Outcome,
    Ply,
    Turn,
    play,
)
from lanista.envs.draws import mixed
from lanista.errors import UsageError
from lanista.training.league import Seating
from lanista.training.league_play import LeaguePlay
from lanista.training.level_play import LevelPlay
from lanista.training.linking import END, UNKNOWN, link
from lanista.training.perceptron import Perceptron, perceptron_of
from lanista.training.ppo import Batch, Trajectory, advantages


class Learner:
    """The agent that learns: it draws from its policy and remembers what it drew, and with what probability.

    Attributes:
        samples: of the last call, as the network's head drew them; (k,), or (k, dimensions).
        log_probability: of the samples; (k,).
        before: of the last call, what each row's seat remembered; (k, state_size), (k, 0) without a memory.
        memory: of every seat; (copies, players, state_size). The learner keeps it itself, and not the loop, because
            a run saves it, and because seats are valued that it does not play.
    """

    name = "learner"

    def __init__(self, network: PolicyNetwork, bfloat16: bool, copies: int, players: int) -> None:
        self.network = network
        self.bfloat16 = bfloat16
        size = 0 if network.memory is None else network.memory.state_size
        self.memory: Floats = np.zeros((copies, players, size), np.float32)
        self.before: Floats = np.zeros((0, size), np.float32)
        self.samples: Array = np.zeros(0, np.int64)
        self.log_probability: Floats = np.zeros(0, np.float32)
        self._seed = np.uint64(0)
        self._perceptron: Perceptron | None = None

    @contextlib.contextmanager
    def steady(self) -> Iterator[None]:
        """The network's weights stay what they are meanwhile, so that small ones may be asked as flat arrays."""
        self._perceptron = None if self.bfloat16 else perceptron_of(self.network)
        try:
            yield
        finally:
            self._perceptron = None

    def start(self, spec: GameSpec, seed: int) -> None:
        self._seed = np.uint64(seed % 2**64)

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """Draw an action a row; the policy is not kept, only the samples and their probability."""
        self.before, parameters, value = self.see(turn)
        head = self.network.head
        self.samples, self.log_probability = head.distribution(parameters).sample(mixed(turn.draws, self._seed))
        return Choice(head.played(self.samples), value=value.numpy())

    def evaluate(self, turn: Turn) -> tuple[torch.Tensor, torch.Tensor]:
        """The head's parameters and values of a turn's rows, of which nothing is remembered."""
        if self._perceptron is not None:
            logits, values = self._perceptron.ask(turn.observation, turn.legal)
            return torch.from_numpy(logits), torch.from_numpy(values)
        parameters, value, _ = remember(self.network, turn, self.bfloat16, self.memory[turn.copies, turn.players])
        return parameters, value

    def see(self, turn: Turn) -> tuple[Floats, torch.Tensor, torch.Tensor]:
        """What the rows' seats remembered before (k, state_size), and as `evaluate`; the rows are remembered."""
        before: Floats = self.memory[turn.copies, turn.players]
        if self._perceptron is not None:
            return before, *self.evaluate(turn)
        parameters, value, after = remember(self.network, turn, self.bfloat16, before)
        if after is not None:
            self.memory[turn.copies, turn.players] = after.numpy()
        return before, parameters, value

    def forget(self, over: Bools) -> None:
        """New games begin in these copies (copies,): what was seen in the old ones is forgotten."""
        if self.memory.shape[2] and over.any():
            self.memory[over] = 0


@dataclass
class _Step:
    """One ply of the loop, with what of it was not handed out yet."""

    turn: Turn
    samples: Array  # (k,) or (k, dimensions), of the learner
    log_probability: Floats  # (k,)
    value: Floats  # (k,)
    memory: Floats  # (k, state_size) before the step; (k, 0) without a memory
    outcome: Outcome
    final: Floats | None  # (f,) values of the rows that were cut off
    open: Array  # (k,) bool: rows that are not handed out yet


class Rollout:
    """Plays on and on; `collect` gives batches of finished experience.

    Most games are the network against itself. In a share of the copies one seat, drawn anew for each game, is a fixed
    opponent's, or seats are those of a member of the league: their rows are not learned from, but their values carry
    what follows a move back to the learner's rows.
    """

    def __init__(
        self,
        game: Game,
        network: PolicyNetwork,
        *,
        bfloat16: bool,
        seed: int,
        opponents: Sequence[Agent] = (),
        opponent_share: float = 0.0,
        levels: LevelPlay | None = None,
        league: LeaguePlay | None = None,
    ) -> None:
        """Begin.

        Args:
            game: restarts by itself; with `levels` it is a `LevelGame`, and does not.
            network: is read at every ply, so new weights take effect at once.
            bfloat16: compute in it.
            seed: of the games and the draws.
            opponents: fixed opponents, drawn evenly.
            opponent_share: the share of copies in which one of them has a seat.
            levels: says which level each episode plays, and is told how it went.
            league: takes the place of `opponents`: says who is seated in new games, and is told how they went.
        """
        self.game = game
        self.spec = game.spec
        self.learner = Learner(network, bfloat16, game.copies, game.spec.players)
        self._opponents = len(opponents)
        self._mixed = round(game.copies * opponent_share) if opponents and game.spec.players > 1 else 0
        self._seed = seed
        self.levels, self.league = levels, league
        if league is not None:
            opponents, self._mixed = league.slots, league.copies
        if levels is None:
            game.reset(seed)
        self._seats = np.zeros((game.copies, game.spec.players), np.int64)
        self._seat(np.arange(self._mixed))
        self._plies: Iterator[Ply] = play(game, [self.learner, *opponents], self._seats, seed=seed)
        self._left: list[_Step] = []
        self._sums = np.zeros((game.copies, self.spec.players), np.float32)
        self._lengths = np.zeros(game.copies, np.int64)
        self.finished: list[tuple[Floats, Ints]] = []  # returns (games, players) and lengths (games,) of ended games

    def _seat(self, copies: Ints) -> None:
        """Draw who sits where in the games that these copies begin."""
        copies = copies[copies < self._mixed]
        if not len(copies):
            return
        turn = self.game.turn()  # shown once a step anyway, and kept
        serial = np.zeros(self.game.copies, np.int64)
        serial[turn.copies] = turn.games
        draw = mixed(serial[copies].astype(np.uint64), np.uint64(self._seed % 2**64))
        if self.league is not None:
            self._seats[copies] = self.league.seats(draw)
            return
        draw %= np.uint64(self._opponents * self.spec.players)
        self._seats[copies] = 0
        self._seats[copies, (draw % np.uint64(self.spec.players)).astype(np.int64)] = 1 + (
            draw // np.uint64(self.spec.players)
        ).astype(np.int64)

    def collect(self, plies: int, gamma: float, gae_lambda: float) -> Batch:
        """Play this many plies of all copies, and give every row whose advantage can be told.

        A row that has no successor yet waits for the next call.
        """
        steps = self._left
        if self.levels is not None:
            self.levels.start(self._level_game)
        with self.learner.steady():
            for _ in range(plies):
                steps.append(self._step(next(self._plies)))
            upcoming = self.game.turn()
            value = self.learner.evaluate(upcoming)[1].numpy()
        batch, self._left = assemble(self.spec, steps, upcoming, value, gamma, gae_lambda)
        if self.levels is not None:
            # One seat a copy, which begins anew at once: every row is told.
            in_order = np.concatenate([step.turn.games for step in steps])
            self.levels.score(in_order if batch.stream is None else batch.stream, batch.advantages)
        return batch

    def follow(self, seating: Seating) -> None:
        """Let the league draw its members anew, if it is time to."""
        if self.league is not None:
            self.league.follow(seating, self._seats)

    @property
    def _level_game(self) -> LevelGame:
        assert isinstance(self.game, LevelGame), "checked when the run was made"
        return self.game

    def _step(self, ply: Ply) -> _Step:
        """What the learner remembers of a ply."""
        if ply.failures:
            raise RuntimeError(f"player {ply.failures[0].player} failed in training: {ply.failures[0].reason}")
        final = None
        if ply.outcome.final is not None:
            final = self.learner.evaluate(ply.outcome.final)[1].numpy()
        self._count(ply)
        over = ply.outcome.finished | ply.outcome.broken
        step = self._remembered(ply, final)
        self.learner.forget(over)
        if self.levels is not None:
            free = self.levels.ended(ply.turn, ply.outcome)
            if len(free):
                self.levels.begin(self._level_game, free)
        if self._mixed:
            self._seat(np.flatnonzero(over))
        return step

    def _remembered(self, ply: Ply, final: Floats | None) -> _Step:
        """The step of a ply, whose rows that others played are valued too."""
        learner, size = self.learner, len(ply.turn)
        if len(ply.answers) == 1 and ply.answers[0].agent == 0:
            value = np.asarray(ply.answers[0].choice.value)
            return _Step(
                ply.turn, learner.samples, learner.log_probability, value, learner.before, ply.outcome, final,
                np.ones(size, bool),
            )  # fmt: skip
        value, log_probability = np.zeros((2, size), np.float32)
        learned = np.zeros(size, bool)
        samples = np.zeros((size, *learner.samples.shape[1:]), learner.samples.dtype)
        memory = np.zeros((size, learner.memory.shape[2]), np.float32)
        for answer in ply.answers:
            if answer.agent == 0:
                value[answer.rows] = answer.choice.value
                samples[answer.rows] = learner.samples
                log_probability[answer.rows] = learner.log_probability
                memory[answer.rows] = learner.before
                learned[answer.rows] = True
        others = np.flatnonzero(~learned)
        value[others] = learner.see(ply.turn.take(others))[2].numpy()
        return _Step(ply.turn, samples, log_probability, value, memory, ply.outcome, final, learned)

    def _count(self, ply: Ply) -> None:
        self._sums += ply.outcome.rewards
        self._lengths[ply.turn.copies] = ply.turn.plies + 1
        over = ply.outcome.finished
        if over.any():
            self.finished.append((self._sums[over].copy(), self._lengths[over].copy()))
            if self.league is not None:
                self.league.ended(self._seats[over], self._sums[over])
        self._sums[over | ply.outcome.broken] = 0

    def save(self) -> bytes:
        """The games in hand, to go on with exactly; empty if the game cannot be saved.

        Rows that wait for their successor are not kept: they are few, and would be learned from one update later.
        Of games on levels it is which level each plays: they begin it again.
        """
        if self.levels is not None:
            return self.levels.save()
        keep = getattr(self.game, "save", None)
        if keep is None:
            return b""
        buffer = io.BytesIO()
        league = {} if self.league is None else self.league.save()
        np.savez(
            buffer,
            allow_pickle=False,
            game=np.frombuffer(keep(), np.uint8),
            seats=self._seats,
            sums=self._sums,
            lengths=self._lengths,
            memory=self.learner.memory,
            **league,
        )
        return buffer.getvalue()

    def load(self, state: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            UsageError: it is of other games or damaged.
        """
        if self.levels is not None:
            self.levels.load(state)
            return
        restore = getattr(self.game, "load", None)
        if not state or restore is None:
            return
        try:
            with np.load(io.BytesIO(state), allow_pickle=False) as arrays:
                restore(arrays["game"].tobytes())
                self._seats[...] = arrays["seats"]
                if self.learner.memory.shape[2]:
                    self.learner.memory[...] = arrays["memory"]
                self._sums, self._lengths = arrays["sums"].copy(), arrays["lengths"].copy()
                if self.league is not None:
                    self.league.load(arrays)
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(f"the saved games of this run cannot be read: {error}") from None
        self._left = []

    def take_finished(self) -> tuple[Floats, Ints]:
        """Returns (games, players) and lengths (games,) of the games that ended since the last call."""
        finished, self.finished = self.finished, []
        if not finished:
            return np.zeros((0, self.spec.players), np.float32), np.zeros(0, np.int64)
        return np.concatenate([r for r, _ in finished]), np.concatenate([n for _, n in finished])


def mover_view(spec: GameSpec) -> bool:
    """Whether the copy's next row, whoever moves, can stand for what follows a move, its sign by comparing players.

    True for two-player zero-sum turn-based games without hidden information. Else each seat is followed along its own
    turns: with hidden cards the opponent's value is of what it sees, not of what this seat knows.
    """
    return spec.zero_sum and spec.players == 2 and spec.kind == "turn-based" and spec.perfect_information


def assemble(
    spec: GameSpec, steps: list[_Step], upcoming: Turn, upcoming_value: Floats, gamma: float, gae_lambda: float
) -> tuple[Batch, list[_Step]]:
    """Link rows to what followed them, tell the advantages, and split off the rows that must wait.

    Args:
        spec: the game's.
        steps: the plies in order; the first may be left over from the last call.
        upcoming: the seats that act next, and `upcoming_value` (k,) their values: bootstraps for the last rows.

    Returns:
        The batch of all open rows that could be told, and the steps that still have open rows.
    """
    sizes = [len(step.turn) for step in steps]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    outcomes = [step.outcome for step in steps]
    shape = (len(steps), *outcomes[0].rewards.shape)
    finals = [None if step.final is None else step.outcome.final for step in steps]
    cuts = [final for final in finals if final is not None]
    none = np.zeros(0, np.int64)
    over = np.concatenate([outcome.finished for outcome in outcomes])
    over |= np.concatenate([outcome.broken for outcome in outcomes])
    following, rewards, sign = link(
        np.concatenate([step.turn.copies for step in steps]),
        np.concatenate([step.turn.players for step in steps]),
        starts,
        np.concatenate([outcome.rewards for outcome in outcomes]).reshape(shape),
        np.concatenate([outcome.terminated for outcome in outcomes]).reshape(shape),
        np.concatenate([outcome.truncated for outcome in outcomes]).reshape(shape),
        over.reshape(shape[:2]),
        np.concatenate([none, *(cut.copies for cut in cuts)]),
        np.concatenate([none, *(cut.players for cut in cuts)]),
        np.cumsum([0, *(0 if final is None else len(final) for final in finals)]),
        np.array(upcoming.copies),
        np.array(upcoming.players),
        mover_view(spec),
    )
    tail = [upcoming_value, *(step.final for step in steps if step.final is not None)]
    value = np.concatenate([step.value for step in steps])
    # A row that waits must tell the rows before it nothing but its value: its own advantage is made 0.
    known = following != UNKNOWN
    rewards[~known] = value[~known]
    gain = advantages(
        Trajectory(value, rewards, np.maximum(following, END), sign, np.concatenate(tail)), gamma, gae_lambda
    )
    told = known & np.concatenate([step.open for step in steps])
    batch = _batch(spec, steps, told, gain, value)
    for number, step in enumerate(steps):
        step.open &= ~told[int(starts[number]) : int(starts[number + 1])]
    # From the first open row on every step is kept: the rewards in between belong to it.
    first = next((number for number, step in enumerate(steps) if step.open.any()), len(steps))
    return batch, steps[first:]


def _batch(spec: GameSpec, steps: list[_Step], told: Bools, gain: Floats, value: Floats) -> Batch:
    """The told rows as a batch: in the order they were played, or, with a memory, seat after seat.

    Args:
        spec: the game's.
        steps: with `rows` rows together.
        told: (rows,) which are given.
        gain, value: (rows,) their advantages and values.
    """
    rows = np.flatnonzero(told)
    memory = np.concatenate([step.memory for step in steps])[rows] if steps[0].memory.shape[1] else None
    stream = None
    if memory is not None:
        games = np.concatenate([step.turn.games for step in steps])[rows]
        stream = games * spec.players + np.concatenate([step.turn.players for step in steps])[rows]
        order = np.argsort(stream, kind="stable")
        rows, memory, stream = rows[order], memory[order], stream[order]
    return Batch(
        observation={
            name: np.concatenate([step.turn.observation[name] for step in steps])[rows]
            for name in steps[0].turn.observation
        },
        legal=None
        if steps[0].turn.legal is None
        else np.concatenate([np.asarray(step.turn.legal) for step in steps])[rows],
        actions=np.concatenate([step.samples for step in steps])[rows],
        log_probability=np.concatenate([step.log_probability for step in steps])[rows],
        advantages=gain[rows],
        returns=np.clip(gain + value, *spec.returns)[rows],
        stream=stream,
        memory=memory,
    )
