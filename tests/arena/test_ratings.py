"""Ratings, by simulation: known strengths come back, and intervals hold the truth as often as they say."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln

from lanista.arena.rating_model import ELO, Floats, RatingModel
from lanista.arena.ratings import Pair, Ratings, pair_score, rate, tally

POINTS = np.array([1.0, 0.5, 0.0])


def chances(difference: float, nu: float) -> Floats:
    """Win, draw, loss of Davidson's model, written as in his paper: of strengths in natural units."""
    win, loss = math.exp(difference / 2), math.exp(-difference / 2)
    total = win + nu + loss
    return np.array([win / total, nu / total, loss / total])


def drawn(random: np.random.Generator, differences: Floats, nu: float) -> Floats:
    """Points of a game at each difference."""
    shares = np.array([chances(difference, nu) for difference in differences]).cumsum(axis=1)
    outcomes = (random.random((len(differences), 1)) > shares[:, :2]).sum(axis=1)
    points: Floats = POINTS[outcomes]
    return points


def in_nature(elo: float, nu: float) -> float:
    """Elo in natural units."""
    return elo / ELO * (2 + nu) / 2


def play_pairs(
    random: np.random.Generator,
    strengths: dict[str, float],
    pairs: int,
    *,
    nu: float = 0.2,
    advantage: float = 0.0,
    opening: float = 0.0,
) -> list[Pair]:
    """Everyone meets everyone in so many pairs.

    Args:
        random: the source of chance.
        strengths: in Elo.
        pairs: of each two.
        nu: Davidson's draw parameter.
        advantage: of the first seat, in Elo.
        opening: the deviation of what an opening adds to it, in Elo, in both of its games.
    """
    names = sorted(strengths)
    found = []
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            difference = in_nature(strengths[one] - strengths[other], nu)
            first = in_nature(advantage, nu) + in_nature(opening, nu) * random.standard_normal(pairs)
            results = [drawn(random, difference + sign * first, nu).tolist() for sign in (1, -1)]
            found += [Pair(one, other, *both) for both in zip(*results, strict=True)]
    return found


def rated_alike(pairs: Sequence[Pair]) -> Ratings:
    """What is said of a and b. No order changes a bit, see below, so that each tally is rated once."""
    return _rated(tuple(sorted((pair.as_first, pair.as_second) for pair in pairs)))


@cache
def _rated(results: tuple[tuple[float | None, float | None], ...]) -> Ratings:
    return rate([Pair("a", "b", *result) for result in results], ["a", "b"])


def repeated(results: Sequence[tuple[float | None, float | None]], times: int) -> list[Pair]:
    return [Pair("a", "b", *result) for result in results for _ in range(times)]


def test_ratings_agree_with_an_independent_fit() -> None:
    random = np.random.default_rng(1)
    pairs = play_pairs(random, {"a": 150, "b": 0, "c": -150}, 1500, nu=0.8, advantage=60)
    rated = rate(pairs, ["a", "b", "c"])

    counts: dict[tuple[int, int, float], int] = {}
    for pair in pairs:
        one, other = "abc".index(pair.one), "abc".index(pair.other)
        for first, second, points in ((one, other, pair.as_first), (other, one, pair.as_second)):
            assert points is not None
            key = (first, second, points if first == one else 1 - points)
            counts[key] = counts.get(key, 0) + 1

    def loss(theta: Floats) -> float:
        strengths = [theta[0], theta[1], -theta[0] - theta[1]]
        return -sum(
            count
            * math.log(
                chances(strengths[first] - strengths[second] + theta[2], math.exp(theta[3]))[int(2 - 2 * points)]
            )
            for (first, second, points), count in counts.items()
        )

    best = minimize(loss, np.zeros(4), method="BFGS").x
    nu = math.exp(best[3])
    scale = ELO * 2 / (2 + nu)
    # The likelihood alone; beside 4,500 pairs the prior weighs next to nothing.
    assert rated.elo == pytest.approx([best[0] * scale, best[1] * scale, -(best[0] + best[1]) * scale], abs=0.5)
    assert rated.advantage[0] == pytest.approx(best[2] * scale, abs=0.5)
    assert rated.draw_share == pytest.approx(nu / (2 + nu), abs=0.002)


def test_known_strengths_come_back() -> None:
    truth = {"a": 500.0, "b": 250.0, "c": 50.0, "d": -100.0, "e": -300.0, "f": -400.0}
    rated = rate(play_pairs(np.random.default_rng(2), truth, 150, nu=0.4, advantage=80), list(truth))
    assert rated.names == tuple(truth)
    assert np.abs(rated.elo - list(truth.values())).max() < 40
    assert rated.advantage[0] == pytest.approx(80, abs=20)
    assert (rated.low < rated.elo).all()
    assert (rated.elo < rated.high).all()
    assert rated.superiority("a", "b") > 0.999


def test_no_order_changes_a_bit() -> None:
    truth = {"a": 200.0, "b": 0.0, "c": -200.0}
    pairs = play_pairs(np.random.default_rng(3), truth, 7, nu=0.5)
    rated = rate(pairs, ["a", "b", "c"])
    shuffled = [pairs[index] for index in np.random.default_rng(4).permutation(len(pairs))]
    turned = [
        Pair(pair.other, pair.one, 1 - pair.as_second, 1 - pair.as_first)
        for pair in shuffled
        if pair.as_first is not None and pair.as_second is not None
    ]
    for again in (rate(shuffled, ["c", "a", "b"]), rate(turned, ["b", "c", "a"])):
        assert again.names == rated.names
        assert again.elo.tobytes() == rated.elo.tobytes()
        assert again.samples.tobytes() == rated.samples.tobytes()
        assert again.advantage == rated.advantage


def test_intervals_cover_at_five_pairs_and_400_elo() -> None:
    random = np.random.default_rng(5)
    covered = []
    for _ in range(120):
        rated = rated_alike(play_pairs(random, {"a": 200, "b": -200}, 5))
        covered.append(rated.low[0] <= 200 <= rated.high[0])
    # The formulas in common use cover 67 % here.
    assert 0.90 <= np.mean(covered) <= 1.0


@pytest.mark.parametrize(
    ("advantage", "opening", "nu"),
    [(0, 0, 0.5), (100, 0, 0.1), (600, 0, 0.5), (0, 150, 0.5)],
    ids=["plain", "little advantage", "great advantage", "openings that decide"],
)
def test_intervals_cover_at_20_pairs(advantage: float, opening: float, nu: float) -> None:
    random = np.random.default_rng(6)
    covered = []
    for _ in range(60):  # finds intervals that cover 80 % with a probability of 93 %, and of 75 % with 99 %
        pairs = play_pairs(random, {"a": 0, "b": 0}, 20, nu=nu, advantage=advantage, opening=opening)
        rated = rated_alike(pairs)
        covered.append(rated.low[0] <= 0 <= rated.high[0])
    assert 0.88 <= np.mean(covered) <= 1.0


@pytest.mark.thorough
def test_intervals_cover_at_50_pairs_of_several() -> None:
    random = np.random.default_rng(7)
    truth = {"a": 300.0, "b": 100.0, "c": 0.0, "d": -150.0, "e": -250.0}
    covered, sides = [], []
    for _ in range(40):
        rated = rate(play_pairs(random, truth, 50, nu=0.3, advantage=70), list(truth))
        covered.append((rated.low <= list(truth.values())) & (rated.high >= list(truth.values())))
        sides.append(rated.advantage[1] <= 70 <= rated.advantage[2])
    assert 0.91 <= np.mean(covered) <= 0.98
    assert 0.88 <= np.mean(sides) <= 1.0


def test_wide_pools_are_not_squeezed_by_the_prior() -> None:
    names = [f"p{number:02d}" for number in range(10)]
    truth = dict(zip(names, np.linspace(-1250, 1250, 10).tolist(), strict=True))
    rated = rate(play_pairs(np.random.default_rng(8), truth, 20, nu=0.1), names)
    assert 2200 < rated.elo[-1] - rated.elo[0] < 2800


def test_a_score_of_100_percent_has_finite_bounds() -> None:
    for pairs in (1, 5, 200):
        rated = rate(repeated([(1.0, 1.0)], pairs), ["a", "b"])
        assert np.isfinite(rated.samples).all()
        assert 0 < rated.elo[0] < 1500
        assert rated.high[0] > rated.elo[0] > rated.low[0]
    assert rated.low[0] > 200


def test_pairs_count_as_one_observation() -> None:
    # Every opening decides both of its games: the sides are equal for certain, though single games look like coins.
    decided = rate(repeated([(1.0, 0.0), (0.0, 1.0)], 100), ["a", "b"])
    independent = rate(repeated([(1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)], 50), ["a", "b"])
    assert decided.elo[0] == pytest.approx(0, abs=1e-6)
    assert independent.elo[0] == pytest.approx(0, abs=1e-6)
    assert decided.high[0] - decided.low[0] < 0.6 * (independent.high[0] - independent.low[0])
    # Twins, where the better contestant wins both games, tell half as much as their number of games says.
    twins = rate(repeated([(1.0, 1.0), (0.0, 0.0)], 100), ["a", "b"])
    assert twins.high[0] - twins.low[0] > 1.25 * (independent.high[0] - independent.low[0])


def test_single_games_and_missing_ones() -> None:
    half = rate([Pair("a", "b", 1.0, None)] * 20, ["a", "b"])
    whole = rate([Pair("a", "b", 1.0, 1.0)] * 20, ["a", "b"])
    assert 0 < half.elo[0] < whole.elo[0]
    nothing = rate([Pair("a", "b", None, None)], ["a", "b", "c"])
    assert nothing.elo == pytest.approx([0, 0, 0], abs=1e-9)
    assert nothing.high[0] > 300
    assert nothing.superiority("a", "b") == pytest.approx(0.5, abs=0.06)


def test_who_is_not_rated_is_an_error() -> None:
    with pytest.raises(ValueError, match="'c', who is not to be rated"):
        rate([Pair("a", "c", 1.0, 1.0)], ["a", "b"])
    with pytest.raises(ValueError, match="twice"):
        rate([], ["a", "a"])


@pytest.mark.thorough
def test_superiority_is_calibrated() -> None:
    random = np.random.default_rng(9)
    claims, truths = [], []
    for _ in range(100):
        a, b = random.normal(0, 60, 2)
        rated = rated_alike(play_pairs(random, {"a": a, "b": b}, 10))
        claim = rated.superiority("a", "b")
        claims.append(max(claim, 1 - claim))
        truths.append((a > b) == (claim > 0.5))
    # Of strengths this close the prior expects more difference than there is, so claims are a little bold.
    assert np.mean(truths) == pytest.approx(np.mean(claims), abs=0.12)


def true_score(elo: float, nu: float) -> float:
    return float(chances(in_nature(elo, nu), nu) @ POINTS)


@pytest.mark.parametrize(("pairs", "elo"), [(5, 0), (5, 400), (30, 200), (100, 400)])
def test_scores_cover(pairs: int, elo: float) -> None:
    random = np.random.default_rng(10)
    truth, covered = true_score(elo, 0.2), []
    for _ in range(150):
        score = pair_score(play_pairs(random, {"a": elo, "b": 0}, pairs), "a")
        covered.append(score.low <= truth <= score.high)
        assert score.low <= score.score <= score.high
    assert 0.89 <= np.mean(covered) <= 1.0


def test_scores_are_of_the_one_who_asks() -> None:
    pairs = [Pair("a", "b", 1.0, 0.5), Pair("b", "a", 0.0, 0.5), Pair("a", "b", 1.0, None), Pair("c", "d", 1.0, 1.0)]
    mine, theirs = pair_score(pairs, "a"), pair_score(pairs, "b")
    assert mine.pairs == theirs.pairs == 2
    assert mine.score == 0.75
    assert theirs.score == 0.25
    assert mine.superiority == pytest.approx(1 - theirs.superiority, abs=0.02)
    assert mine.low == pytest.approx(1 - theirs.high, abs=0.02)
    nobody = pair_score([], "a")
    assert (nobody.score, nobody.pairs) == (0.5, 0)
    assert nobody.low < 0.1 < 0.9 < nobody.high


def test_anchors_are_held_and_give_the_scale() -> None:
    truth = {"a": 2000.0, "b": 1800.0, "c": 1500.0, "d": 1900.0}
    pairs = play_pairs(np.random.default_rng(11), truth, 150, nu=0.4, advantage=50)
    free = rate(pairs, list(truth))
    held = rate(pairs, list(truth), anchors={"a": 2000.0})
    for bounds in (held.elo, held.low, held.high):
        assert bounds[0] == 2000.0
    # One anchor moves the scale and no more; the prior weighs next to nothing here.
    assert held.elo[1:] - 2000 == pytest.approx(free.elo[1:] - free.elo[0], abs=3)
    assert held.superiority("a", "d") > 0.99
    # Two that lie twice as far apart as they played must stretch what lies between them.
    far = rate(pairs, list(truth), anchors={"a": 2000.0, "c": 1000.0})
    assert (far.elo[0], far.elo[2]) == (2000.0, 1000.0)
    assert 1000 < far.elo[1] < far.elo[3] < 2000
    for wrong, words in (({"x": 0.0}, "'x' is not to be rated"), ({"a": math.nan}, "cannot be held at nan")):
        with pytest.raises(ValueError, match=words):
            rate(pairs, list(truth), anchors=wrong)


def test_a_top_under_anchors_agrees_with_a_search_for_it() -> None:
    pairs = play_pairs(np.random.default_rng(12), {"a": 300.0, "b": 0.0, "c": -200.0}, 40, nu=0.6, advantage=80)
    found = tally(pairs, ("a", "b", "c"))
    model = RatingModel(3, found.who, found.cells, {0: 350.0, 2: -350.0})
    top = model.top()

    def loss(free: Floats) -> float:
        theta = np.array([0.0, free[0], 0.0, free[1], free[2]])
        return -float(model.ascent(theta[None])[0][0])

    best = minimize(loss, np.zeros(3), method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9, "maxiter": 5000})
    assert top[[1, 3, 4]] == pytest.approx(best.x, abs=1e-4)
    assert top[0] - top[2] == pytest.approx(in_nature(700, math.exp(top[-1])), abs=1e-9)


@pytest.mark.thorough
def test_intervals_cover_beside_anchors() -> None:
    random = np.random.default_rng(13)
    covered = []
    for _ in range(70):  # finds intervals that cover 80 % with a probability of 98 %
        pairs = play_pairs(random, {"a": 200, "b": 0, "c": -200}, 8, nu=0.4, advantage=100)
        rated = rate(pairs, ["a", "b", "c"], anchors={"a": 200.0, "c": -200.0})
        covered.append(rated.low[1] <= 0 <= rated.high[1])
    assert 0.89 <= np.mean(covered) <= 1.0


def grid() -> list[tuple[float, float, float]]:
    """Gap and side bias in Elo, and the share of draws between equals: the cells in which intervals are to hold."""
    return list(itertools.product((0, 200, 400), (0, 200, 600), (0.1, 0.3, 0.6)))


def coverage(pairs: int, tallies: int) -> Floats:
    """How often the interval of the difference holds it, in each cell of the grid.

    What a fit says depends only on how often each of the nine outcomes of a pair came. So such tallies are drawn from
    all cells alike, each different one is rated once, and its chance in a cell is its weight there.
    """
    shares = []
    for gap, bias, draws in grid():
        nu = 2 * draws / (1 - draws)
        games = [chances(in_nature(gap + sign * bias, nu), nu) for sign in (1, -1)]
        shares.append(np.outer(*games).ravel())
    random = np.random.default_rng(pairs)
    cells = np.resize(np.arange(len(shares)), tallies)
    drawn_tallies = np.array([random.multinomial(pairs, shares[cell]) for cell in cells])
    found, which = np.unique(drawn_tallies, axis=0, return_inverse=True)
    chance = multinomial_chances(found, np.array(shares))[which.ravel()]
    weights = chance / chance.mean(axis=1, keepdims=True)
    bounds = np.array([rated_bounds(tally) for tally in found])[which.ravel()]
    truth = np.array([gap for gap, _, _ in grid()]) / 2
    held = (bounds[:, :1] <= truth) & (truth <= bounds[:, 1:])
    result: Floats = (weights * held).sum(axis=0) / weights.sum(axis=0)
    return result


def multinomial_chances(tallies: NDArray[np.int64], shares: Floats) -> Floats:
    """(t, c) how likely each tally (t, 9) is under the shares (c, 9) of each cell."""
    found: Floats = np.exp(
        gammaln(tallies.sum(1) + 1)[:, None] - gammaln(tallies + 1).sum(1)[:, None] + tallies @ np.log(shares).T
    )
    return found


def rated_bounds(tally: NDArray[np.int64]) -> tuple[float, float]:
    outcomes = list(itertools.product(POINTS.tolist(), repeat=2))
    rated = rated_alike(
        [Pair("a", "b", *both) for both, times in zip(outcomes, tally, strict=True) for _ in range(times)]
    )
    return rated.low[0], rated.high[0]


@pytest.mark.thorough
def test_intervals_cover_over_the_grid_at_five_pairs() -> None:
    covered = coverage(5, 400)
    assert 0.93 <= covered.mean() <= 0.985  # at five pairs the prior still helps those who are nearly equal
    assert covered.min() > 0.85  # .93 where each tally that can come is rated, see the slow test


@pytest.mark.slow
def test_intervals_cover_over_the_whole_grid() -> None:
    found = [coverage(5, 20_000), *(coverage(pairs, 5400) for pairs in (10, 20, 50))]
    assert 0.93 <= np.mean(found) <= 0.97
    assert min(each.min() for each in found) > 0.88


def test_a_hundred_thousand_games_of_a_hundred_players() -> None:
    random = np.random.default_rng(14)
    truth = random.normal(0, 150, 100)
    names = [f"p{number:02d}" for number in range(100)]
    one, other = random.integers(100, size=(2, 50_000))
    other = np.where(one == other, (other + 1) % 100, other)
    legs = [drawn(random, (truth[one] - truth[other]) / ELO * 1.1 + sign * 0.2, 0.2).tolist() for sign in (1, -1)]
    pairs = [Pair(names[i], names[j], x, y) for i, j, x, y in zip(one, other, *legs, strict=True)]
    rated = rate(pairs, names)
    centred = truth - truth.mean()
    assert np.abs(rated.elo - centred).max() < 60
    assert 0.85 <= np.mean((rated.low <= centred) & (centred <= rated.high)) <= 1.0
