"""Nim: take as many stones as you like from one heap; who takes the last one wins. `b2` takes two from heap b.

The heaps begin with 3, 5, 7, ... stones (Bouton 1901). Action: `columns * heap + stones - 1`, where `columns` is the
size of the greatest heap. Observation `board` (1, heaps, columns) int8: ones for the stones that are left.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.boards import CELL, LETTERS, board_spec, disc, label, middle, svg
from lanista.envs.draws import mix
from lanista.envs.rules import Rules
from lanista.errors import UsageError


def rules(heaps: int = 3) -> Rules:
    """The rules with so many heaps.

    Args:
        heaps: 2 to 8.
    """
    if not 2 <= heaps <= 8:
        raise UsageError(f"nim is for 2 to 8 heaps, not {heaps}")
    sizes = 3 + 2 * np.arange(heaps)
    columns, stones = int(sizes[-1]), int(sizes.sum())
    state = np.dtype([("left", np.int8, (heaps,)), ("ply", np.int16)], align=True)

    @numba.njit
    def new(state: Any, stream: Any) -> None:
        for heap in range(heaps):
            state.left[heap] = 3 + 2 * heap

    @numba.njit
    def player(state: Any) -> Any:
        return state.ply & 1

    @numba.njit
    def legal(state: Any, mask: Any) -> None:
        for heap in range(heaps):
            for taken in range(state.left[heap]):
                mask[heap * columns + taken] = True

    @numba.njit
    def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
        me = state.ply & 1
        state.left[action // columns] -= action % columns + 1
        state.ply += 1
        for heap in range(heaps):
            if state.left[heap] > 0:
                return False
        rewards[me] = 1
        rewards[1 - me] = -1
        return True

    @numba.njit
    def observe(state: Any, player: Any, out: Any) -> None:
        for heap in range(heaps):
            for stone in range(columns):
                out[heap * columns + stone] = stone < state.left[heap]

    @numba.njit
    def hash(state: Any) -> Any:
        value = np.uint64(state.ply & 1)
        for heap in range(heaps):
            value = mix(value * np.uint64(32) + np.uint64(state.left[heap]))
        return value

    def parse_move(state: Any, text: str) -> int:
        heap, taken = LETTERS[:heaps].find(text[:1]), text[1:]
        if len(text) < 2 or heap < 0 or not taken.isdecimal() or not 1 <= int(taken) <= state["left"][heap]:
            raise ValueError("write a heap and how many stones you take: b2")
        return heap * columns + int(taken) - 1

    def text(state: Any, player: int | None) -> str:
        return "\n".join(f"{LETTERS[heap]} {'o' * int(state['left'][heap])}".rstrip() for heap in range(heaps))

    def picture(state: Any, player: int | None, last: int | None) -> str:
        """A row a heap."""
        parts = [label(CELL / 2, (heap + 0.5) * CELL, LETTERS[heap]) for heap in range(heaps)]
        for heap in range(heaps):
            for stone in range(int(state["left"][heap])):
                x, y = middle(heap * columns + stone, columns)
                parts.append(disc(CELL + x, y, 0.36 * CELL, "#7d8597"))
        return svg((columns + 1) * CELL, heaps * CELL, parts)

    return Rules(
        spec=board_spec(
            "nim" if heaps == 3 else f"nim:heaps={heaps}",
            (1, heaps, columns),
            heaps * columns,
            stones,
            "who takes the last stone wins",
        ),
        modality="board",
        state=state,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=picture,
        text=text,
        print_move=lambda state, action: f"{LETTERS[action // columns]}{action % columns + 1}",
        parse_move=lambda state, text: parse_move(state, text.strip().lower()),
        print_end=lambda state: "the last stone is taken",
    )
