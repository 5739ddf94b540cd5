"""Answers to a turn, checked against what is legal and put in their roles' own shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, GameSpec, Ints, Turn


def checked(spec: GameSpec, turn: Turn, actions: Array, rows: Ints) -> list[Any]:
    """The actions in their roles' own shapes: an int for Discrete, an array for MultiDiscrete and Box.

    Args:
        spec: the game's.
        turn: what was asked.
        actions: one a row; where roles differ in the size of their actions, each row from the left.
        rows: (r,) the rows of the turn that are answered.

    Raises:
        ValueError: an action may not be played, or a row does not exist or is answered twice.
    """
    if len(actions) != len(rows):
        raise ValueError(f"{len(actions)} actions for {len(rows)} rows")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(turn)):
        raise ValueError(f"rows {rows.min()} to {rows.max()} of a turn of {len(turn)}")
    if len(np.unique(rows)) < len(rows):
        raise ValueError("a row is answered twice")
    discrete = len(spec.roles) == 1 and isinstance(spec.roles[0].action, spaces.Discrete)
    if discrete and turn.legal is not None and actions.ndim == 1 and actions.dtype.kind in "iu":
        columns = np.clip(actions, 0, turn.legal.shape[1] - 1)
        bad = np.flatnonzero((columns != actions) | ~turn.legal[rows, columns])
        if len(bad):
            raise ValueError(f"action {actions[bad[0]]} is illegal in row {rows[bad[0]]}")
        answers: list[Any] = actions.tolist()
        return answers
    answers = []
    for row, action in zip(rows, actions, strict=True):
        space = spec.role(int(turn.players[row])).action
        own = in_own_shape(space, action)
        if own is None or not may_play(space, own, None if turn.legal is None else turn.legal[row]):
            raise ValueError(f"action {action} is illegal in row {row}")
        answers.append(own)
    return answers


def in_own_shape(space: spaces.Space[Any], action: Any) -> Any:
    """An action in its role's own shape, cut from a row that may be wider; None if it is no such action."""
    flat = np.ravel(action)
    size = 1 if isinstance(space, spaces.Discrete) else int(np.prod(space.shape or ()))
    if len(flat) < size or flat.dtype.kind not in "iufb" or not np.isfinite(flat[:size]).all():
        return None
    if isinstance(space, spaces.Box):
        return flat[:size].reshape(space.shape)
    whole = flat[:size].astype(np.int64)
    if (whole != flat[:size]).any():
        return None
    return int(whole[0]) if isinstance(space, spaces.Discrete) else whole


def may_play(space: spaces.Space[Any], action: Any, legal: Bools | None) -> bool:
    """Whether an action in its role's own shape is legal.

    Args:
        space: the role's actions.
        action: as from `in_own_shape`.
        legal: (num_actions,) or (sum(nvec),), or wider; None: all is legal.
    """
    if isinstance(space, spaces.Discrete):
        return 0 <= action < space.n and (legal is None or bool(legal[action]))
    if isinstance(space, spaces.MultiDiscrete):
        sizes = np.asarray(space.nvec, np.int64)
        if ((action < 0) | (action >= sizes)).any():
            return False
        starts = np.cumsum(sizes) - sizes
        return legal is None or bool(legal[starts + action].all())
    return True
