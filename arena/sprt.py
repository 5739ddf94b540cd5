"""Sequential probability ratio tests of matches, by pairs of games: the tests that chess engines are developed with.

A match goes on until the log-likelihood ratio (LLR) of two hypotheses, "the first agent is `elo0` stronger" and "it is
`elo1` stronger", leaves Wald's bounds `log(beta / (1 - alpha))` to `log((1 - beta) / alpha)`. Of each hypothesis the
likelihood is the greatest of all distributions of a pair's five results that obey it (generalised, "pentanomial"), as
fishtest, OpenBench and fastchess have it.

**Logistic** Elo: the mean share of the points is `s = 1 / (1 + 10^(-elo / 400))`. Draws and openings make it small, so
what one Elo costs in games depends on them.

**Normalised** Elo: the mean in units of the deviation of one game, `t = (s - 1/2) / sigma = elo ln 10 / 800`, where
`sigma^2` is twice the variance of a pair's mean share (Van den Bergh, "Comments on normalized Elo", 2021). The games
that a test takes depend on it alone. The greatest likelihood under `t` is found by repeating that under a mean: at a
distribution with mean `m` and deviation `d`, "mean - 1/2 = t d" has the derivative of the mean of
`x - 1/2 - t d (1 + ((x - m) / d)^2) / 2`, which is made 0, until the distribution no longer moves (the same, section
4; fishtest's LLRcalc).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from lanista.agents.sequential_test import UNSEEN, log_likelihood, multiplier
from lanista.errors import UsageError

Floats = NDArray[np.float64]
Model = Literal["normalized", "logistic"]

RESULTS = np.linspace(0, 1, 5)  # (5,) the share of the points that a pair can bring
NORMALISED = 800 / math.log(10)
MOST_ROUNDS = 30


@dataclass(frozen=True)
class Sprt:
    """Two hypotheses of how much stronger an agent is, and how often the test may err.

    Attributes:
        elo0: H0: it is so many Elo stronger, or fewer.
        elo1: H1: it is so many Elo stronger, or more.
        model: what an Elo is.
        alpha: how often H1 is accepted where H0 is true, at most and about.
        beta: how often H0 is accepted where H1 is true, at most and about.
    """

    elo0: float
    elo1: float
    model: Model = "normalized"
    alpha: float = 0.05
    beta: float = 0.05

    def __post_init__(self) -> None:
        """Raise UsageError where this is no test."""
        if not (math.isfinite(self.elo0) and math.isfinite(self.elo1) and self.elo0 < self.elo1):
            raise UsageError(f"a sequential test is of elo0 against a greater elo1, not {self.elo0:g},{self.elo1:g}")
        if not (0 < self.alpha < 0.5 and 0 < self.beta < 0.5):
            raise UsageError(f"alpha and beta are above 0 and under 0.5, not {self.alpha:g} and {self.beta:g}")

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the LLR: at the lower one H0 is accepted, at the upper one H1."""
        return math.log(self.beta / (1 - self.alpha)), math.log((1 - self.beta) / self.alpha)

    def ratio(self, counts: Floats | NDArray[np.int64]) -> Floats:
        """The LLR, above 0 where H1 is the likelier one.

        Args:
            counts: (..., 5) how many pairs brought the agent 0, 1/2, 1, 1 1/2, 2 points.

        Returns:
            (...,); 0 where there is no pair.
        """
        weights = np.asarray(counts, np.float64)
        none = weights.sum(axis=-1) == 0
        weights = np.maximum(weights, UNSEEN)  # what was not seen yet is not impossible
        if self.model == "logistic":
            lower, upper = (_under_mean(weights, 1 / (1 + 10 ** (-elo / 400))) for elo in (self.elo0, self.elo1))
        else:
            # Of a pair's mean, whose deviation is that of a game by the square root of 2.
            lower, upper = (_under_t(weights, math.sqrt(2) * elo / NORMALISED) for elo in (self.elo0, self.elo1))
        return np.where(none, 0.0, upper - lower)

    def verdict(self, counts: Floats | NDArray[np.int64]) -> bool | None:
        """Whether H1 is accepted, from (5,) counts as in `ratio`; None: play on."""
        least, most = self.bounds
        ratio = float(self.ratio(counts))
        return True if ratio >= most else False if ratio <= least else None


def _under_mean(weights: Floats, mean: float) -> Floats:
    """The greatest log-likelihood (...,) of distributions on the five results with this mean."""
    return log_likelihood(RESULTS - mean, weights)


def _under_t(weights: Floats, t: float) -> Floats:
    """The greatest log-likelihood (...,) of distributions on the five results with `mean - 1/2 = t deviation`."""
    shares = weights / weights.sum(axis=-1, keepdims=True)
    likeliest = np.full_like(shares, 1 / len(RESULTS))
    for _ in range(MOST_ROUNDS):
        mean = (likeliest * RESULTS).sum(axis=-1, keepdims=True)
        deviation = np.sqrt((likeliest * (RESULTS - mean) ** 2).sum(axis=-1, keepdims=True))
        away = RESULTS - 0.5 - t * deviation * (1 + ((RESULTS - mean) / deviation) ** 2) / 2
        before, likeliest = likeliest, shares / (1 + multiplier(away, shares)[..., None] * away)
        if np.abs(likeliest - before).max(initial=0) < 1e-9:
            break
    return np.asarray((weights * np.log(likeliest / shares)).sum(axis=-1))
