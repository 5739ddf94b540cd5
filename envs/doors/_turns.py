"""Turns put together row by row, also where players have different spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from lanista.envs.core import Array, Bools, GameSpec, Ints, Turn
from lanista.envs.doors._spaces import Seen, legal_width


@dataclass(frozen=True)
class MixedTurn(Turn):
    """A turn with rows of several roles: as a whole padded with zeros to the widest role, and not to be answered so.

    `take` of rows that are all of one role gives them unpadded; the loop takes one role a call.
    """

    spec: GameSpec | None = field(default=None, repr=False)
    seen: Sequence[Seen] = field(default=(), repr=False)

    def take(self, rows: Ints) -> Turn:
        assert self.spec is not None
        seen = [self.seen[row] for row in rows]
        copies, players, games = self.copies[rows], self.players[rows], self.games[rows]
        return assemble(self.spec, copies, players, games, self.plies[rows], self.draws[rows], seen)


def assemble(
    spec: GameSpec, copies: Ints, players: Ints, games: Ints, plies: Ints, draws: Array, seen: Sequence[Seen]
) -> Turn:
    """A turn whose arrays are its own; a `MixedTurn` if its rows are of several roles.

    Args:
        spec: the game's.
        copies, players, games, plies, draws: (k,) each.
        seen: k of what each row's seat sees, in its role's own shapes.
    """
    present = np.unique(np.asarray(spec.role_of)[players]) if len(players) else [0]
    roles = [spec.roles[role] for role in present]
    names = dict.fromkeys(name for role in roles for name in role.observation)
    observation = {}
    for name in names:
        spaces_here = [role.observation[name] for role in roles if name in role.observation.spaces]
        shape = _widest([space.shape or () for space in spaces_here])
        dtype = np.result_type(*(space.dtype for space in spaces_here if space.dtype is not None))
        values = [view.observation.get(name) for view in seen]
        observation[name] = _stacked(values, shape, dtype)
    widths = [width for role in roles if (width := legal_width(role.action)) is not None]
    legal: Bools | None = None
    if widths:
        legal = _stacked([view.legal for view in seen], (max(widths),), np.dtype(bool))
    if len(roles) == 1:
        return Turn(copies, players, games, plies, draws, observation, legal)
    return MixedTurn(copies, players, games, plies, draws, observation, legal, spec=spec, seen=_owned(seen))


def _widest(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """The shape that holds each of these from the corner on; flat where they differ in their number of axes."""
    if len({len(shape) for shape in shapes}) == 1:
        return tuple(map(max, zip(*shapes, strict=True)))
    return (max(map(prod, shapes)),)


def _stacked(values: Sequence[Array | None], shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Rows in one array, each from the corner on, the rest zero."""
    out = np.zeros((len(values), *shape), dtype)
    for row, value in enumerate(values):
        if value is None:
            continue
        if value.shape == shape:
            out[row] = value
        else:
            fitting = value if value.ndim == len(shape) else value.ravel()
            out[row][tuple(slice(size) for size in fitting.shape)] = fitting
    return out


def _owned(seen: Sequence[Seen]) -> list[Seen]:
    """Copies, since environments may go on in the arrays they have shown."""
    return [Seen({name: np.array(value) for name, value in view.observation.items()}, view.legal) for view in seen]
