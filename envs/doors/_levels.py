"""A pool for libraries whose environments play a chosen level only if they are made for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lanista.envs.core import Array, Bools, Floats, Ints
from lanista.envs.doors._pools import Stepped, closed
from lanista.envs.doors._spaces import Shown, Translator

See = Callable[[Translator, Any, Mapping[str, Any]], Shown]


@dataclass
class _Cohort:
    """Environments that were made together, and the slots whose levels they play; they are closed when none is left."""

    env: Any
    slots: Ints  # (k,) the slot of each environment; -1 where its level is over


class Levels:
    """`size` slots, each on a level of its own; every level begins in an environment made for it.

    Those that begin together are one batched environment as far as the library lets them, and are stepped in one
    call; all calls are sent before the first answer is awaited.
    """

    singly = True
    next_step = False

    def __init__(self, make: Callable[[list[int]], list[Any]], see: See, translator: Translator, size: int) -> None:
        """No slot has a level yet.

        Args:
            make: makes batched environments with `reset`, `send`, `recv` and `close`, whose environments, one batch
                after another, begin these levels in their order.
            see: reads what they show.
            translator: of the game's spaces.
            size: how many slots.
        """
        self._make = make
        self._see = see
        self._translator = translator
        self._size = size
        self._cohorts: list[_Cohort] = []

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        which = np.arange(self._size) if slots is None else slots
        self._leave(which)
        parts, begun = [], 0
        for env in self._make(seeds.tolist()):
            observation, info = env.reset()
            parts.append(self._see(self._translator, observation, info))
            size = len(next(iter(parts[-1].observation.values())))
            mine = which[begun : begun + size].copy()
            self._cohorts.append(_Cohort(env, mine))
            begun += size
        return stacked(parts)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        which = np.arange(self._size) if slots is None else slots
        row_of = np.full(self._size + 1, -1)  # the last is where -1 points
        row_of[which] = np.arange(len(which))
        own = self._translator.act_rows(actions)
        asked: list[tuple[_Cohort, Ints]] = []
        for cohort in self._cohorts:
            rows = row_of[cohort.slots]
            places = np.flatnonzero(rows >= 0)
            if len(places):
                cohort.env.send(own[rows[places]], places.astype(np.int32))
                asked.append((cohort, rows[places]))
        rewards: Floats = np.zeros(len(which), np.float32)
        terminated: Bools = np.zeros(len(which), bool)
        truncated: Bools = np.zeros(len(which), bool)
        parts = []
        for cohort, rows in asked:
            observation, gained, over, cut, info = cohort.env.recv()
            rewards[rows], terminated[rows], truncated[rows] = gained, over, cut
            parts.append(self._see(self._translator, observation, info))
        order = np.argsort(np.concatenate([rows for _, rows in asked]))
        return Stepped(stacked(parts).take(order), rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None

    def close(self) -> None:
        for cohort in self._cohorts:
            closed(cohort.env)
        self._cohorts.clear()

    def _leave(self, slots: Ints) -> None:
        """The levels of these slots are over."""
        for cohort in self._cohorts:
            cohort.slots[np.isin(cohort.slots, slots)] = -1
        for cohort in [cohort for cohort in self._cohorts if (cohort.slots < 0).all()]:
            self._cohorts.remove(cohort)
            closed(cohort.env)


def stacked(parts: list[Shown]) -> Shown:
    """The rows of all parts, one after another; parts of one game all have legal actions or none has."""
    if len(parts) == 1:
        return parts[0]
    legal = None if parts[0].legal is None else np.concatenate([np.asarray(part.legal) for part in parts])
    return Shown({n: np.concatenate([part.observation[n] for part in parts]) for n in parts[0].observation}, legal)
