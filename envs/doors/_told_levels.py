"""BabyAI's levels in C++, many in one call, told and shown as the door `babyai` tells and shows MiniGrid's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from lanista.envs.core import Array, Bools, Ints
from lanista.envs.doors._pools import Stepped
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.doors.envpool import Direct

if TYPE_CHECKING:
    from lanista.envs.doors.babyai import Senses


class ToldLevels:
    """A pool of EnvPool's levels, whose missions are bytes: each game's is told in the words and voice of its seed."""

    singly = True
    next_step = True

    def __init__(self, make: Any, senses: Senses, translator: Translator, size: int) -> None:
        """Nothing is begun yet.

        Args:
            make: seeds -> EnvPool's environments of these.
            senses: how a level is told and shown.
            translator: of what the senses show.
            size: how many copies.
        """
        self._make = make
        self._senses = senses
        self._translator = translator
        self._all = np.arange(size)
        self._env: Any = None
        self._direct: Direct | None = None
        self._chances: list[np.random.Generator] = []
        self._told: dict[str, Any] = {}  # each (size, *shape)
        self._over: Bools = np.zeros(size, bool)  # their next step begins a new game

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown | None:
        if slots is None:
            self.close()
            self._env = self._make(seeds.tolist())
            self._direct = Direct(self._env)
            self._chances = [np.random.default_rng([seed, 1]) for seed in seeds.tolist()]
            observation, _ = self._env.reset()
        elif exact:  # seeds are fixed when EnvPool's environments are made
            return None
        else:
            observation, _ = self._env.reset(slots.astype(np.int32))
        which = self._all if slots is None else slots
        self._over[which] = False
        self._tell(which, observation["mission"])
        return self._shown(which, observation)

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        assert self._direct is not None
        which = self._all if slots is None else slots
        observation, rewards, terminated, truncated, _ = self._direct.step(slots, self._translator.act_rows(actions))
        begun = self._over[which]
        if begun.any():
            self._tell(which[begun], observation["mission"][begun])
        self._over[which] = terminated | truncated
        return Stepped(self._shown(which, observation), rewards, terminated, truncated)

    def frame(self, slot: int) -> Array | None:
        return None

    def close(self) -> None:
        if self._env is not None:
            self._env.close()
            self._env = None

    def _tell(self, which: Ints, missions: Array) -> None:
        """New games in these slots: their missions, (m, letters) bytes that end in zeros."""
        told = [
            self._senses.tell(bytes(letters).rstrip(b"\0").decode(), self._chances[slot])[1]
            for slot, letters in zip(which.tolist(), missions, strict=True)
        ]
        for name in told[0]:
            rows = np.array([one[name] for one in told])
            kept = self._told.get(name)
            if kept is None:
                self._told[name] = rows  # all begin together, once
                continue
            # What was shown before stays as it was; longer texts than any so far need wider rows.
            kept = kept.astype(np.promote_types(kept.dtype, rows.dtype))
            kept[which] = rows
            self._told[name] = kept

    def _shown(self, which: Ints, observation: Mapping[str, Any]) -> Shown:
        told = self._told if len(which) == len(self._all) else {name: rows[which] for name, rows in self._told.items()}
        return self._translator.see_rows({"map": self._senses.see(observation["image"]), **told})
