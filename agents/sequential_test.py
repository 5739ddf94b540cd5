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

Floats = NDArray[np.float64]

# So much of a pair with either extreme result is added, so that a mean that was not seen has a likelihood.
UNSEEN = 1e-3
MOST_STEPS = 100


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

    def verdict(self, scores: Sequence[float] | Floats) -> bool | None:
        """Whether the agent is stronger; None: play on.

        Args:
            scores: (pairs,) its share of the points of each pair, in [0, 1].
        """
        ratio = log_likelihood_ratio(scores, self.lower, self.upper)
        bound = math.log((1 - self.error) / self.error)
        return None if abs(ratio) < bound else ratio > 0


def log_likelihood_ratio(scores: Sequence[float] | Floats, lower: float, upper: float) -> float:
    """The logarithm of how much likelier these pairs are if the mean share is `upper` than if it is `lower`.

    Args:
        scores: (pairs,) shares of the points in [0, 1].
        lower, upper: means, inside of (0, 1).
    """
    results, counts = np.unique(np.concatenate([scores, [0.0, 1.0]]), return_counts=True)
    weights = counts.astype(np.float64)
    weights[[0, -1]] += UNSEEN - 1
    return float(log_likelihood(results - upper, weights) - log_likelihood(results - lower, weights))


def log_likelihood(away: Floats, weights: Floats) -> Floats:
    """The greatest log-likelihood of all distributions in which `away` has the mean 0, that of the seen ones left out.

    With frequencies `f` it is reached at `p = f / (1 + t away)`; see `multiplier`.

    Args:
        away: (..., r) what each result is away from the mean of the hypothesis.
        weights: (..., r) how often it was seen, more than 0.
    """
    at = multiplier(away, weights)
    return -np.asarray((weights * np.log1p(at[..., None] * away)).sum(axis=-1))


def multiplier(away: Floats, weights: Floats) -> Floats:
    """The Lagrange multiplier `t` (...,) at which `p = f / (1 + t away)` has the mean `sum(p away) = 0`.

    The sum falls with `t` from + to - infinity where all `p` are positive, so Newton's steps are kept between the two
    nearest `t` of either sign, and halve their distance where they would leave it.

    Args:
        away: (..., r) of both signs in each last axis.
        weights: (..., r), more than 0.
    """
    shares = weights / weights.sum(axis=-1, keepdims=True)
    away = np.broadcast_to(away, shares.shape)
    least, most = -1 / away.max(axis=-1), -1 / away.min(axis=-1)
    at = np.zeros(shares.shape[:-1])  # inside, since `away` has both signs
    for _ in range(MOST_STEPS):
        parts = away / (1 + at[..., None] * away)
        height, slope = (shares * parts).sum(axis=-1), -(shares * parts**2).sum(axis=-1)
        least, most = np.where(height > 0, at, least), np.where(height < 0, at, most)
        step = at - height / slope
        following = np.where((step > least) & (step < most), step, (least + most) / 2)
        moved = np.abs(following - at) > 1e-10 * (1 + np.abs(at))
        at = following
        if not moved.any():
            break
    return at
