"""Games that finished together, as columns on their way into a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NewGames:
    """Games that finished together, as columns on their way into a store.

    Attributes:
        meetings: (n,) keys of the store's meetings.
        numbers, legs, seeds: (n,) as of `StoredGame`.
        openings: (n,) how many of the moves are the opening.
        moves: (n,) each as `encoded`.
        returns: (n, players) in the order of the seats.
        reasons: (n,)
        at_fault: (n,) a player or None.
        expected: (n,) each as `expected_bytes`; None where nobody told anything.
        positions: (n,) as of `StoredGame`; None where none begins from one.
        seconds: (n,) likewise; None where no clock ran.
    """

    meetings: Ints
    numbers: Ints
    legs: Ints
    seeds: Ints
    openings: Ints
    moves: list[bytes | str]
    returns: Floats
    reasons: list[str]
    at_fault: list[int | None]
    expected: list[bytes | None] | None = None
    positions: list[str] | None = None
    seconds: list[tuple[float, ...]] | None = None

    def __len__(self) -> int:
        return len(self.meetings)


def joined(parts: Sequence[NewGames]) -> NewGames:
    """Games that wait together as one."""
    if len(parts) == 1:
        return parts[0]

    columns: dict[str, Any] = {}
    for each in fields(NewGames):
        values = [getattr(part, each.name) for part in parts]
        if each.name == "expected" and any(values):  # only some may have told anything
            values = [[None] * len(part) if told is None else told for part, told in zip(parts, values, strict=True)]
        if values[0] is None:  # then in all: they are of one tournament
            continue
        is_array = isinstance(values[0], np.ndarray)
        columns[each.name] = np.concatenate(values) if is_array else list(chain.from_iterable(values))
    return NewGames(**columns)
