"""Tournament formats, one file each; the file's name is the format's id, and options follow it: `swiss:rounds=7`.

A file offers `pairings(names, games, played, *, option=default, ...) -> list[Pairing]`: all that is known to be played,
from the names in the order the user gave, the games of an encounter, and what was played so far. It is asked again when
those games are finished, until all that it names has been played. It keeps nothing: the same games give the same
pairings, so a tournament that was cut short anywhere goes on as if it had not been.

It may offer `standing(names, games, played, *, option=default, ...) -> list[str]`, lines that tell how its contest
stands, and `FIXED = True`: what is paired depends on all results before, so names, games and options of a store stay
what they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from types import ModuleType
from typing import Any

from lanista.arena.store import StoredGame
from lanista.plugs import Summary, Value, call, parse_options, plug, summaries

FORMATS = "lanista.arena.formats"


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
        """Names, games and options of a store stay what they were."""
        return bool(getattr(self._module, "FIXED", False))

    def pairings(self, names: Sequence[str], games: int, played: Sequence[StoredGame]) -> list[Pairing]:
        """Who should meet, as far as what was played decides it.

        Raises:
            UsageError: an option is wrong, or the format cannot be played by so many.
        """
        found: list[Pairing] = self._ask("pairings", names, games, played)
        return found

    def standing(self, names: Sequence[str], games: int, played: Sequence[StoredGame]) -> list[str]:
        """Lines that tell how the format's own contest stands; none where the table says it all."""
        lines: list[str] = self._ask("standing", names, games, played) if hasattr(self._module, "standing") else []
        return lines

    def _ask(self, what: str, *given: Any) -> Any:
        return call(partial(getattr(self._module, what), *given), f"the format '{self._id}'", self.options)

    @property
    def _id(self) -> str:
        return self._module.__name__.rpartition(".")[2]


def formats() -> dict[str, Summary]:
    """What each format's file says of it and of its options, by id; none is imported."""
    given = ("names", "games", "played")
    return {
        name: replace(found, options={key: value for key, value in found.options.items() if key not in given})
        for name, found in summaries(FORMATS, "pairings").items()
    }


def load_format(text: str) -> Format:
    """A format from its string, `id` or `id:option=value,...`.

    Raises:
        UsageError: no such format, or this is no list of options.
    """
    name, _, options = text.partition(":")
    return Format(text, parse_options(options, text), plug(FORMATS, "tournament format", name))
