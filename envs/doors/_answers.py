"""Answers to a turn, checked against what is legal and put in their roles' own shapes."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, GameSpec, Ints, Turn
from lanista.errors import UsageError


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
    check_row_numbers(turn, actions, rows)
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


def check_row_numbers(turn: Turn, actions: Array, rows: Ints) -> None:
    """Raise ValueError unless there is one action for each of these rows, and each is a row of the turn, once."""
    if len(actions) != len(rows):
        raise ValueError(f"{len(actions)} actions for {len(rows)} rows")
    if len(rows) and not (rows.min() >= 0 and rows.max() < len(turn)):
        raise ValueError(f"rows {rows.min()} to {rows.max()} of a turn of {len(turn)}")
    if len(np.unique(rows)) < len(rows):
        raise ValueError("a row is answered twice")


def checked_batch(space: spaces.Space[Any], turn: Turn, actions: Array, rows: Ints | None) -> Array:
    """The actions of a game with one role as one array: (r,) for Discrete, else (r, *shape).

    Args:
        space: the role's actions.
        turn: what was asked.
        actions: one a row, as an agent gives them.
        rows: (r,) the rows of the turn that are answered; None: all.

    Raises:
        ValueError: an action may not be played, or a row does not exist or is answered twice.
    """
    if rows is None:
        if len(actions) != len(turn):
            raise ValueError(f"{len(actions)} actions for {len(turn)} rows")
    else:
        check_row_numbers(turn, actions, rows)
    legal = turn.legal if rows is None or turn.legal is None else turn.legal[rows]
    if isinstance(space, spaces.Discrete):
        if actions.shape != (len(actions),) or actions.dtype.kind not in "iu":
            raise ValueError(f"actions must be (k,) integers, an action is illegal in {actions.dtype} {actions.shape}")
        bad = first_illegal(actions, legal)
    else:
        shape = space.shape or ()
        if actions.shape != (len(actions), *shape) or actions.dtype.kind not in "iuf":
            raise ValueError(f"an action of {actions.dtype} {actions.shape[1:]} is illegal: {shape} was asked")
        own = [in_own_shape(space, action) for action in actions] if isinstance(space, spaces.MultiDiscrete) else None
        if own is None:
            if actions.dtype.kind == "f" and all_finite(actions.ravel()):
                return actions
            fine = np.isfinite(actions.reshape(len(actions), math.prod(shape))).all(axis=1)
        else:
            fine = np.array([action is not None and may_play(space, action, None) for action in own], bool)
            if legal is not None and fine.all() and len(own):
                actions = np.array(own)
                starts = np.cumsum(space.nvec) - space.nvec  # type: ignore[attr-defined]
                fine = np.take_along_axis(legal, actions + starts, axis=1).all(axis=1)
        bad = -1 if fine.all() else int(np.argmin(fine))
    if bad >= 0:
        raise ValueError(f"action {actions[bad]} is illegal in row {bad if rows is None else rows[bad]}")
    return actions


@numba.njit(cache=True)
def first_illegal(actions: Any, legal: Any) -> int:
    """The first row whose action is not among its legal ones; -1 if there is none."""
    for row in range(len(actions)):
        action = actions[row]
        if action < 0 or action >= legal.shape[1] or not legal[row, action]:
            return row
    return -1


@numba.njit(cache=True)
def all_finite(values: Any) -> bool:
    """Whether no number of (m,) is infinite or none at all."""
    for value in values:  # noqa: SIM110 (compiled)
        if not np.isfinite(value):
            return False
    return True


def parsed_number(name: str, space: spaces.Space[Any], text: str) -> int:
    """The action that a text names where actions are plain numbers.

    Raises:
        UsageError: it names none, or the game's actions are arrays.
    """
    if not isinstance(space, spaces.Discrete):
        raise UsageError(f"moves of {name} are arrays, not '{text}'")
    last = int(space.n) - 1
    if not (text.strip().isascii() and text.strip().isdecimal()) or int(text) > last:
        raise UsageError(f"'{text}' is no move in {name}: write a number from 0 to {last}")
    return int(text)


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
