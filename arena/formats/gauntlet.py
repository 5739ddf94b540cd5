"""Gauntlet: challengers meet all the others, and the others do not meet each other without one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from lanista.arena.meetings import Meeting, meeting, seatings
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

AT_ONCE = True


def meetings(
    names: Sequence[str], games: int, played: Sequence[StoredGame], players: int, *, challengers: int = 1
) -> list[Meeting]:
    """All meetings at once; those of another gauntlet or a round robin are the same, and are not played again.

    Args:
        names: who takes part.
        games: of those who meet: a challenger with each of the others, or with each table of them.
        played: what was played so far.
        players: of the game, two or more.
        challengers: so many of the names, from the first on, are challengers; they do not meet each other.
    """
    if players < 2:
        raise UsageError("nobody meets anybody in a game of one player, so there is no gauntlet; use round_robin")
    if not 1 <= challengers < len(names):
        raise UsageError(
            f"a gauntlet of {len(names)} has 1 to {len(names) - 1} challengers, who are named first, not {challengers}"
        )
    others = names[challengers:]
    if len(others) < players - 1:
        raise UsageError(f"{players} play this game, so a challenger needs {players - 1} others, not {len(others)}")
    return [
        meeting(challenger, *table, number=number)
        for number in range(games // len(seatings(players)))
        for challenger in names[:challengers]
        for table in combinations(others, players - 1)
    ]
