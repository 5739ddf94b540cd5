"""The sequential test: its likelihood ratio against formulas, its error rates by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.agents.sequential_test import SequentialTest, log_likelihood_ratio


def pairs_of(mean: float, random: np.random.Generator, pairs: int) -> np.ndarray:
    """Pairs of games with draws, whose two games depend on each other as those of one opening do."""
    luck = random.normal(size=(pairs, 1)) * 0.4
    strength = np.log(mean / (1 - mean))
    win = 1 / (1 + np.exp(-(strength + luck + random.normal(size=(pairs, 2)) * 0.1)))
    drawn = random.random((pairs, 2)) < 0.3
    scores: np.ndarray = np.where(drawn, 0.5, random.random((pairs, 2)) < win).mean(1)
    return scores


def true_mean(mean: float) -> float:
    return float(pairs_of(mean, np.random.default_rng(0), 400_000).mean())


def test_the_likelihood_ratio_of_two_results_is_the_binomial_one() -> None:
    """Where pairs are only won or lost, the mean says all, and nothing is left to be made greatest."""
    scores = [1.0] * 70 + [0.0] * 30
    wanted = 70 * np.log(0.6 / 0.5) + 30 * np.log(0.4 / 0.5)
    assert log_likelihood_ratio(scores, 0.5, 0.6) == pytest.approx(wanted, abs=2e-3)
    assert log_likelihood_ratio([1 - s for s in scores], 0.4, 0.5) == pytest.approx(-wanted, abs=2e-3)


def test_many_pairs_near_equality_are_as_the_normal_approximation_says() -> None:
    """LLR = n (s1 - s0) (2 mean - s0 - s1) / (2 variance), as fishtest and OpenBench approximate it."""
    scores = pairs_of(0.52, np.random.default_rng(3), 4000)
    wanted = 4000 * 0.02 * (2 * scores.mean() - 1.02) / (2 * scores.var())
    assert log_likelihood_ratio(scores, 0.5, 0.52) == pytest.approx(wanted, rel=0.02)


@pytest.mark.parametrize("stronger", [False, True])
def test_the_sequential_test_errs_as_rarely_as_it_says(stronger: bool) -> None:
    """200 candidates whose true share is exactly a hypothesis; looked at every 8 pairs, to the end."""
    test = SequentialTest(0.5, true_mean(0.58), 0.1)
    errors, trials, random = 0, 200, np.random.default_rng(7)
    for _ in range(trials):
        scores, verdict = np.zeros(0), None
        while verdict is None:
            scores = np.concatenate([scores, pairs_of(0.58 if stronger else 0.5, random, 8)])
            verdict = test.verdict(scores)
        errors += verdict is not stronger
    assert errors <= trials * 0.1 + 3 * np.sqrt(trials * 0.1 * 0.9)
    assert errors, "never an error: it plays far more games than it must, or the trials cannot fail"


def test_draws_alone_are_no_strength() -> None:
    assert SequentialTest(0.5, 0.55, 0.05).verdict([0.5] * 60) is False
