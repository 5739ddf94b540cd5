"""Cycles, alpha-rank and Nash averaging: against known values, an independent implementation, and by simulation."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from open_spiel.python.egt import alpharank

from lanista.arena.game_theory import (
    Counts,
    alpha_rank,
    drawn_matrices,
    find_cycles,
    met_all,
    nash_average,
    nash_mixtures,
    pair_counts,
    places,
    score_matrix,
    sign_flip_p_values,
)
from lanista.arena.rating_model import Floats
from lanista.arena.ratings import Pair

LETTERS = "abcdefghij"
ROCK_PAPER_SCISSORS = np.array([[0.5, 0.7, 0.3], [0.3, 0.5, 0.7], [0.7, 0.3, 0.5]])


def played(random: np.random.Generator, chances: Floats, pairs: int, *, twins: bool = False) -> Counts:
    """So many pairs of games of each two, won with these chances; of twins, both games of a pair end alike."""
    players = len(chances)
    counts = np.zeros((players, players, 5), np.int64)
    for one, other in itertools.combinations(range(players), 2):
        wins = (
            2 * random.binomial(1, chances[one, other], pairs)
            if twins
            else random.binomial(2, chances[one, other], pairs)
        )
        counts[one, other] = np.bincount(2 * wins, minlength=5)
        counts[other, one] = counts[one, other][::-1]
    return counts


def transitive(players: int, gap: float) -> Floats:
    """Bradley and Terry's chances of players so many Elo apart, the first the best."""
    elo = -gap * np.arange(players)
    chances: Floats = 1 / (1 + 10 ** ((elo - elo[:, None]) / 400))
    return chances


def least_transitive(players: int) -> Floats:
    """Everyone beats all below, but the first and the last are equal: the transitive pool that looks most circular."""
    chances = np.where(np.triu(np.ones((players, players)), 1) > 0, 0.85, 0.15)
    chances[0, -1] = chances[-1, 0] = 0.5
    np.fill_diagonal(chances, 0.5)
    return chances


def test_counts_are_of_whole_pairs_from_both_sides() -> None:
    pairs = [Pair("a", "b", 1.0, 0.5), Pair("b", "a", 1.0, 1.0), Pair("a", "b", 1.0, None), Pair("a", "z", 1.0, 1.0)]
    counts = pair_counts(pairs, ["a", "b", "c"])
    assert counts[0, 1].tolist() == [1, 0, 0, 1, 0]
    assert counts[1, 0].tolist() == [0, 1, 0, 0, 1]
    assert counts.sum() == 4
    assert score_matrix(counts)[0, 1] == pytest.approx(0.375)
    assert not met_all(counts)
    assert met_all(counts[:2, :2])


def test_sign_flips_agree_with_counting_them_all() -> None:
    random = np.random.default_rng(1)
    for _ in range(20):
        counts = random.multinomial(8, random.dirichlet(np.ones(5)))
        apart = np.repeat(np.array([-2, -1, 0, 1, 2]), counts)
        flips = np.array(list(itertools.product((-1, 1), repeat=8))) @ np.abs(apart)
        assert sign_flip_p_values(counts) == pytest.approx((flips >= apart.sum()).mean())


@pytest.mark.parametrize("players", [3, 5, 8])
def test_transitive_pools_show_a_cycle_in_few_tournaments(players: int) -> None:
    random = np.random.default_rng(players)
    pools = {
        "equals": np.full((players, players), 0.5),
        "a ladder": transitive(players, 40),
        "least transitive": least_transitive(players),
    }
    for name, chances in pools.items():
        for pairs, twins in ((5, False), (50, False), (50, True)):
            alarms = [
                bool(find_cycles(played(random, chances, pairs, twins=twins), LETTERS[:players]).found)
                for _ in range(200)
            ]
            # Four of the deviations of 200 tournaments above 5 %: one in 30,000 would fail by chance.
            assert np.mean(alarms) <= 0.05 + 4 * (0.05 * 0.95 / 200) ** 0.5, (name, pairs, twins)


@pytest.mark.thorough
def test_the_most_circular_transitive_pool_alarms_in_five_of_a_hundred() -> None:
    random = np.random.default_rng(2)
    alarms = [bool(find_cycles(played(random, least_transitive(3), 50), "abc").found) for _ in range(3000)]
    assert 0.01 <= np.mean(alarms) <= 0.05  # not so cautious that it could never find anything


# Among more contestants more circles could come by chance, so the same one is less sure.
@pytest.mark.parametrize(("players", "often"), [(3, 0.8), (6, 0.6)])
def test_rock_paper_scissors_of_70_to_30_is_found(players: int, often: float) -> None:
    random = np.random.default_rng(3)
    chances = transitive(players, 300)
    chances[:3, :3] = ROCK_PAPER_SCISSORS  # the best three of a ladder
    found = [find_cycles(played(random, chances, 50), LETTERS[:players]) for _ in range(200)]
    assert np.mean([bool(each.found) for each in found]) >= often
    assert {cycle.names for each in found for cycle in each.found} == {("a", "b", "c")}
    for each in found:
        assert each.p_value <= 0.05 or not each.found
        assert all(min(cycle.scores) > 0.5 for cycle in each.found)


def test_long_cycles_are_found_and_short_ones_shown_first() -> None:
    # Each beats the next of five; those further apart are equal.
    chances = np.full((5, 5), 0.5)
    for one in range(5):
        chances[one, (one + 1) % 5], chances[(one + 1) % 5, one] = 0.8, 0.2
    cycles = find_cycles(played(np.random.default_rng(4), chances, 100), LETTERS[:5])
    assert [cycle.names for cycle in cycles.found] == [("a", "b", "c", "d", "e")]
    assert find_cycles(np.zeros((2, 2, 5), np.int64), "ab").found == ()


@pytest.mark.parametrize("alpha", [0.5, 5.0, 20.0])
def test_alpha_rank_agrees_with_open_spiel(alpha: float) -> None:
    random = np.random.default_rng(5)
    for players in (2, 3, 6):
        scores = random.random((players, players))
        _, _, theirs, _, _ = alpharank.compute([scores], m=20, alpha=alpha, use_local_selection_model=True)
        assert alpha_rank(scores, alpha=alpha, population=20) == pytest.approx(theirs, abs=1e-7)


def test_alpha_rank_at_the_limit_agrees_with_open_spiel() -> None:
    random = np.random.default_rng(6)
    many = random.integers(0, 4, (20, 5, 5)) / 4.0  # with ties
    ours = alpha_rank(many, noise=0.01)
    for scores, shares in zip(many, ours, strict=True):
        _, _, theirs, _, _ = alpharank.compute([scores], use_inf_alpha=True, inf_alpha_eps=0.01)
        assert shares == pytest.approx(theirs, abs=1e-9)
    assert alpha_rank(transitive(4, 100)) == pytest.approx([1, 0, 0, 0], abs=1e-3)
    assert alpha_rank(ROCK_PAPER_SCISSORS) == pytest.approx([1 / 3] * 3)


def test_nash_averages_are_known_ones() -> None:
    assert nash_average(ROCK_PAPER_SCISSORS) == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert nash_average(transitive(4, 50)) == pytest.approx([1, 0, 0, 0], abs=1e-9)
    assert nash_average(np.full((4, 4), 0.5)) == pytest.approx([0.25] * 4, abs=1e-6)
    # Of a circle with gaps u, v, w the mixture is (v, w, u) / (u + v + w), if a beats b by u, b beats c by v, c a by w.
    uneven = 0.5 + np.array([[0, 0.1, -0.3], [-0.1, 0, 0.2], [0.3, -0.2, 0]])
    assert nash_average(uneven) == pytest.approx([0.2 / 0.6, 0.3 / 0.6, 0.1 / 0.6], abs=1e-6)


def test_copies_share_a_weight() -> None:
    order = [0, 1, 2, 2, 2]
    copied = ROCK_PAPER_SCISSORS[np.ix_(order, order)]
    assert nash_average(copied) == pytest.approx([1 / 3, 1 / 3, 1 / 9, 1 / 9, 1 / 9], abs=1e-5)


def test_nobody_scores_above_a_half_against_a_nash_mixture() -> None:
    random = np.random.default_rng(7)
    for players in (2, 3, 7, 15):
        gaps = random.uniform(-0.2, 0.2, (players, players))
        scores = 0.5 + gaps - gaps.T
        weights = nash_average(scores)
        assert weights.sum() == pytest.approx(1)
        assert (scores @ weights).max() <= 0.5 + 1e-8
        # Of random scores there is one such mixture; many at once come close to it.
        assert nash_mixtures(scores[None])[0] == pytest.approx(weights, abs=0.03)


def test_doubt_shrinks_with_pairs() -> None:
    random = np.random.default_rng(8)
    few, many = (drawn_matrices(played(random, ROCK_PAPER_SCISSORS, pairs)) for pairs in (5, 500))
    assert few.std(axis=0)[0, 1] > 5 * many.std(axis=0)[0, 1] > 0
    assert many + np.swapaxes(many, 1, 2) == pytest.approx(1.0)
    one = drawn_matrices(np.full((2, 2, 5), [0, 0, 0, 0, 3]))
    assert one[:, 0, 1].std() > 0


def test_places_have_the_truth_in_their_intervals() -> None:
    random = np.random.default_rng(9)
    inside = []
    for _ in range(40):
        found = {each.name: each for each in places(played(random, ROCK_PAPER_SCISSORS, 50), "abc", draws=400)}
        inside += [each.nash_low <= 1 / 3 <= each.nash_high for each in found.values()]
        assert sum(each.nash for each in found.values()) == pytest.approx(1)
        assert sum(each.alpha_rank for each in found.values()) == pytest.approx(1)
        assert all(each.against_nash <= 0.5 + 1e-9 for each in found.values())
    assert 0.85 <= np.mean(inside) <= 1.0
    best = places(played(random, transitive(4, 200), 100), "abcd")[0]
    assert best.name == "a" and best.alpha_rank > 0.99 and best.nash == 1.0
