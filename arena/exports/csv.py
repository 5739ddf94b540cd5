"""A line of comma-separated values for each game, without its moves: who, which opening, how it ended."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from lanista.arena.exports import Exported

COLUMNS = (
    "number", "first", "second", "round", "leg", "seed", "opening_plies", "plies", "points_first", "points_second",
    "reason", "at_fault", "stored_at",
)  # fmt: skip


def texts(exported: Exported) -> Iterator[str]:
    """The names of the columns, and one line a game."""
    yield line(COLUMNS)
    for number, game in exported.games.items():
        first, second = game.seats
        points = ("", "") if game.void else (game.points(first), game.points(second))
        fault = "" if game.at_fault is None else game.seats[game.at_fault]
        yield line(
            (
                number, first, second, game.number, game.leg, game.seed, len(game.opening), len(game.moves), *points,
                game.reason, fault, game.stored_at,
            )
        )  # fmt: skip


def line(values: Iterable[Any]) -> str:
    """One line, by RFC 4180."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
