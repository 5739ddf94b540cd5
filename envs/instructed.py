"""Games whose players are told what to do, and may be told something else by whoever watches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from lanista.envs.core import Array, Game


@dataclass(frozen=True)
class Sound:
    """Something recorded.

    Attributes:
        wave: (samples,) or (samples, channels); int16, or real numbers in [-1, 1].
        rate: samples a second.
    """

    wave: Array
    rate: int


@dataclass(frozen=True)
class Instruction:
    """What a player is told to do.

    Attributes:
        words: as they were given; "" where it was only heard and nobody wrote it down.
        own: it is the game's own mission.
        judged: the game's own rules say when it is done; else the game goes on until its time is up.
        unknown: those of its words that no mission of the game has; who reads is shown "unknown" in their places.
        remarks: sentences for whoever gave it: why nobody judges it, what of it is not read or heard.
        heard: (samples,) int16, the sound that the player hears; None where it hears none.
        rate: of that sound, samples a second.
    """

    words: str
    own: bool = True
    judged: bool = True
    unknown: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    heard: Array | None = None
    rate: int = 0


@dataclass(frozen=True)
class View:
    """Where what a player sees of a level lies in it.

    Attributes:
        places: (rows, columns, 2) int64; row and column in the level, of each cell of the map that the player is shown,
            as the map's own last two dimensions have them. Some may lie outside of the level.
        size: rows and columns of the level; its picture shows all of them.
    """

    places: Array
    size: tuple[int, int]


@runtime_checkable
class InstructedGame(Game, Protocol):
    """A game of one player whose environments may have instructions. Which have is known when they have begun."""

    def instruction(self, copy: int) -> Instruction | None:
        """What a copy's player is told now; None: nothing is ever told in this game."""
        ...

    def instruct(self, copy: int, words: str | None, sound: Sound | None = None) -> Instruction:
        """Tell a copy's player something else, until its next game begins; the level stays as it stands.

        The time that the level gives begins anew. If the copy's game was over, a new one begins where that ended.

        Args:
            copy: where.
            words: what is to be done; None: the level's own mission again.
            sound: the same as somebody said it, for a player that hears; without it a synthetic voice says the words.

        Raises:
            UsageError: this game tells nothing; too long, empty, or silent; a sound for a player that only reads.
        """
        ...

    def view(self, copy: int) -> View | None:
        """Where in its level a copy's player sees what it sees; None where that is not known."""
        ...
