"""A batched game as SB3's `VecEnv`: one seat in each copy learns, frozen agents have the other."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from lanista.agents.action_heads import ActionHead, BoxHead
from lanista.agents.symmetry import turnings
from lanista.envs.core import Array, Bools, Floats, Game, Ints, Outcome, Turn
from lanista.errors import UsageError
from lanista.training.rollout import reseeded
from lanista.training.trainers._sb3_pool import Pool

NO_INFO: dict[str, Any] = {}  # of the copies of which there is nothing to say, shared by all of them
MASKS = "action_masks"  # by this name sb3-contrib asks for the legal actions


class SeatEnvironments(VecEnv):
    """As many environments as a game has copies; a step of all is one step of the batch, and the frozen seats' replies.

    SB3 wants a copy that ended to show its next game in the same step, so the game is made with `restart=False` and
    ended copies are reset here. A game that an environment broke is told as one that was cut off where it stood.
    """

    def __init__(
        self, game: Game, head: ActionHead, pool: Pool | None, masks: bool, seed: int, symmetry: bool = False
    ) -> None:
        """Seat the learner.

        Args:
            game: of one player, or turn by turn of two; made with `restart=False`.
            head: of its actions; SB3 plays the head's samples.
            pool: who has the other seat, in a game of two.
            masks: the algorithm asks for the legal actions; if not, a game that has illegal ones is refused.
            seed: of the seats, of who is drawn for the other one, and of the sides.
            symmetry: show each game to the learner from one side of its symmetries, drawn when it begins.
        """
        self.game = game
        self.head = head
        self.pool = pool
        self.masks = masks
        self._seed = seed
        self._chance = np.random.default_rng(seed)
        n = game.copies
        self._seats: Ints = np.zeros(n, np.int64)  # the learner's, in each copy
        self._turnings = turnings(game.spec) if symmetry else ()
        self._sides: Ints = np.zeros(n, np.int64)  # from which each copy is shown: 0, or 1 + the turning's place
        self._games = 0  # begun so far: even ones seat the learner first
        self._who: Ints = np.zeros(n, np.int64)  # the other seat's, in each copy
        self._sums: Floats = np.zeros(n, np.float32)
        self._lengths: Ints = np.zeros(n, np.int64)
        self._began = np.full(n, time.monotonic())
        self._asked: Turn | None = None
        self._samples: Array = np.zeros(0)
        self.ended = 0  # games since the caller last set this to 0
        super().__init__(n, game.spec.roles[0].observation, sampled_space(head))

    def begin_anew(self, updates: int) -> int:
        """Draw otherwise than the run did at its start: it goes on after so many updates; a seed for its games."""
        seed = reseeded(self._seed, updates)
        self._chance = np.random.default_rng(seed)
        return seed

    def reset(self) -> dict[str, Array]:
        """Begin all games anew; modality -> (copies, *shape)."""
        seed = self._seeds[0]
        self.game.reset(seed)
        self._reset_seeds()
        self._take_seats(np.arange(self.num_envs))
        self._clear()
        self._dones[:] = True  # a game that ends before the learner's first move is not its own
        self._until_asked()
        self._sums[:] = self._lengths[:] = 0
        self._began[:] = time.monotonic()
        return self._seen()

    def step_async(self, actions: Array) -> None:
        self._samples = np.asarray(actions)

    def step_wait(self) -> tuple[dict[str, Array], Floats, Bools, list[dict[str, Any]]]:
        """Play the learner's actions and what follows until it is asked again."""
        assert self._asked is not None
        self._clear()
        self._lengths += 1
        played = self.head.played(self._samples)
        if isinstance(self.action_space, spaces.MultiDiscrete):
            played = played.reshape(self.num_envs, -1)
        self._settle(self.game.step(self._unturned(played[self._asked.copies])))
        self._until_asked()
        self._sums = np.where(self._dones, np.float32(0), self._sums + self._rewards)
        self._lengths[self._dones] = 0
        return self._seen(), self._rewards, self._dones, self._infos

    def action_masks(self) -> list[Bools]:
        """The legal actions in each copy, (num_actions,) or (sum(nvec),) each."""
        assert self._asked is not None and self._asked.legal is not None
        return list(self._asked.legal[self._order])

    def _clear(self) -> None:
        """Nothing has happened in this step yet."""
        self._rewards: Floats = np.zeros(self.num_envs, np.float32)
        self._dones: Bools = np.zeros(self.num_envs, bool)
        self._infos = [NO_INFO] * self.num_envs

    def _until_asked(self) -> None:
        """Let frozen agents move and ended games begin anew, until each copy waits for the learner."""
        while True:
            turn = self.game.turn()
            if self.pool is not None:
                others = np.flatnonzero(turn.players != self._seats[turn.copies])
                if len(others):
                    theirs = turn.take(others)
                    self._settle(self.game.step(self.pool.answer(theirs, self._who[theirs.copies]), others))
                    continue
            if len(turn) < self.num_envs:
                raise UsageError(
                    f"{self.game.spec.name} steps all its games together, so that the trainer 'sb3' cannot seat a "
                    "frozen agent in it; --trainer rllib can"
                )
            self._asked, self._order = self._turned(turn), np.argsort(turn.copies)
            if not self.masks and turn.legal is not None and not turn.legal.all():
                raise illegal_actions(self.game.spec.name)
            return

    def _turned(self, turn: Turn) -> Turn:
        """A turn as the learner sees it: each game from its side."""
        sides = self._sides[turn.copies]
        if not sides.any():
            return turn
        seen = {name: value.copy() for name, value in turn.observation.items()}
        legal = None if turn.legal is None else turn.legal.copy()
        for side in np.unique(sides[sides > 0]).tolist():
            rows = np.flatnonzero(sides == side)
            turned = self._turnings[side - 1].turned(turn.take(rows))
            for name, value in turned.observation.items():
                seen[name][rows] = value
            if legal is not None:
                legal[rows] = turned.legal
        return replace(turn, observation=seen, legal=legal, public=None)

    def _unturned(self, actions: Array) -> Array:
        """Actions on what `_turned` showed, (copies, ...), as the game knows them."""
        assert self._asked is not None
        sides = self._sides[self._asked.copies]
        for side in np.unique(sides[sides > 0]).tolist():
            rows = np.flatnonzero(sides == side)
            actions[rows] = self._turnings[side - 1].actions_from.numpy()[actions[rows]]
        return actions

    def _seen(self) -> dict[str, Array]:
        """What the learner sees in each copy; arrays of its own, since SB3 keeps them over the next step."""
        assert self._asked is not None
        return {name: value[self._order] for name, value in self._asked.observation.items()}

    def _settle(self, outcome: Outcome) -> None:
        """Note what a step did to the learner's seats, and begin new games where they ended."""
        over = outcome.finished | outcome.broken
        live = ~self._dones  # of the others, a second game is running that was not shown to SB3 yet
        mine = outcome.rewards[np.arange(self.num_envs), self._seats]
        self._rewards[live] += mine[live]
        if not over.any():
            return
        ends = np.flatnonzero(over & live)
        if len(ends):  # not those that a frozen agent won before the learner was ever asked
            self._tell(ends, outcome)
        self._dones[ends] = True
        begin = np.flatnonzero(over)
        self.game.reset(copies=begin)
        self._take_seats(begin)

    def _tell(self, ends: Ints, outcome: Outcome) -> None:
        """The infos of copies whose episode ended: how it went, and what was seen last."""
        assert self._asked is not None
        last = {int(copy): (self._asked, row) for row, copy in enumerate(self._asked.copies)}
        if outcome.final is not None:
            own = np.flatnonzero(outcome.final.players == self._seats[outcome.final.copies])
            last |= {int(outcome.final.copies[row]): (outcome.final, int(row)) for row in own}
        now = time.monotonic()
        for copy in ends.tolist():
            turn, row = last[copy]
            seat = self._seats[copy]
            cut = outcome.broken[copy] or (outcome.truncated[copy, seat] and not outcome.terminated[copy, seat])
            self._infos[copy] = {
                "terminal_observation": {name: value[row].copy() for name, value in turn.observation.items()},
                "TimeLimit.truncated": bool(cut),
                "episode": {
                    "r": float(self._sums[copy] + self._rewards[copy]),
                    "l": int(self._lengths[copy]),
                    "t": now - self._began[copy],
                },
            }
        self._began[ends] = now
        self.ended += len(ends)

    def _take_seats(self, copies: Ints) -> None:
        """Who sits where in the games that these copies begin, and from which side they are shown."""
        if self._turnings:
            self._sides[copies] = self._chance.integers(1 + len(self._turnings), size=len(copies))
        if self.pool is not None:
            self._seats[copies] = (self._games + np.arange(len(copies))) % 2
            self._games += len(copies)
            self._who[copies] = self.pool.draw(copies, self._chance)
            self.pool.forget(self._who)

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The game is one object for all copies; only what SB3 asks for is told."""
        count = len(self._indices(indices))
        if attr_name == "render_mode":
            return [None] * count
        if attr_name == MASKS and self.masks:
            return [self.action_masks] * count
        raise AttributeError(f"a copy of {self.game.spec.name} has no attribute '{attr_name}'")

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise AttributeError(f"copies of {self.game.spec.name} are one batch: '{attr_name}' cannot be set in one")

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> list[Any]:
        if method_name != MASKS:
            raise AttributeError(f"a copy of {self.game.spec.name} has no method '{method_name}'")
        masks = self.action_masks()
        return [masks[index] for index in self._indices(indices)]

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """True for `Monitor`, whose reports of ended games are made here."""
        return [wrapper_class.__name__ == "Monitor"] * len(self._indices(indices))

    def _indices(self, indices: Any) -> Sequence[int]:
        return list(self._get_indices(indices))

    def close(self) -> None:
        close = getattr(self.game, "close", None)
        if close is not None:
            close()


def sampled_space(head: ActionHead) -> spaces.Space[Any]:
    """The space of a head's samples: what SB3's policies draw, so that their heads are ours.

    A Box dimension with both bounds goes from -1 to 1, and `BoxHead.played` scales it, as SB3 advises its users.
    """
    if not isinstance(head, BoxHead):
        about = head.describe()
        return spaces.MultiDiscrete(about["nvec"]) if "nvec" in about else spaces.Discrete(about["num_actions"])
    low, high = np.array(head.low, np.float32), np.array(head.high, np.float32)
    both = np.isfinite(low) & np.isfinite(high)
    return spaces.Box(np.where(both, -1, low), np.where(both, 1, high), dtype=np.float32)


def illegal_actions(game: str) -> UsageError:
    """The error for a game of which an algorithm would play illegal actions."""
    return UsageError(f"{game} has illegal actions, and of SB3's algorithms only maskable_ppo knows them")
