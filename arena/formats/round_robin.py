"""Round robin: everyone meets everyone else in the same number of games, at tables where more than two play."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from lanista.arena.meetings import EqualMeetings, Meeting, seatings
from lanista.arena.stored_games import StoredGame
from lanista.errors import UsageError

AT_ONCE = True
MOST_TABLES = 100  # of more than two players: where there are more, some are drawn
TABLES_OF_EACH = 24  # at which everyone then sits
TRIES = 1000


def meetings(
    names: Sequence[str], games: int, played: Sequence[StoredGame], players: int, *, tables: int = 0
) -> Sequence[Meeting]:
    """All meetings at once; who was in the tournament before is not asked.

    Where a game has one player, everyone plays alone, the same games. Where it has more than two, those who meet are a
    table.

    Args:
        names: who takes part.
        games: of each two contestants, of each table, or of each one alone.
        played: what was played so far.
        players: of the game.
        tables: 0: everyone meets everyone, at every table there can be; where that are more than 100 tables of three or
            more, 24 of each contestant. Else everyone sits at so many tables (a few more where these cannot be shared
            out), drawn at random.
    """
    # Openings in the outer loop: a tournament that is cut short has played about as much of each meeting.
    chosen = _tables(names, players, tables)
    return EqualMeetings(chosen, games // len(seatings(players)))


def fixes(names: Sequence[str], players: int, *, tables: int = 0) -> bool:
    """Drawn tables depend on all names: another one more would change them all."""
    return _drawn_of_each(len(names), players, tables) > 0


def _drawn_of_each(count: int, players: int, tables: int) -> int:
    """At how many drawn tables everyone sits; 0: there is nothing to draw."""
    if tables or (players > 2 and math.comb(count, players) > MOST_TABLES):
        wanted = tables or TABLES_OF_EACH
        step = players // math.gcd(count, players)  # so many tables of everyone are whole tables
        return -(-wanted // step) * step
    return 0


def _tables(names: Sequence[str], players: int, tables: int) -> list[tuple[str, ...]]:
    """Who sits together, each table in the order of its names."""
    ordered = sorted(names)
    if len(ordered) < players:
        raise UsageError(f"{players} play this game, so a tournament of it needs {players} or more contestants")
    if tables < 0 or (tables and players == 1):
        raise UsageError(f"tables are of two or more, and 0 or more of each contestant, not {tables}")
    of_each = _drawn_of_each(len(ordered), players, tables)
    if not of_each:
        return list(combinations(ordered, players))
    there_are = math.comb(len(ordered) - 1, players - 1)
    if of_each > there_are:
        raise UsageError(f"{len(ordered)} contestants can sit at {there_are} different tables each, not at {of_each}")
    mark = hashlib.sha256("\0".join([*ordered, str(players), str(of_each)]).encode()).digest()
    random = np.random.default_rng(int.from_bytes(mark[:8], "big"))
    for _ in range(TRIES):
        drawn = _draw(len(ordered), players, of_each, random)
        if drawn is not None:
            return [tuple(ordered[who] for who in table) for table in drawn]
    raise UsageError(f"no {of_each} tables of each contestant were found; tables=0 plays all that there can be")


def _draw(count: int, players: int, of_each: int, random: np.random.Generator) -> list[tuple[int, ...]] | None:
    """Different tables of which everyone has equally many, about evenly with everyone else; None: it came to no end.

    Table by table from those who have the fewest so far, among them those who have met each other least.
    """
    seats, met = np.zeros(count), np.zeros((count, count))
    found: dict[tuple[int, ...], None] = {}
    for _ in range(count * of_each // players):
        for _ in range(20):
            table: list[int] = []
            while len(table) < players:
                cost = 1e6 * seats + met[:, table].sum(axis=1) + random.random(count) * 0.5
                cost[table] = np.inf
                table.append(int(cost.argmin()))
            key = tuple(sorted(table))
            if key not in found:
                break
            met[np.ix_(key, key)] += 0.5  # they have met already: look for others
        else:
            return None
        found[key] = None
        seats[table] += 1
        met[np.ix_(table, table)] += 1
    return list(found)
