"""What a native game is: what is known of it, and small scalar functions over one record, its state.

`envs.batch_kernels` compiles them into loops over a batch; `envs.batched` does for all games what is the same in each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from lanista.envs.compiling import source_digest
from lanista.envs.core import Array, Floats, GameSpec
from lanista.envs.surface import Surface

KERNELS = Path(__file__).with_name("batch_kernels.py")  # what a game's compiled loops depend on beside its own files

Scalar = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Rules:
    """A native game: what it is, and its scalar functions over one state record.

    The functions above the line are compiled (`numba.njit`); `stream` is a (1,) uint64 view of the copy's random
    stream, to be used with `next_draw`. Those below are plain Python, called once a picture or move.

    Attributes:
        spec: what the game is; its single role has one modality, whose name is `modality`.
        state: the record of one position. A new game starts from zeros.
        new: (state, stream): set up the start.
        player: (state) -> the player to move.
        legal: (state, mask (num_actions,) all False): mark the legal actions.
        play: (state, action, stream, rewards (players,) all zero) -> True if that ended the game.
        observe: (state, player, out (cells,) flat, not zeroed): write what the player sees.
        hash: (state) -> uint64, equal for positions from which the game goes on in the same way.
        picture: (state, player or None, last action or None) -> SVG.
        text: (state, player or None) -> text for a terminal.
        print_move, parse_move: (state, action) -> text and back; `parse_move` raises ValueError.
        print_position, parse_position: (state) -> text and back, where the field has a notation for positions;
            `parse_position` raises ValueError.
        print_engine_move: (state, action) -> the move as engines of the field's protocol (UCI) write it, where there
            are such engines and `print_move` is for people.
        print_score: (state) -> how the game would be counted as it stands, as the field writes it (`B+3.5`), where it
            is counted.
        place: (cell of the observation's last two axes, counted row by row, player who looks) -> the middle of that
            cell in the picture and its width; None where the picture shows no such cells.
        starts: () -> all positions that chance can begin with, records of `state`, and the probability of each, where
            these are few and chance plays no part later.
        print_end: (state in which the game is over) -> why, in words (`checkmate`).
        surface: how the picture is played on by hand; None where moves are only named.
    """

    spec: GameSpec
    modality: str
    state: np.dtype[Any]
    new: Scalar
    player: Scalar
    legal: Scalar
    play: Scalar
    observe: Scalar
    hash: Scalar
    # --- plain Python
    picture: Callable[[Any, int | None, int | None], str]
    text: Callable[[Any, int | None], str]
    print_move: Callable[[Any, int], str]
    parse_move: Callable[[Any, str], int]
    print_position: Callable[[Any], str] | None = None
    parse_position: Callable[[str], Any] | None = None
    print_engine_move: Callable[[Any, int], str] | None = None
    print_score: Callable[[Any], str] | None = None
    place: Callable[[int, int], tuple[float, float, float]] | None = None
    starts: Callable[[], tuple[Array, Floats]] | None = None
    print_end: Callable[[Any], str] | None = None
    surface: Surface | None = None
    key: str = field(default="", init=False)

    def __post_init__(self) -> None:
        # What the game depends on: the files of its rules and of the loops over them, and the parameters (in the name).
        functions = (self.new, self.player, self.legal, self.play, self.observe, self.hash)
        plain = [function.py_func for function in functions]  # type: ignore[attr-defined]
        object.__setattr__(self, "key", f"{self.spec.name} {source_digest(plain, str(KERNELS))}")

    @property
    def num_actions(self) -> int:
        return int(self.spec.roles[0].action.n)  # type: ignore[attr-defined]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one observation."""
        shape = self.spec.roles[0].observation[self.modality].shape
        assert shape is not None
        return shape
