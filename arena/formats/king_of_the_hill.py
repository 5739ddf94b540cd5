"""King of the hill: one after the other challenges the champion, and takes its place by beating it."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.agents.sequential_test import SequentialTest
from lanista.arena.formats._encounters import Encounters
from lanista.arena.meetings import Meeting, meeting
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError


def meetings(
    names: Sequence[str],
    games: int,
    played: Sequence[StoredGame],
    *,
    elo: float = 0.0,
    error: float = 0.05,
    most: int = 1000,
) -> list[Meeting]:
    """The encounters that are decided, and as much of the next one as is to be played before its result is looked at.

    Args:
        names: the first champion, and the challengers in their order. Challengers named later play on against whoever
            holds the hill then.
        games: of an encounter; with `elo`, of each part of it, after which the test is asked. Even.
        played: what was played so far.
        elo: 0: more than half of the points take the hill. Else a sequential test decides whether the challenger is
            `elo` or more stronger, against no stronger.
        error: how often the test may err, either way.
        most: an encounter that the test has not decided after so many games leaves the champion where it is.
    """
    return _climb(names, games, played, elo, error, most)[0]


def standing(
    names: Sequence[str],
    games: int,
    played: Sequence[StoredGame],
    *,
    elo: float = 0.0,
    error: float = 0.05,
    most: int = 1000,
) -> list[str]:
    """Each challenge with its points, and who holds the hill."""
    return _climb(names, games, played, elo, error, most)[1]


def _climb(
    names: Sequence[str], games: int, played: Sequence[StoredGame], elo: float, error: float, most: int
) -> tuple[list[Meeting], list[str]]:
    if elo < 0 or not 0 < error < 0.5:
        raise UsageError(
            f"king_of_the_hill takes elo from 0 and an error between 0 and 0.5, not elo={elo:g}, error={error:g}"
        )
    if elo and most < games:
        raise UsageError(
            f"most={most} of king_of_the_hill is less than the {games} games after which its test is asked"
        )
    test = SequentialTest(0.5, 1 / (1 + 10 ** (-elo / 400)), error) if elo else None
    found: list[Meeting] = []
    lines: list[str] = []
    encounters, champion = Encounters(played), names[0]
    for challenger in names[1:]:
        taken, count = None, 0
        while taken is None:
            count += games // 2
            numbers = range(count)
            if not encounters.finished(champion, challenger, numbers):
                found += [meeting(champion, challenger, number=at) for at in numbers]
                return found, [*lines, f"{champion} holds the hill; {challenger}'s challenge is under way."]
            mine, theirs = encounters.points(challenger, champion, numbers)
            if test is None:
                taken = mine > theirs
            else:
                taken = test.verdict(encounters.shares(challenger, champion, numbers))
                if taken is None and 2 * count + games > most:
                    taken = False
        found += [meeting(champion, challenger, number=at) for at in numbers]
        what = "takes the hill from" if taken else "does not move"
        lines.append(f"{challenger} {what} {champion}: {mine:g} - {theirs:g}")
        champion = challenger if taken else champion
    return found, [*lines, f"{champion} holds the hill."]
