"""A sequential test of who is stronger: after every pair of games it says one, the other, or play on.

The generalised sequential probability ratio test on pairs, as chess engines are tested (fishtest, OpenBench, fastchess;
there "pentanomial", since a pair of games with wins, draws and losses has five results). A pair is one observation,
because its games share an opening. Nothing is assumed of the pairs' distribution: for each hypothesis, "the mean is
s", its likelihood is the greatest of all distributions on the results seen that have this mean (Van den Bergh 2019,
"The generalized maximum likelihood ratio for the expectation value of a distribution"). The bounds are Wald's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

# So much of a pair with either extreme result is added, so that a mean that was not seen has a likelihood.
UNSEEN = 1e-3


@dataclass(frozen=True)
class SequentialTest:
    """Two hypotheses of an agent's share of the points, and how often the test may err.

    Attributes:
        lower: "it is no stronger": its share is this, or less.
        upper: "it is stronger": its share is this, or more.
        error: how often, at most and about, either is taken for the other where it is true.
    """

    lower: float
    upper: float
    error: float

    def verdict(self, scores: Sequence[float] | NDArray[np.float64]) -> bool | None:
        """Whether the agent is stronger; None: play on.

        Args:
            scores: (pairs,) its share of the points of each pair, in [0, 1].
        """
        ratio = log_likelihood_ratio(scores, self.lower, self.upper)
        bound = math.log((1 - self.error) / self.error)
        return None if abs(ratio) < bound else ratio > 0


def log_likelihood_ratio(scores: Sequence[float] | NDArray[np.float64], lower: float, upper: float) -> float:
    """The logarithm of how much likelier these pairs are if the mean share is `upper` than if it is `lower`.

    Args:
        scores: (pairs,) shares of the points in [0, 1].
        lower, upper: means, inside of (0, 1).
    """
    results, counts = np.unique(np.concatenate([scores, [0.0, 1.0]]), return_counts=True)
    weights = counts.astype(np.float64)
    weights[[0, -1]] += UNSEEN - 1
    return _log_likelihood(results, weights, upper) - _log_likelihood(results, weights, lower)


def _log_likelihood(results: NDArray[np.float64], weights: NDArray[np.float64], mean: float) -> float:
    """The greatest log-likelihood of all distributions with this mean, that of the seen frequencies left out.

    With frequencies `f` it is reached at `p = f / (1 + t (result - mean))`, where `t` solves `sum(p (result - mean)) =
    0` (a Lagrange multiplier); the sum falls with `t` from + to - infinity where all `p` are positive.
    """
    away, shares = results - mean, weights / weights.sum()
    least, most = -1 / away.max(), -1 / away.min()
    margin = 1e-9 * (most - least)
    at = brentq(lambda t: float((shares * away / (1 + t * away)).sum()), least + margin, most - margin)
    return -float((weights * np.log1p(at * away)).sum())
