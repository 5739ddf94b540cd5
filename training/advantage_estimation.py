"""Generalised advantage estimation along the moves of a game, whoever makes the next one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from lanista.envs.core import Floats, Ints


@dataclass(frozen=True)
class Trajectory:
    """Rows in the order they were played, and what followed each.

    Attributes:
        values: the value of each row for its player.
        rewards: what the row's player got from this move until its `next` row, or the end.
        next: the row whose value stands for what follows, or one past the last rows: see `tail`; -1 where the game
            ended.
        sign: +1, or -1 where the next row is the opponent's in a zero-sum game.
        tail: values of positions that follow the rows but are not among them: `next` counts on into it.
    """

    values: Floats  # (rows,)
    rewards: Floats  # (rows,)
    next: Ints  # (rows,)
    sign: Floats  # (rows,)
    tail: Floats  # (positions,)


def advantages(trajectory: Trajectory, gamma: float, gae_lambda: float) -> Floats:
    """Generalised advantage estimation (Schulman et al. 2016, arXiv:1506.02438, equation 16) along `next`.

    `delta = r + gamma * sign * V[next] - V`, `A = delta + gamma * lambda * sign * A[next]`; beyond the end of a game
    V and A are 0, and in the tail A is 0. In an alternating zero-sum game this is the mover's view:
    `delta = r - gamma * V[t + 1] - V[t]`.

    Returns:
        (rows,) float32.
    """
    values = np.concatenate([trajectory.values, trajectory.tail]).astype(np.float32)
    out: Floats = _advantages(values, trajectory.rewards, trajectory.next, trajectory.sign, gamma, gae_lambda)
    return out


@numba.njit(cache=True)
def _advantages(values: Any, rewards: Any, following: Any, sign: Any, gamma: Any, gae_lambda: Any) -> Any:
    """Backward over the rows; each row's next lies after it."""
    rows = len(rewards)
    out = np.zeros(rows, np.float32)
    for row in range(rows - 1, -1, -1):
        target = following[row]
        gain = rewards[row] - values[row]
        if target >= 0:
            gain += gamma * sign[row] * values[target]
            if target < rows:
                gain += gamma * gae_lambda * sign[row] * out[target]
        out[row] = gain
    return out
