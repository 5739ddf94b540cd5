"""Where games begin: random legal plies, the lines of a book, or random plies that an agent finds balanced.

Every opening is played from both seats; which one a pairing has depends on the tournament's seed and the pairing alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from lanista.agents.random_openings import check_plies, random_openings
from lanista.arena.book import Opening, read_book
from lanista.arena.entrants import digest
from lanista.envs import make
from lanista.envs.core import Agent, Array, Floats, agent_name
from lanista.envs.draws import mixed
from lanista.envs.loop import play
from lanista.errors import UsageError

MOST_TRIES = 200


class Openings(Protocol):
    """A source of openings.

    Attributes:
        settings: what a store remembers of it: another source has others.
    """

    @property
    def settings(self) -> dict[str, Any]: ...

    def draw(self, numbers: Sequence[int], seeds: Sequence[int]) -> list[Opening]:
        """The openings of some pairings.

        Args:
            numbers: each one's number among the openings of its two contestants, from 0.
            seeds: of its games.
        """
        ...


def openings_of(
    game: str,
    plies: tuple[int, int],
    book: str | Path | None = None,
    balanced: Agent | None = None,
    within: float = 0.3,
    seed: int = 0,
    book_plies: int | None = None,
) -> Openings:
    """The openings that a user asks for.

    Args:
        game: the game's string.
        plies: the least and the greatest number of random plies, where there is no book.
        book: a file of openings, as `read_book` reads it.
        balanced: keep only random openings after which this agent finds the game even.
        within: how far from even: 0 is even, 1 the greatest return there is.
        seed: the order in which a book's openings are taken.
        book_plies: only so many plies of each opening of a book.

    Raises:
        UsageError: a book and a judge are both given, the book has an opening that is not legal, or a number is wrong.
    """
    if book is not None and balanced is not None:
        raise UsageError("openings come from a book or are balanced by an agent, not both")
    if book_plies is not None and (book is None or book_plies < 0):
        raise UsageError(f"the plies of a book's openings are 0 or more, and of a book, not {book_plies}")
    if book is not None:
        return BookOpenings.read(game, Path(book), seed, book_plies)
    return RandomOpenings(game, plies) if balanced is None else BalancedOpenings(game, plies, balanced, within)


@dataclass(frozen=True)
class RandomOpenings:
    """Random legal plies, drawn from each pairing's seed."""

    game: str
    plies: tuple[int, int]

    def __post_init__(self) -> None:
        check_plies(self.plies)  # before they stand in a store

    @property
    def settings(self) -> dict[str, Any]:
        """Their number of plies."""
        return {"openings": "random", "opening_plies": list(self.plies)}

    def draw(self, numbers: Sequence[int], seeds: Sequence[int]) -> list[Opening]:
        """One for each seed."""
        if not any(self.plies):
            return [Opening(())] * len(seeds)  # a hundred thousand that are equal are one object
        return [Opening(moves) for moves in random_openings(self.game, seeds, self.plies)]


@dataclass(frozen=True)
class BookOpenings:
    """The lines of a book in an order that the seed gives, the same for every two contestants, then again from the
    first."""

    lines: tuple[Opening, ...]
    seed: int

    @classmethod
    def read(cls, game: str, path: Path, seed: int, most_plies: int | None = None) -> BookOpenings:
        """Those of a file.

        Raises:
            UsageError: it cannot be read, is empty, or has an opening that is not legal.
        """
        return cls(tuple(dict.fromkeys(read_book(game, path, most_plies))), seed)

    @property
    def settings(self) -> dict[str, Any]:
        """The book, known by its openings wherever its file lies."""
        lengths = [len(line.moves) for line in self.lines]
        # Books of moves alone are known by these, as they were before there were positions.
        known = self.lines if any(line.position for line in self.lines) else [line.moves for line in self.lines]
        mark = hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]
        return {
            "openings": f"book of {len(self.lines)} openings, sha256 {mark}",
            "opening_plies": [min(lengths), max(lengths)],
        }

    def draw(self, numbers: Sequence[int], seeds: Sequence[int]) -> list[Opening]:
        """One for each number."""
        order = np.random.default_rng(self.seed % 2**64).permutation(len(self.lines))
        return [self.lines[order[number % len(order)]] for number in numbers]


class BalancedOpenings:
    """Random legal plies that end where an agent's value for the player to move is near that of an even game."""

    def __init__(self, game: str, plies: tuple[int, int], judge: Agent, within: float) -> None:
        """Say who judges.

        Args:
            game: the game's string.
            plies: the least and the greatest number of plies.
            judge: an agent that gives values.
            within: the greatest distance from even, as a share of half the span of the game's returns.

        Raises:
            UsageError: the share is not in (0, 1], or the game has chance or hides something: then an opening fits
                one game only, and its value is nobody's to see.
        """
        if not 0 < within <= 1:
            raise UsageError(f"balanced openings are within a share above 0 and up to 1, not {within:g}")
        spec = make(game).spec
        if not spec.perfect_information:
            raise UsageError(f"only openings of games in which nothing is hidden can be balanced, not of {game}")
        self._game, self._plies, self._judge, self._within = game, plies, judge, within
        least, greatest = spec.returns
        self._even = (least + greatest) / 2 if np.isfinite([least, greatest]).all() else 0.0
        self._span = (greatest - least) / 2 if np.isfinite([least, greatest]).all() else 1.0

    @property
    def settings(self) -> dict[str, Any]:
        """The plies, and the judge as a contestant of the store would be known."""
        name, mark = agent_name(self._judge), digest(self._judge)[:16]
        return {
            "openings": f"balanced within {self._within:g} by {name}, sha256 {mark}",
            "opening_plies": list(self._plies),
        }

    def draw(self, numbers: Sequence[int], seeds: Sequence[int]) -> list[Opening]:
        """One for each seed: the first that is even, of those that the seed gives one after the other.

        Raises:
            UsageError: none is, or the agent gives no values.
        """
        found: dict[int, Opening] = {}
        salts = np.array([int(seed) % 2**64 for seed in seeds], np.uint64)
        for attempt in range(MOST_TRIES):
            open_ = [index for index in range(len(seeds)) if index not in found]
            if not open_:
                return [found[index] for index in range(len(seeds))]
            drawn = mixed(salts[open_], np.uint64(attempt)) if attempt else salts[open_]
            candidates = random_openings(self._game, drawn.tolist(), self._plies)
            away = np.abs(self._values(candidates, salts[open_]) - self._even) / self._span
            found |= {open_[row]: Opening(candidates[row]) for row in np.flatnonzero(away <= self._within).tolist()}
        least, most = self._plies
        raise UsageError(
            f"in {MOST_TRIES} tries no opening of {least} to {most} random plies was within {self._within:g} of even "
            f"for {agent_name(self._judge)}"
        )

    def _values(self, openings: Sequence[tuple[int, ...]], seeds: Array) -> Floats:
        """What the judge expects after each opening for the player to move; (k,), NaN where it failed."""
        found = np.full(len(openings), np.nan, np.float32)
        table = make(self._game, min(1024, len(openings)), restart=False)
        for begin in range(0, len(openings), table.copies):
            which = np.arange(begin, min(begin + table.copies, len(openings)))
            table.reset(seeds[which].tolist(), which - begin, [openings[index] for index in which.tolist()])
            for ply in play(table, [self._judge]):  # those that wait are asked again
                choice = ply.answers[0].choice
                if choice.value is None and len(choice.failed) < len(ply.turn):
                    raise UsageError(
                        f"'{agent_name(self._judge)}' gives no values, so it cannot balance openings; a trained agent "
                        "or minimax does"
                    )
                if choice.value is not None:
                    rows = [row for row in ply.rows.tolist() if row not in choice.failed]
                    found[begin + ply.turn.copies[rows]] = choice.value[rows]
                table.stop(ply.turn.copies[ply.rows])
        return found
