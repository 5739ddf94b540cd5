"""Gauntlet: challengers meet all the others, and the others do not meet each other."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.arena.formats import Pairing
from lanista.arena.formats._encounters import pairing
from lanista.arena.store import StoredGame
from lanista.errors import UsageError


def pairings(names: Sequence[str], games: int, played: Sequence[StoredGame], *, challengers: int = 1) -> list[Pairing]:
    """All pairings at once; those of another gauntlet or a round robin are the same, and are not played again.

    Args:
        names: who takes part.
        games: of a challenger and each of the others, even.
        played: what was played so far.
        challengers: so many of the names, from the first on, are challengers; they do not meet each other.
    """
    if not 1 <= challengers < len(names):
        raise UsageError(
            f"a gauntlet of {len(names)} has 1 to {len(names) - 1} challengers, who are named first, not {challengers}"
        )
    return [
        pairing(challenger, other, number)
        for number in range(games // 2)
        for challenger in names[:challengers]
        for other in names[challengers:]
    ]
