"""What is played in games under way, and what its players expect, written down ply by ply for all copies at once."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, GameSpec, Ints, Ply

FEW = 2**15  # actions that fit in an int16
GREATEST, UNTOLD = 250, 255  # of what is expected, as a byte: the greatest return there is; nobody told


class ScoreSheet:
    """The actions of the games being played, opening excluded, without Python for each.

    Where agents tell what they expect (`Choice.value`), in turn-based games whose returns have bounds, that is written
    down too: a byte a move, from 0 for the least return to `GREATEST` for the greatest one.
    """

    def __init__(self, spec: GameSpec, copies: int) -> None:
        self._many = spec.kind == "simultaneous"  # several actions of a copy in one ply
        actions = [role.action for role in spec.roles]
        self._few = all(isinstance(space, spaces.Discrete) and int(space.n) <= FEW for space in actions)
        self._lengths = np.zeros(copies, np.int64)  # (n,)
        self._actions: Array | None = None  # (n, room, *action), made when the first action is seen
        self._room = min(spec.longest or 64, 1024)  # at first
        self._most = 0  # no game that is played is longer
        bounded = not self._many and np.isfinite(spec.returns).all() and spec.returns[0] < spec.returns[1]
        self._span: tuple[float, float] | None = spec.returns if bounded else None
        self._expected: Array | None = None  # (n, room) uint8, made when the first agent tells

    def clear(self, copies: Ints) -> None:
        """Begin new games on these copies."""
        self._lengths[copies] = 0
        if self._expected is not None:
            self._expected[copies] = UNTOLD

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
        self._most += len(at) if self._many else 1
        if self._most > self._actions.shape[1]:  # else no game needs more room, and nobody has to look
            self._most = int(max(at.max(), self._lengths.max())) + 1
            while self._most > self._actions.shape[1]:
                self._actions = np.concatenate([self._actions, np.zeros_like(self._actions)], axis=1)
        if self._span is not None:
            self._write_expected(ply, self._span)
        self._actions[copies, at] = actions
        self._lengths[copies] = at + 1  # of a copy's several actions the last one stays

    def _write_expected(self, ply: Ply, span: tuple[float, float]) -> None:
        """Write down what the players of a ply expect; of those who did not move yet it is written again."""
        for answer in ply.answers:
            if answer.choice.value is None:
                continue
            room = 0 if self._actions is None else self._actions.shape[1]
            if self._expected is None:
                self._expected = np.full((len(self._lengths), room), UNTOLD, np.uint8)
            if self._expected.shape[1] < room:
                more = room - self._expected.shape[1]
                self._expected = np.pad(self._expected, ((0, 0), (0, more)), constant_values=UNTOLD)
            copies = ply.turn.copies[answer.rows]
            at = self._lengths[copies]
            inside = at < room  # one who fails at the end of the room has no move there
            shares = np.clip((np.asarray(answer.choice.value, np.float64) - span[0]) / (span[1] - span[0]), 0, 1)
            told = np.where(np.isnan(shares), UNTOLD, np.rint(GREATEST * np.nan_to_num(shares)))
            self._expected[copies[inside], at[inside]] = told[inside].astype(np.uint8)

    def expected(self, copies: Ints) -> list[bytes | None] | None:
        """What was expected at each move of these copies' games, None of a game without; None if nobody told ever."""
        if self._expected is None:
            return None
        rows, lengths = self._expected[copies], self._lengths[copies].tolist()
        told = (rows != UNTOLD).any(axis=1).tolist()
        return [row[:length].tobytes() if any_ else None for row, length, any_ in zip(rows, lengths, told, strict=True)]

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
