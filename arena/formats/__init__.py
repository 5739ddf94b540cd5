"""Tournament formats, one file each; the file's name is the format's id, and options follow it: `swiss:rounds=7`.

A file offers `meetings(names, games, played, *, option=default, ...) -> Sequence[Meeting]`: all that is known to be
played, from the names in the order the user gave, the games of those who meet, and what was played so far. It is
asked again when those games are finished, until all that it names has been played. It keeps nothing: the same games
give the same meetings, so a tournament that was cut short anywhere goes on as if it had not been. A format that has
`players` among its words is for games of any number of players and is told it; the others are for two. One that never
asks what was played says `AT_ONCE = True`, and is asked once.

It may offer `standing(names, games, played, *, option=default, ...) -> list[str]`, lines that tell how its contest
stands, and `FIXED = True`: what is paired depends on all results before, so names, games and options of a store stay
what they were.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any

from lanista.arena.meetings import Meeting
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError
from lanista.plugs import Summary, Value, call, parse_options, plug, summaries

FORMATS = "lanista.arena.formats"


@dataclass(frozen=True)
class Format:
    """A format with its options.

    Attributes:
        name: the string that names it.
        options: those that the string gives.
    """

    name: str
    options: dict[str, Value]
    _module: ModuleType = field(repr=False)

    @property
    def fixed(self) -> bool:
        """Names, games and options of a store stay what they were, however many there are."""
        return bool(getattr(self._module, "FIXED", False))

    @property
    def at_once(self) -> bool:
        """All meetings are known before anything was played."""
        return bool(getattr(self._module, "AT_ONCE", False))

    def fixes(self, names: Sequence[str], players: int) -> bool:
        """Whether names, games and options of a store stay what they were."""
        if hasattr(self._module, "fixes"):
            return bool(call(partial(self._module.fixes, names, players), self._title, self.options))
        return self.fixed

    def meetings(
        self, names: Sequence[str], games: int, played: Sequence[StoredGame], players: int = 2
    ) -> Sequence[Meeting]:
        """Who should meet, as far as what was played decides it.

        Args:
            names: who takes part, in the user's order.
            games: of those who meet, a multiple of the number of their seatings.
            played: so far.
            players: of the game.

        Raises:
            UsageError: an option is wrong, or the format cannot be played by so many.
        """
        given: list[Any] = [names, games, played]
        if "players" in inspect.signature(self._module.meetings).parameters:
            given.append(players)
        elif players != 2:
            raise UsageError(
                f"{self._title} is for games of two players, and this one has {players}; round_robin and gauntlet are "
                "for any number"
            )
        found: Sequence[Meeting] = call(partial(self._module.meetings, *given), self._title, self.options)
        return found

    def standing(self, names: Sequence[str], games: int, played: Sequence[StoredGame]) -> list[str]:
        """Lines that tell how the format's own contest stands; none where the table says it all."""
        if not hasattr(self._module, "standing"):
            return []
        lines: list[str] = call(partial(self._module.standing, names, games, played), self._title, self.options)
        return lines

    @property
    def _title(self) -> str:
        return f"the format '{self._id}'"

    @property
    def _id(self) -> str:
        return self._module.__name__.rpartition(".")[2]


def formats() -> dict[str, Summary]:
    """What each format's file says of it and of its options, by id; none is imported."""
    given = ("names", "games", "played", "players")
    return {
        name: replace(found, options={key: value for key, value in found.options.items() if key not in given})
        for name, found in summaries(FORMATS, "meetings").items()
    }


def load_format(text: str) -> Format:
    """A format from its string, `id` or `id:option=value,...`.

    Raises:
        UsageError: no such format, or this is no list of options.
    """
    name, _, options = text.partition(":")
    return Format(text, parse_options(options, text), plug(FORMATS, "tournament format", name))
