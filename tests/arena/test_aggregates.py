"""Scores over many games: the measures by hand, the intervals by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from lanista.arena.aggregates import aggregates, improvement_probability, interquartile_mean, optimality_gap


def test_the_measures_are_those_of_the_paper() -> None:
    scores = np.array([0.0, 1, 2, 3, 4, 5, 6, 100])
    assert interquartile_mean(scores) == pytest.approx(np.mean([2, 3, 4, 5]))
    assert optimality_gap(np.array([0.5, 2.0])) == pytest.approx(0.25)
    found = aggregates([scores[:4], scores[4:]])
    assert found["interquartile mean"].value == pytest.approx(3.5)
    assert found["median"].value == pytest.approx(3.5)
    assert found["mean"].value == pytest.approx(121 / 8)
    assert all(each.low <= each.value <= each.high for each in found.values())


def test_improvement_is_mann_and_whitneys() -> None:
    random = np.random.default_rng(1)
    mine = [random.integers(0, 5, runs).astype(float) for runs in (4, 7, 3)]
    other = [random.integers(0, 5, runs).astype(float) for runs in (6, 5, 3)]
    shares = [mannwhitneyu(a, b).statistic / (len(a) * len(b)) for a, b in zip(mine, other, strict=True)]
    found = improvement_probability(mine, other)
    assert found.value == pytest.approx(np.mean(shares))
    assert found.low <= found.value <= found.high
    assert improvement_probability(other, mine).value == pytest.approx(1 - found.value)
    assert improvement_probability([np.ones(3)], [np.zeros(3)]).low == 1.0


def test_intervals_cover_and_resample_within_games() -> None:
    random = np.random.default_rng(2)
    means = np.linspace(0, 2, 10)
    truth = float(interquartile_mean((means[:, None] + 0.3 * random.standard_normal((10, 20_000))).ravel()))
    covered = []
    for _ in range(150):
        found = aggregates([mean + 0.3 * random.standard_normal(10) for mean in means], draws=300)
        covered.append(found["interquartile mean"].low <= truth <= found["interquartile mean"].high)
    assert 0.86 <= np.mean(covered) <= 1.0  # of ten runs a game; percentile intervals of few runs are a little short
    # Games differ, runs do not: with strata nothing is left to chance.
    certain = aggregates([np.full(5, mean) for mean in means])["mean"]
    assert certain.low == pytest.approx(certain.high)


def test_what_cannot_be_aggregated_is_an_error() -> None:
    for runs, words in (([], "no games"), ([np.array([])], "game 0"), ([np.ones(2), np.array([np.nan])], "game 1")):
        with pytest.raises(ValueError, match=words):
            aggregates(runs)
    with pytest.raises(ValueError, match="1 games are compared with 2"):
        improvement_probability([np.ones(2)], [np.ones(2)] * 2)
