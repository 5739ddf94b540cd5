"""A pool of single Gymnasium environments, each with its own seed, each failing for itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from lanista.envs.core import Array, Bools, Floats, Ints
from lanista.envs.doors._ledger import log
from lanista.envs.doors._pools import Stepped, closed
from lanista.envs.doors._spaces import Shown, Translator
from lanista.envs.instructed import Instruction, Sound, View
from lanista.errors import UsageError

TRIES = 3  # an environment that fails to begin is made anew and given another seed this many times


class Singles:
    """`size` environments made by `make`, stepped one by one."""

    singly = True
    next_step = False

    def __init__(self, make: Callable[[], Any], translator: Translator, size: int) -> None:
        self._make = make
        self._translator = translator
        self._envs = [make() for _ in range(size)]
        self._fresh = [True] * size  # has no random stream yet
        self._scalar = translator.role.action.shape == ()

    def restart(self, slots: Ints | None, seeds: Ints, exact: bool) -> Shown:
        which = range(len(self._envs)) if slots is None else slots.tolist()
        own = slots is not None and not exact  # they go on with their own streams: seeding takes longer than a step
        begun = [self._begin(slot, seed, own) for slot, seed in zip(which, seeds.tolist(), strict=True)]
        return self._translator.stack([seen for seen, _ in begun], [info for _, info in begun])

    def step(self, slots: Ints | None, actions: Array) -> Stepped:
        envs = self._envs if slots is None else [self._envs[slot] for slot in slots.tolist()]
        own: Any = self._translator.act_rows(actions)
        if self._scalar:
            own = own.tolist()
        rewards: Floats = np.zeros(len(envs), np.float32)
        terminated: Bools = np.zeros(len(envs), bool)
        truncated: Bools = np.zeros(len(envs), bool)
        seen: list[Any] = [None] * len(envs)
        infos: list[Mapping[str, Any]] = [{}] * len(envs)
        broken: dict[int, Exception] = {}
        ends: Bools | None = None
        for row, env in enumerate(envs):
            try:
                seen[row], reward, over, cut, infos[row] = env.step(own[row])
                rewards[row] = reward
                if over or cut:
                    terminated[row], truncated[row] = over, cut
                    ends = terminated | truncated
            except Exception as error:
                broken[row] = error
        shown = None if broken else self._stacked(seen, infos, ends)
        if shown is None:
            shown = self._one_by_one(seen, infos, terminated | truncated, broken)
        for row in broken:
            self._renew(row if slots is None else int(slots[row]))
        return Stepped(shown, rewards, terminated, truncated, broken)

    def frame(self, slot: int) -> Array | None:
        env = self._envs[slot]
        if env.render_mode != "rgb_array":
            return None
        try:
            pixels: Any = env.render()
        except ImportError:  # Gymnasium's pictures need pygame, which playing does not
            return None
        return np.asarray(pixels)

    def instruction(self, slot: int) -> Instruction | None:
        """What the player of a slot is told; None where its environment tells nothing."""
        return getattr(self._envs[slot], "instruction", None)

    def view(self, slot: int) -> View | None:
        """Where the player of a slot sees what it sees; None where its environment does not say that."""
        return self._envs[slot].view() if hasattr(self._envs[slot], "view") else None

    def instruct(self, slot: int, words: str | None, sound: Sound | None) -> Shown:
        """Tell the player of a slot something else; see `envs.instructed`. What is shown there now, one row.

        Raises:
            UsageError: its environment tells nothing, or not that.
        """
        if self.instruction(slot) is None:
            raise UsageError("nothing can be told in this game")
        return self._translator.stack([self._envs[slot].instruct(words, sound)], [{}])

    def close(self) -> None:
        for env in self._envs:
            closed(env)

    def _begin(self, slot: int, seed: int, own: bool) -> tuple[Any, Mapping[str, Any]]:
        """Start an environment, which is made anew where that fails."""
        for attempt in range(TRIES):
            try:
                begun = self._envs[slot].reset(seed=None if own and not self._fresh[slot] else seed)
                self._translator.see(*begun)
                self._fresh[slot] = False
                return begun[0], begun[1]
            except Exception as error:
                log.warning("an environment failed to begin", exc_info=True)
                if attempt == TRIES - 1:
                    raise RuntimeError(f"it fails to begin: {error}") from error
                self._renew(slot)
                seed = (seed * 48271 + 1) % 2**31
        raise AssertionError("unreachable")

    def _renew(self, slot: int) -> None:
        """A fresh environment in place of one that raised, whose state nobody can know."""
        closed(self._envs[slot])
        self._envs[slot] = self._make()
        self._fresh[slot] = True

    def _stacked(self, seen: Sequence[Any], infos: Sequence[Mapping[str, Any]], over: Bools | None) -> Shown | None:
        """The rows; None if one cannot be read."""
        try:
            return self._translator.stack(seen, infos, over)
        except Exception:
            return None

    def _one_by_one(
        self, seen: list[Any], infos: list[Mapping[str, Any]], over: Bools, broken: dict[int, Exception]
    ) -> Shown:
        """The rows of those that can be read; the others are added to the broken, their rows zero."""
        fine = []
        for row in range(len(seen)):
            if row in broken:
                continue
            try:
                self._translator.stack(seen[row : row + 1], infos[row : row + 1], over[row : row + 1])
                fine.append(row)
            except Exception as error:
                broken[row] = error
        rows = np.array(fine, np.int64)
        empty = self._translator.blank(len(seen))
        if not fine:
            return empty
        return empty.put(rows, self._translator.stack([seen[r] for r in fine], [infos[r] for r in fine], over[rows]))
