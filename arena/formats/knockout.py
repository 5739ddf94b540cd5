"""Knockout: who loses an encounter is out, seeded in the order of the names."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.arena.formats._encounters import Encounters
from lanista.arena.meetings import Meeting, meeting
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

FIXED = True


def meetings(names: Sequence[str], games: int, played: Sequence[StoredGame], *, extra: int = 8) -> list[Meeting]:
    """Every encounter whose two are known, with as many pairs of games as its results ask for.

    Args:
        names: who takes part, the strongest first: the first two can meet in the final only. Where their number is no
            power of two, the first ones have a bye in the first round.
        games: of an encounter, even.
        played: what was played so far.
        extra: an encounter that is tied goes on for at most so many pairs of games, until one of them is won; then the
            one that was named first goes on.
    """
    bracket = _Bracket(names, games, played, extra)
    bracket.winner(bracket.rounds, 0)
    return bracket.meetings


def standing(names: Sequence[str], games: int, played: Sequence[StoredGame], *, extra: int = 8) -> list[str]:
    """The encounters of each round with their points, and who won it all."""
    bracket = _Bracket(names, games, played, extra)
    champion = bracket.winner(bracket.rounds, 0)
    lines = []
    for number in range(1, bracket.rounds + 1):
        left = 2 ** (bracket.rounds - number)
        title = {1: "final", 2: "semi-finals", 4: "quarter-finals"}.get(left, f"round {number}")
        lines += [f"Knockout, {title}: {told}" for _, told in sorted(bracket.told.get(number, []))]
    return [*lines, f"{champion} wins the knockout." if champion is not None else "The knockout is not decided yet."]


class _Bracket:
    def __init__(self, names: Sequence[str], games: int, played: Sequence[StoredGame], extra: int) -> None:
        if extra < 0:
            raise UsageError(f"a tied encounter of a knockout goes on for 0 or more pairs of games, not {extra}")
        self.meetings: list[Meeting] = []
        self.told: dict[int, list[tuple[int, str]]] = {}  # round -> (place in it, what happened)
        self.rounds = max(1, (len(names) - 1).bit_length())
        self._seeds = {name: seed for seed, name in enumerate(names)}
        self._places = [names[seed] if seed < len(names) else None for seed in _places(self.rounds)]
        self._pairs, self._extra, self._encounters = games // 2, extra, Encounters(played)

    def winner(self, number: int, place: int) -> str | None:
        """Who comes out of a round's encounter at this place; None while that is not decided, or if nobody is there."""
        if number == 0:
            return self._places[place]
        one, other = self.winner(number - 1, 2 * place), self.winner(number - 1, 2 * place + 1)
        if number == 1 and other is None and one is not None:
            self.told.setdefault(1, []).append((place, f"{one} has a bye"))
            return one
        if one is None or other is None:
            return None
        return self._meet(number, place, *sorted((one, other), key=self._seeds.__getitem__))

    def _meet(self, number: int, place: int, one: str, other: str) -> str | None:
        """Play an encounter as far as it has come; `one` is the higher seed."""
        for count in range(self._pairs, self._pairs + self._extra + 1):
            numbers = range(count)
            if not self._encounters.finished(one, other, numbers):
                self.meetings += [meeting(one, other, number=at) for at in numbers]
                return None
            mine, theirs = self._encounters.points(one, other, numbers)
            if mine != theirs:
                break
        self.meetings += [meeting(one, other, number=at) for at in numbers]
        best, how = (other if theirs > mine else one), f"{one} {mine:g} - {theirs:g} {other}"
        if mine == theirs:
            how += f", a tie that goes to {one}, seeded higher"
        self.told.setdefault(number, []).append((place, how))
        return best


def _places(rounds: int) -> list[int]:
    """The seeds, from 0, in the order of the bracket: in each round the first of those left meets the last."""
    seeds = [0]
    for _ in range(rounds):
        last = 2 * len(seeds) - 1
        seeds = [seed for pair in ((seed, last - seed) for seed in seeds) for seed in pair]
    return seeds
