"""What a vector environment's game shows and says to people: pictures, pixels, sound, lives, instructions, texts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Bools, GameSpec, Turn
from lanista.envs.doors._answers import parsed_number
from lanista.envs.doors._banks import Banks
from lanista.envs.doors._drawing import framed, pixels_in, seats_text, text_picture
from lanista.envs.doors._ledger import Ledger
from lanista.envs.doors._singles import Singles
from lanista.envs.instructed import Instruction, Sound, View
from lanista.errors import UsageError


class VectorViews(ABC):
    """The part of a `VectorGame` that shows its copies one at a time."""

    spec: GameSpec
    _ledger: Ledger
    _seating: Banks
    _space: spaces.Space[Any]
    _open: Bools
    _held: Bools
    _ended: Bools
    _turn: Turn | None

    @abstractmethod
    def turn(self) -> Turn:
        """See `envs.core.Game`."""

    def picture(self, copy: int, player: int | None = None) -> str:
        frame = self.pixels(copy, player)
        return text_picture(self.text(copy, player)) if frame is None else framed(frame)

    def pixels(self, copy: int, player: int | None = None) -> Array | None:
        """What that player (None: all) sees of a copy, (height, width, 3) uint8; None where nothing is drawn."""
        if player is None or self.spec.players == 1:
            own = self._seating.frame(copy)
            if own is not None:
                return own
        seats = self._seats(copy, player)
        return next((drawn for seen in seats.values() if (drawn := pixels_in(seen)) is not None), None)

    def heard(self, copy: int) -> Array | None:
        """What was to be heard in the last frame of a copy, (samples,) uint8, of which 128 is silence; None: no sound.

        Atari's frames have 512 samples, and there are 60 a second.
        """
        return self._seating.heard(copy)

    def lives(self, copy: int) -> int | None:
        """The lives that are left, where the game counts them."""
        return self._seating.lives(copy)

    def instruction(self, copy: int) -> Instruction | None:
        """See `envs.instructed.InstructedGame`."""
        pool, slot = self._instructed(copy)
        return None if pool is None else pool.instruction(slot)

    def view(self, copy: int) -> View | None:
        """See `envs.instructed.InstructedGame`."""
        pool, slot = self._instructed(copy)
        return None if pool is None else pool.view(slot)

    def instruct(self, copy: int, words: str | None, sound: Sound | None = None) -> Instruction:
        """See `envs.instructed.InstructedGame`."""
        pool, slot = self._instructed(copy)
        seat = self._seating.seat(copy)
        if pool is None or seat is None or pool.instruction(slot) is None:
            raise UsageError(f"nothing can be told in {self.spec.name}")
        shown = pool.instruct(slot, words, sound)
        seat[0].shown = seat[0].shown.put(np.array([slot]), shown)
        if not self._open[copy] and not self._held[copy]:
            self._ledger.begin(np.array([copy]))
            self._open[copy], self._ended[copy] = True, False
        self._turn = None
        told = pool.instruction(slot)
        assert told is not None, "it has just been told"
        return told

    def _instructed(self, copy: int) -> tuple[Singles | None, int]:
        """The pool of a copy, if its environments may tell their players something, and its slot."""
        self.turn()
        seat = self._seating.seat(copy)
        if seat is None or not isinstance(seat[0].pool, Singles):
            return None, 0
        return seat[0].pool, seat[1]

    def text(self, copy: int, player: int | None = None) -> str:
        return seats_text(self.spec.name, int(self._ledger.plies[copy]), self._seats(copy, player))

    def print_move(self, copy: int, action: int) -> str:
        return str(action)

    def parse_move(self, copy: int, text: str) -> int:
        return parsed_number(self.spec.name, self._space, text)

    def _seats(self, copy: int, player: int | None) -> dict[int, dict[str, Array]]:
        """What the seat that must act in a copy sees, if that is this player or None."""
        turn = self.turn()
        rows = np.flatnonzero((turn.copies == copy) & (True if player is None else turn.players == player))
        return {int(turn.players[row]): {name: value[row] for name, value in turn.observation.items()} for row in rows}
