"""A line of comma-separated values for each game, without its moves: who, which opening, how it ended."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

from lanista.arena.exports import Exported
from lanista.arena.stored_games import StoredGame

COLUMNS = (
    "number", "first", "second", "round", "leg", "seed", "opening_plies", "plies", "points_first", "points_second",
    "reason", "at_fault", "stored_at",
)  # fmt: skip


def texts(exported: Exported) -> Iterator[str]:
    """The names of the columns, and one line a game."""
    players = exported.board.spec.players
    yield line(COLUMNS if players == 2 else _columns(players))
    for number, game in exported.games.items():
        if players != 2:
            yield line(_other(number, game))
            continue
        first, second = game.seats
        points = ("", "") if game.void else (game.points(first), game.points(second))
        fault = "" if game.at_fault is None else game.seats[game.at_fault]
        yield line(
            (
                number, first, second, game.number, game.leg, game.seed, len(game.opening), len(game.moves), *points,
                game.reason, fault, game.stored_at,
            )
        )  # fmt: skip


def _columns(players: int) -> list[str]:
    """The names of the columns where a game is not for two."""
    seats = [f"{what}_{seat}" for what in ("player", "return") for seat in range(1, players + 1)]
    return ["number", *seats, "round", "leg", "seed", "opening_plies", "plies", "reason", "at_fault", "stored_at"]


def _other(number: int, game: StoredGame) -> list[Any]:
    fault = "" if game.at_fault is None else game.seats[game.at_fault]
    return [
        number, *game.seats, *game.returns, game.number, game.leg, game.seed, len(game.opening), len(game.moves),
        game.reason, fault, game.stored_at,
    ]  # fmt: skip


def line(values: Iterable[Any]) -> str:
    """One line, by RFC 4180."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow(values)
    return buffer.getvalue()
