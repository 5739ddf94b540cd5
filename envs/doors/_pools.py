"""Vector environments as the frame of `_vectors.py` needs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol, TypeVar

import numpy as np

from lanista.envs.core import Array, Bools, Floats, GameSpec, Ints, Outcome, Role, Turn
from lanista.envs.doors._ledger import log
from lanista.envs.doors._spaces import Shown

Made = TypeVar("Made")


def vector_spec(
    source: str,
    role: Role,
    longest: int | None,
    description: str,
    players: int = 1,
    levels: bool = False,
    instructed: bool = False,
) -> GameSpec:
    """The spec of a game in vector environments, which tell nothing of their rewards.

    Args:
        source: the game's whole string.
        role: of every player.
        longest, description, players, levels, instructed: see `GameSpec`; several players move in turn.
    """
    return GameSpec(
        name=source,
        players=players,
        roles=(role,),
        role_of=(0,) * players,
        kind="single-player" if players == 1 else "turn-based",
        zero_sum=False,
        perfect_information=False,
        longest=longest,
        returns=(-inf, inf),
        description=description,
        levels=levels,
        instructed=instructed,
    )


@dataclass(slots=True)
class Stepped:
    """What a step of some copies did; `m` rows, in the order of the slots that were stepped.

    Attributes:
        shown: what they show now; of a game that ended, what was seen last.
        rewards: what each player got.
        terminated, truncated: the copy's game ended, or was cut off.
        broken: row -> what its environment raised; it is a fresh one, to be restarted.
        everyone: the rows of all players, (m * players), where a game that was cut off has several.
    """

    shown: Shown
    rewards: Array  # (m, players) or (m,)
    terminated: Bools  # (m,)
    truncated: Bools  # (m,)
    broken: dict[int, Exception] | None = None
    everyone: Callable[[Ints], Shown] | None = None


class Pool(Protocol):
    """One vector environment. Its copies have slots 0 to size - 1."""

    singly: bool  # some of its copies can be stepped without the others
    next_step: bool  # a game that ended begins anew, by itself, when its copy is stepped next

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown | None:
        """Begin new games.

        Args:
            slots: where; None is everywhere.
            seeds: (m,) one a slot, below 2**31.
            exact: each slot must play what its seed alone decides; else those of some slots may go on with their own
                random streams, and those of all may share one.

        Returns:
            A row for each of these slots; None: this pool cannot do that, and has done nothing.
        """
        ...

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        """Step these slots (None: all) with an action each. If it raises, all games of the pool are void."""
        ...

    def frame(self, slot: int) -> Array | None:
        """The environment's own picture, (height, width, 3) uint8, if it draws one."""
        ...

    def close(self) -> None:
        """Let go of the environment's resources."""
        ...


@dataclass(frozen=True)
class Sums:
    """The parts of an `Outcome` while it is gathered."""

    rewards: Floats  # (n, players)
    terminated: Bools  # (n,)
    truncated: Bools  # (n,)
    broken: Bools  # (n,)
    final: list[Turn]

    @classmethod
    def zeros(cls, copies: int, players: int) -> Sums:
        """Nothing has happened yet."""
        rewards: Floats = np.zeros((copies, players), np.float32)
        return cls(rewards, np.zeros(copies, bool), np.zeros(copies, bool), np.zeros(copies, bool), [])

    def outcome(self) -> Outcome:
        """What has happened."""
        players = self.rewards.shape[1]
        terminated, truncated = (
            np.repeat(part[:, None], players, axis=1) for part in (self.terminated, self.truncated)
        )
        final = joined(self.final) if self.final else None
        finished = self.terminated | self.truncated
        return Outcome(self.rewards, terminated, truncated, finished, self.broken, final)


def quick(kind: type[Made], **fields: Any) -> Made:
    """A frozen dataclass made in one go; a field that is left out has its default.

    Its own `__init__` sets field after field through `object.__setattr__`: a microsecond that small environments feel.
    """
    made = object.__new__(kind)
    made.__dict__.update(fields)
    return made


def closed(pool: Any) -> None:
    """Close a pool or an environment, whatever it may say."""
    try:
        pool.close()
    except Exception:
        log.warning("an environment failed to close", exc_info=True)


def joined(turns: Sequence[Turn]) -> Turn:
    """Turns of different copies as one, in the order of their copies."""
    if len(turns) == 1:
        return turns[0]

    def stacked(name: str) -> Array:
        parts: list[Array] = [getattr(turn, name) for turn in turns]
        return np.concatenate(parts)

    whole = Turn(
        copies=stacked("copies"),
        players=stacked("players"),
        games=stacked("games"),
        plies=stacked("plies"),
        draws=stacked("draws"),
        observation={name: np.concatenate([t.observation[name] for t in turns]) for name in turns[0].observation},
        legal=None if turns[0].legal is None else stacked("legal"),
    )
    return whole.take(np.argsort(whole.copies, kind="stable"))
