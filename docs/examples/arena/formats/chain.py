"""Chain: everyone meets the next ones in the order they are named, as the checkpoints of a run from old to new."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.arena.meetings import Meeting, meeting
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

AT_ONCE = True  # it never asks what was played


def meetings(names: Sequence[str], games: int, played: Sequence[StoredGame], *, reach: int = 1) -> list[Meeting]:
    """All meetings at once.

    Args:
        names: who takes part, in the order of the chain.
        games: of each two who meet, even.
        played: what was played so far.
        reach: how far along the chain one meets others.
    """
    if reach < 1:
        raise UsageError(f"in a chain one meets at least the next, so reach cannot be {reach}")
    return [
        meeting(name, other, number=number)
        for number in range(games // 2)  # a meeting is a pair of games: one opening from both seats
        for at, name in enumerate(names)
        for other in names[at + 1 : at + 1 + reach]
    ]
