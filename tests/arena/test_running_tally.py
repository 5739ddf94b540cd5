"""A tally rates games as they come in just as the store's table does at the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lanista.arena.ratings import rate
from lanista.arena.running_tally import RunningTally
from lanista.arena.standings import table_of, tally_of
from lanista.arena.store import Store
from lanista.arena.stored_games import StoredGames
from lanista.arena.tournament import tournament

NAMES = ["first-legal", "minimax:depth=1", "random"]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, StoredGames]:
    db = tmp_path_factory.mktemp("tally") / "t.sqlite"
    tournament("tictactoe", NAMES, games=80, db=db, opening_plies=(0, 2))
    with Store(db, write=False) as store:
        return db, store.games()


def test_its_ratings_are_those_of_the_table_in_whatever_order_games_come(
    played: tuple[Path, StoredGames],
) -> None:
    db, games = played
    with Store(db, write=False) as store:
        table = table_of(store)
    tally = RunningTally()
    for begin in range(0, len(games), 7):
        tally.take(games[begin : begin + 7])
    ratings = tally.rate(NAMES)
    for row in table.rows:
        at = ratings.names.index(row.name)
        assert (ratings.elo[at], ratings.low[at], ratings.high[at]) == (row.elo, row.low, row.high)
        assert tally.record(row.name) == (row.wins, row.draws, row.losses, row.faults)
    assert tally.games == len(games) and not tally.halves()
    fresh = tally.freshness(NAMES)
    assert fresh[0, 1] == fresh[1, 0] and 0 < fresh[0, 1] < 1, "they repeat themselves on so small a board"


@pytest.mark.parametrize("reason", ["broken", "stalled host"])
def test_void_games_count_for_nobody(played: tuple[Path, StoredGames], reason: str) -> None:
    _, games = played
    spoilt = [replace(game, reason=reason) if game.number == 3 else game for game in games]
    with_void, without = RunningTally(), RunningTally()
    with_void.take(StoredGames.of(spoilt))
    without.take(StoredGames.of([game for game in games if game.number != 3]))
    assert np.array_equal(with_void.rate(NAMES).elo, without.rate(NAMES).elo)
    assert all(with_void.record(name) == without.record(name) for name in NAMES) and not with_void.halves()


def test_equal_moves_from_other_positions_are_other_games(played: tuple[Path, StoredGames]) -> None:
    game = played[1][0]
    again = [replace(game, number=1), replace(game, number=2), replace(game, number=3, position="another")]
    tally = RunningTally()
    tally.take(StoredGames.of(again))
    assert tally.counts(NAMES).cells.sum() == 2


def test_half_a_pair_is_rated_too_and_is_named(played: tuple[Path, StoredGames]) -> None:
    _, games = played
    chosen = np.sort(np.random.default_rng(0).permutation(len(games))[:41])
    some = games.take(chosen)
    tally = RunningTally()
    tally.take(some)
    wanted = rate(tally_of(some, some.distinct(perfect_information=True), tuple(NAMES)), NAMES)
    assert np.array_equal(tally.rate(NAMES).elo, wanted.elo)
    there = {(game.one, game.other, game.number, game.leg) for game in some}
    halves = tally.halves()
    assert halves and all(half not in there for half in halves)
    assert all((one, other, number, 1 - leg) in there for one, other, number, leg in halves)
    for one, other in {(game.one, game.other) for game in some}:
        assert tally.next_number(one, other) == 1 + max(
            game.number for game in some if (game.one, game.other) == (one, other)
        )
    assert tally.next_number("nobody", "random") == 0
