"""What is played in games under way, written down ply by ply for all copies at once."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, GameSpec, Ints, Ply

FEW = 2**15  # actions that fit in an int16


class ScoreSheet:
    """The actions of the games being played, opening excluded, without Python for each."""

    def __init__(self, spec: GameSpec, copies: int) -> None:
        self._many = spec.kind == "simultaneous"  # several actions of a copy in one ply
        actions = [role.action for role in spec.roles]
        self._few = all(isinstance(space, spaces.Discrete) and int(space.n) <= FEW for space in actions)
        self._lengths = np.zeros(copies, np.int64)  # (n,)
        self._actions: Array | None = None  # (n, room, *action), made when the first action is seen
        self._room = min(spec.longest or 64, 1024)  # at first

    def clear(self, copies: Ints) -> None:
        """Begin new games on these copies."""
        self._lengths[copies] = 0

    def write(self, ply: Ply) -> None:
        """Write down what was played."""
        if not len(ply.rows):
            return
        copies, actions = ply.turn.copies[ply.rows], np.asarray(ply.actions)
        at = self._lengths[copies]
        if self._many:
            order = np.lexsort((ply.turn.players[ply.rows], copies))
            copies, actions = copies[order], actions[order]
            place = np.arange(len(copies))
            first = np.concatenate([[True], copies[1:] != copies[:-1]])
            at = self._lengths[copies] + place - np.maximum.accumulate(np.where(first, place, 0))
        if self._actions is None:
            kind = np.int16 if self._few else actions.dtype
            self._actions = np.zeros((len(self._lengths), self._room, *actions.shape[1:]), kind)
        while at.max() >= self._actions.shape[1]:
            self._actions = np.concatenate([self._actions, np.zeros_like(self._actions)], axis=1)
        self._actions[copies, at] = actions
        self._lengths[copies] = at + 1  # of a copy's several actions the last one stays

    def rows(self, copies: Ints) -> tuple[Array, Ints]:
        """The actions of these copies' games in order, (r, room, *action), and how many there are, (r,)."""
        if self._actions is None:
            return np.zeros((len(copies), 0), np.int64), self._lengths[copies]
        lengths = self._lengths[copies]
        return self._actions[copies, : int(lengths.max(initial=0))], lengths

    def actions(self, copies: Ints) -> list[list[int]]:
        """The actions of these copies' games in order."""
        rows, lengths = self.rows(copies)
        return [row[:length] for row, length in zip(rows.tolist(), lengths.tolist(), strict=True)]
