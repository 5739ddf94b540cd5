"""Collect experience with the one loop: the current network, or that of each role, plays a batch of games."""

from __future__ import annotations

import contextlib
import io
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch

from lanista.agents.policy_network import remember
from lanista.agents.role_networks import Networks, by_role, role_names
from lanista.envs.core import Agent, Array, Bools, Choice, Floats, Game, GameSpec, Ints, LevelGame, Ply, Turn
from lanista.envs.draws import mixed
from lanista.envs.loop import play
from lanista.errors import UsageError
from lanista.training.experience import Part, Step, assemble
from lanista.training.kept_steps import step_arrays, steps_from
from lanista.training.league import Seating
from lanista.training.league_play import LeaguePlay
from lanista.training.level_play import LevelPlay
from lanista.training.perceptron import Perceptron, perceptron_of
from lanista.training.ppo import Batch


def reseeded(seed: int, updates: int) -> int:
    """Another seed, for a run that goes on after so many updates without the games it had."""
    return int(np.random.SeedSequence([seed, updates]).generate_state(1)[0])


class Learner:
    """The agent that learns: it draws from its policy and remembers what it drew, and with what probability.

    Attributes:
        played: what it answered since they were taken away, a part a call; their `rows` are counted from 0.
        memory: of every seat; (copies, players, state_size), as wide for every role. The learner keeps it itself, and
            not the loop, because a run saves it, and because seats are valued that it does not play.
    """

    name = "learner"

    def __init__(self, network: Networks, bfloat16: bool, copies: int, spec: GameSpec) -> None:
        self.networks = by_role(network, spec)
        self.bfloat16 = bfloat16
        self.memory: Floats = np.zeros((copies, spec.players, network.state_size), np.float32)
        self.played: list[Part] = []
        self._role_of = np.asarray(spec.role_of)
        self._seed = np.uint64(0)
        self._perceptrons: list[Perceptron | None] = [None] * len(self.networks)

    @contextlib.contextmanager
    def steady(self) -> Iterator[None]:
        """The networks' weights stay what they are meanwhile, so that small ones may be asked as flat arrays."""
        if not self.bfloat16:
            self._perceptrons = [perceptron_of(network) for network in self.networks]
        try:
            yield
        finally:
            self._perceptrons = [None] * len(self.networks)

    def start(self, spec: GameSpec, seed: int) -> None:
        self._seed = np.uint64(seed % 2**64)

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """Draw an action a row; the policy is not kept, only the samples and their probability."""
        before, parameters, value = self.see(turn)
        head = self.networks[self.role(turn)].head
        samples, log_probability = head.distribution(parameters).sample(mixed(turn.draws, self._seed))
        self.played.append(Part(np.arange(len(turn)), turn, samples, log_probability, before))
        return Choice(head.played(samples), value=value.numpy())

    def role(self, turn: Turn) -> int:
        """The number of the role of a turn whose rows are of one."""
        return int(self._role_of[turn.players[0]]) if len(self.networks) > 1 else 0

    def evaluate(self, turn: Turn) -> tuple[torch.Tensor, torch.Tensor]:
        """The head's parameters and values of a turn's rows, all of one role; nothing of them is remembered."""
        role = self.role(turn)
        network, perceptron = self.networks[role], self._perceptrons[role]
        if perceptron is not None:
            logits, values = perceptron.ask(turn.observation, turn.legal)
            return torch.from_numpy(logits), torch.from_numpy(values)
        before = self.memory[turn.copies, turn.players, : network.state_size]
        parameters, value, _ = remember(network, turn, self.bfloat16, before)
        return parameters, value

    def see(self, turn: Turn) -> tuple[Floats, torch.Tensor, torch.Tensor]:
        """What the rows' seats remembered before (k, state_size), and as `evaluate`; the rows are remembered."""
        role = self.role(turn)
        network = self.networks[role]
        before: Floats = self.memory[turn.copies, turn.players, : network.state_size]
        if self._perceptrons[role] is not None:
            return before, *self.evaluate(turn)
        parameters, value, after = remember(network, turn, self.bfloat16, before)
        if after is not None:
            self.memory[turn.copies, turn.players, : network.state_size] = after.numpy()
        return before, parameters, value

    def values(self, turn: Turn, remembered: bool = False) -> Floats:
        """The values (k,) of a turn's rows, of whatever roles.

        Args:
            turn: the rows.
            remembered: their seats remember them, as in `see`.
        """
        if len(self.networks) == 1:
            alone: Floats = (self.see(turn)[2] if remembered else self.evaluate(turn)[1]).numpy()
            return alone
        out: Floats = np.zeros(len(turn), np.float32)
        roles = self._role_of[turn.players]
        for role in np.unique(roles):
            rows = np.flatnonzero(roles == role)
            some = turn if len(rows) == len(turn) else turn.take(rows)
            out[rows] = (self.see(some)[2] if remembered else self.evaluate(some)[1]).numpy()
        return out

    def forget(self, over: Bools) -> None:
        """New games begin in these copies (copies,): what was seen in the old ones is forgotten."""
        if self.memory.shape[2] and over.any():
            self.memory[over] = 0


class Rollout:
    """Plays on and on; `collect` gives batches of finished experience.

    Most games are the network against itself. In a share of the copies one seat, drawn anew for each game, is a fixed
    opponent's, or seats are those of a member of the league: their rows are not learned from, but their values carry
    what follows a move back to the learner's rows.

    Attributes:
        told: the learner's moves that the last `collect` told of, those of a seat that was not asked for among them.
        finished: returns (games, players) and lengths (games,) of ended games.
    """

    def __init__(
        self,
        game: Game,
        network: Networks,
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
        self.learner = Learner(network, bfloat16, game.copies, game.spec)
        self._names = role_names(game.spec)
        self._opponents = len(opponents)
        self._mixed = round(game.copies * opponent_share) if opponents and game.spec.players > 1 else 0
        self.levels, self.league = levels, league
        if league is not None:
            opponents, self._mixed = league.slots, league.copies
        self._agents = (self.learner, *opponents)
        self.finished: list[tuple[Floats, Ints]] = []
        self.told = 0
        self._begin(seed)

    def _begin(self, seed: int) -> None:
        """Begin games of this seed."""
        self._seed = seed
        if self.levels is None:
            self.game.reset(seed)
        self.learner.memory[...] = 0
        self._seats = np.zeros((self.game.copies, self.spec.players), np.int64)
        self._seat(np.arange(self._mixed))
        self._memories: list[Array | None] = [None] * len(self._agents)
        self._plies: Iterator[Ply] = play(self.game, self._agents, self._seats, seed=seed, memories=self._memories)
        self._left: list[Step] = []
        self._sums = np.zeros((self.game.copies, self.spec.players), np.float32)
        self._lengths = np.zeros(self.game.copies, np.int64)

    def begin_anew(self, updates: int) -> None:
        """Begin other games than at the start of the run, which goes on after so many updates without its old ones."""
        self._begin(reseeded(self._seed, updates))

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
        """As `collect_roles`, of a game with one role."""
        batches = self.collect_roles(plies, gamma, gae_lambda)
        assert len(self.spec.roles) == 1, "the rows of other roles would be lost"
        return next(iter(batches.values()))

    def collect_roles(self, plies: int, gamma: float, gae_lambda: float, seat: int | None = None) -> dict[str, Batch]:
        """Play this many plies of all copies, and give every row whose advantage can be told.

        A row that has no successor yet waits for the next call.

        Args:
            plies, gamma, gae_lambda: see there.
            seat: give this player's rows only.

        Returns:
            Name of a role (see `agents.role_networks.role_names`) -> its batch. Left out is who had no turn.
        """
        steps = self._left
        if self.levels is not None:
            self.levels.start(self._level_game)
        with self.learner.steady():
            for _ in range(plies):
                steps.append(self._step(next(self._plies)))
            upcoming = self.game.turn()
            value = self.learner.values(upcoming)
        batches, self._left, self.told = assemble(self.spec, steps, upcoming, value, gamma, gae_lambda, seat)
        if self.levels is not None:
            # One seat a copy, which begins anew at once: every row is told.
            in_order, batch = np.concatenate([step.turn.games for step in steps]), batches[0]
            self.levels.score(in_order if batch.stream is None else batch.stream, batch.advantages)
        return {self._names[role]: batch for role, batch in batches.items()}

    def follow(self, seating: Seating) -> None:
        """Let the league draw its members anew, if it is time to."""
        if self.league is not None:
            self.league.follow(seating, self._seats)

    @property
    def _level_game(self) -> LevelGame:
        assert isinstance(self.game, LevelGame), "checked when the run was made"
        return self.game

    def _step(self, ply: Ply) -> Step:
        """What the learner remembers of a ply."""
        if ply.failures:
            raise RuntimeError(f"player {ply.failures[0].player} failed in training: {ply.failures[0].reason}")
        final = None
        if ply.outcome.final is not None:
            final = self.learner.values(ply.outcome.final)
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

    def _remembered(self, ply: Ply, final: Floats | None) -> Step:
        """The step of a ply, whose rows that others played are valued too."""
        learner, size = self.learner, len(ply.turn)
        played, learner.played = learner.played, []
        mine = [answer for answer in ply.answers if answer.agent == 0]  # in the order of the calls
        if len(mine) == len(ply.answers) == 1:
            value = np.asarray(mine[0].choice.value)
            return Step(ply.turn, {learner.role(ply.turn): played[0]}, value, ply.outcome, final, np.ones(size, bool))
        value, learned = np.zeros(size, np.float32), np.zeros(size, bool)
        parts = {}
        for answer, part in zip(mine, played, strict=True):
            value[answer.rows] = answer.choice.value
            learned[answer.rows] = True
            parts[learner.role(part.turn)] = replace(part, rows=answer.rows)
        others = np.flatnonzero(~learned)
        if len(others):
            value[others] = learner.values(ply.turn.take(others), remembered=True)
        return Step(ply.turn, parts, value, ply.outcome, final, learned)

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
            **{f"remembered {n}": kept for n, kept in enumerate(self._memories) if kept is not None},
            **step_arrays(self._left),
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
                self._memories[:] = [arrays.get(f"remembered {n}") for n in range(len(self._agents))]
                self._left = steps_from(arrays)
                if self.league is not None:
                    self.league.load(arrays)
        except (KeyError, ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
            raise UsageError(f"the saved games of this run cannot be read: {error}") from None

    def take_finished(self) -> tuple[Floats, Ints]:
        """Returns (games, players) and lengths (games,) of the games that ended since the last call."""
        finished, self.finished = self.finished, []
        if not finished:
            return np.zeros((0, self.spec.players), np.float32), np.zeros(0, np.int64)
        return np.concatenate([r for r, _ in finished]), np.concatenate([n for _, n in finished])
