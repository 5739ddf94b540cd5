"""Positions and a game of numbers, for the tests of those who search."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
from gymnasium import spaces

from lanista.envs.catalogue import make
from lanista.envs.core import GameSpec, Role, Turn
from lanista.envs.rules import Rules


def turn_after(game: str, openings: Sequence[Sequence[int]]) -> Turn:
    table = make(game, len(openings))
    table.reset(0, openings=openings)
    return table.turn()


NUMBERS = (3, 8, 1, 5, 9, 2, 7, 4, 6, 3)


def take_an_end() -> Rules:
    """Take a number from either end: it is yours and costs the other as much; an odd one lets you move again."""
    numbers = np.array(NUMBERS)
    state = np.dtype([("left", np.int64), ("right", np.int64), ("mover", np.int64)])

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        state.right = len(numbers)

    @numba.njit
    def player(state: Any) -> Any:
        return state.mover

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        mask[:] = True

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        if action == 0:
            number = numbers[state.left]
            state.left += 1
        else:
            state.right -= 1
            number = numbers[state.right]
        rewards[state.mover] = number
        rewards[1 - state.mover] = -number
        if number % 2 == 0:
            state.mover = 1 - state.mover
        return state.left == state.right

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        out[0] = state.left
        out[1] = state.right

    @numba.njit
    def hash(state: Any) -> Any:
        return np.uint64(state.left + 100 * state.right + 10_000 * state.mover)

    role = Role(spaces.Dict({"ends": spaces.Box(0, 99, (2,), np.int8)}), spaces.Discrete(2))
    return Rules(
        spec=GameSpec("take_an_end", 2, (role,), (0, 0), "turn-based", True, True, len(NUMBERS), (-99.0, 99.0)),
        modality="ends", state=state, new=new, player=player, legal=legal, play=play, observe=observe,
        hash=hash, picture=lambda state, player, last: "", text=lambda state, player: "",
        print_move=lambda state, action: str(action), parse_move=lambda state, text: int(text),
    )  # fmt: skip


def plain_ends(left: int, right: int, mover: int, depth: int) -> dict[int, float]:
    """What each end is worth to the mover, in numbers."""
    values = {}
    for action, number in ((0, NUMBERS[left]), (1, NUMBERS[right - 1])):
        ends = (left + 1, right) if action == 0 else (left, right - 1)
        value = float(number)
        if depth > 1 and ends[0] < ends[1]:
            after = max(plain_ends(*ends, mover if number % 2 else 1 - mover, depth - 1).values())
            value += after if number % 2 else -after
        values[action] = value
    return values
