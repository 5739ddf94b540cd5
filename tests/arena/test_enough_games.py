"""Whether the order of neighbours is settled, and how many more pairs of games settle it, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.arena.enough_games import CHANCE, MOST_PAIRS, SURE, enough_games, pair_information, pairs_to_settle
from lanista.arena.ratings import Pair, rate


def play(random: np.random.Generator, gap: float, pairs: int) -> list[Pair]:
    """Pairs of games without draws, the first so many Elo ahead."""
    wins = (random.random((pairs, 2)) < 1 / (1 + 10 ** (-gap / 400))).astype(float)
    return [Pair("a", "b", *both) for both in wins.tolist()]


def test_clear_orders_are_sure_and_close_ones_ask_for_more() -> None:
    random = np.random.default_rng(1)
    pairs = play(random, 300, 40) + [Pair("b", "c", float(number % 2), float(number % 3 == 0)) for number in range(40)]
    ratings = rate(pairs, ["a", "b", "c"])
    first, second = enough_games(ratings)
    assert (first.better, first.sure, first.more_pairs) == ("a", True, 0)
    assert first.low < first.difference < first.high
    assert first.surety == ratings.superiority(first.better, first.worse) > SURE
    assert not second.sure
    assert second.low < 0 < second.high
    assert second.more_pairs is None or second.more_pairs > 10
    assert [each.better for each in enough_games(ratings, ["c", "a", "b"])] == ["c", "a"]
    assert enough_games(rate([], ["a"])) == []


def test_information_is_that_of_elo() -> None:
    # Of a game without draws between equals: (ln 10 / 400)^2 / 4.
    assert pair_information(0, 0, 0) == pytest.approx(2 * (np.log(10) / 400) ** 2 / 4)
    assert pair_information(400, 0, 0) < pair_information(0, 0, 0)
    assert pair_information(0, 600, 0) < pair_information(0, 0, 0)
    # A draw is half a point for certain: what varies less says more about the mean.
    assert pair_information(0, 0, 0.6) > pair_information(0, 0, 0)
    assert pair_information(9000, 9000, 0.3) >= 0


def test_pairs_to_settle() -> None:
    assert pairs_to_settle(0, 50, 1e-5) is None
    assert pairs_to_settle(0.1, 50, 1e-5) is None
    assert pairs_to_settle(500, 10, 1e-5) == 1
    few, many = pairs_to_settle(40, 100, 1e-5), pairs_to_settle(20, 100, 1e-5)
    assert few is not None and many is not None
    assert 3.9 < many / few < 4.3
    assert many < MOST_PAIRS


@pytest.mark.thorough
def test_so_many_more_pairs_settle_it() -> None:
    random = np.random.default_rng(2)
    settled, with_a_third, tried = list[bool](), list[bool](), 0
    while len(settled) < 50:
        tried += 1
        before = play(random, 40, 20)
        (found,) = enough_games(rate(before, ["a", "b"]))
        if found.sure or found.more_pairs is None or found.more_pairs > 600:
            continue
        # If the difference is as it looks: so it is for what is played on.
        sign = 1 if found.better == "a" else -1
        for pairs, kept in ((found.more_pairs, settled), (found.more_pairs // 3, with_a_third)):
            rated = rate(before + play(random, sign * found.difference, pairs), ["a", "b"])
            kept.append(rated.superiority(found.better, found.worse) >= SURE)
    assert CHANCE - 0.15 <= np.mean(settled) <= 1.0
    assert np.mean(with_a_third) < np.mean(settled) - 0.1
