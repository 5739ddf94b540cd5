"""Tournament formats, one file each; the file's name is the format's id.

A file offers `pairings(names, games, played) -> list[Pairing]`: who should meet now. It is asked again when those games
are finished, until all that it names has been played.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pairing:
    """Two games over one opening, each contestant sitting first once.

    Attributes:
        one, other: who meets, `one` the lesser name.
        number: of the opening between these two, from 0.
    """

    one: str
    other: str
    number: int
