"""What two contestants have done in their encounters, for formats whose pairings depend on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lanista.arena.meetings import Meeting, meeting
from lanista.arena.stored_games import StoredGame


class Encounters:
    """The games that were played, by who met whom over which opening."""

    def __init__(self, played: Iterable[StoredGame]) -> None:
        self._games: dict[Meeting, list[StoredGame]] = {}
        for game in played:
            self._games.setdefault(Meeting(game.names, game.number), []).append(game)

    def finished(self, name: str, against: str, numbers: Sequence[int]) -> bool:
        """Whether both games over each of these openings have been played."""
        return all(len(self._games.get(meeting(name, against, number=number), ())) == 2 for number in numbers)

    def points(self, name: str, against: str, numbers: Sequence[int]) -> tuple[float, float]:
        """What each of the two took from the games over these openings; those that broke count for nobody."""
        games = [
            game for at in numbers for game in self._games.get(meeting(name, against, number=at), ()) if not game.void
        ]
        mine = sum(game.points(name) for game in games)
        return mine, len(games) - mine

    def shares(self, name: str, against: str, numbers: Sequence[int]) -> list[float]:
        """The share of the points that `name` took from each pair of games, but for pairs of which one broke."""
        found = []
        for number in numbers:
            games = self._games.get(meeting(name, against, number=number), ())
            if len(games) == 2 and not any(game.void for game in games):
                found.append(sum(game.points(name) for game in games) / 2)
        return found
