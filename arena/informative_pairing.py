"""Who should meet next, so that the ratings become sure with the fewest games.

**Criterion.** Bayesian A-optimal design (Chaloner and Verdinelli 1995, section 2.2), one step ahead as in the adaptive
paired comparisons of Glickman and Jensen (2005): of all pairs of games that could be played, the one that is expected
to lower the sum of the variances of all ratings, taken around their mean, the most.

**Formula.** Let `S` be the covariance of strengths and first-seat advantage given the games so far: the inverse of the
negative Hessian of the log posterior of `rating_model` at its top. The two games of one opening between `i` and `j`
have the differences `d1 = r_i - r_j + a` and `d2 = r_i - r_j - a`, whose gradients are the rows of `G`. A game with
such a `d` tells `w(d) = (win + loss - (win - loss)^2) / 4` about it (its Fisher information), of which we take the
mean over the posterior of `d`, a normal one, by Gauss-Hermite quadrature: a newcomer's rating is wide, and a game that
would be even at its mean is less so on average. With `W = diag(w(d1), w(d2))` the new covariance is
`S - S G' (W^-1 + G S G')^-1 G S` (Woodbury), so the variances around the mean fall by

    tr[(W^-1 + G S G')^-1 G M G'],  M = S C S,  C = I - 11'/n on those who are rated, 0 on the advantage.

A batch is chosen one pair of games after the other, `S` and `M` updated in between as if the former had been played:
the result decides the ratings, but hardly how sure they become. The draws' parameter is taken as known.

Games that repeat former ones say nothing: `w` is multiplied by the share that is expected to be new.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lanista.arena.rating_model import ELO, FARTHEST, Floats, Integers, RatingModel

NODES = 7  # of the quadrature: exact for polynomials of degree 13


@dataclass(frozen=True)
class Plan:
    """What to play.

    Attributes:
        pairs: (b, 2) indices of who should meet, the lesser first, the most telling first.
        gains: (b,) the share of the sum of all variances that a pair of games of each is expected to take away.
        deviation: of the ratings now, in Elo: the root of the mean variance around their mean.
    """

    pairs: Integers
    gains: Floats
    deviation: float


def plan_pairs(
    players: int,
    who: Integers,
    cells: Floats,
    batch: int,
    *,
    each: int = 1,
    fresh: Floats | None = None,
    active: NDArray[np.bool_] | None = None,
) -> Plan:
    """The pairs of games that should be played next.

    Args:
        players: how many are rated, at least two.
        who, cells: what was played, as `RatingModel` takes it.
        batch: how many to name, at least one; one may be named again.
        each: how many pairs of games each named one stands for.
        fresh: (p, p) the share of each two's next games that will differ from former ones; None is 1.
        active: (p,) who may play, and whose ratings matter; None is everyone. At least two.
    """
    model = RatingModel(players, who, cells, {})
    top = model.top()
    taking = np.ones(players, bool) if active is None else active
    covariance = np.asarray(np.linalg.inv(model.curvature(top)), np.float64)
    design = _Design(covariance[: players + 1, : players + 1], top, taking)
    worth = design.expected_information() * (1.0 if fresh is None else fresh)
    before = design.total
    worth = worth * each
    pairs, gains = np.zeros((batch, 2), np.int64), np.zeros(batch)
    for number in range(batch):
        gain = design.gains(worth)
        best = int(gain.argmax())
        one, other = divmod(best, players)
        pairs[number], gains[number] = (one, other), gain[one, other] / before / each
        design.play(one, other, worth[:, one, other])
    scale = ELO * 2 / (2 + float(np.exp(top[-1])))
    return Plan(pairs, gains, scale * float(np.sqrt(before / taking.sum())))


class _Design:
    """The covariance `S` and `M = S C S`, and what pairs of games would do to them."""

    def __init__(self, covariance: Floats, top: Floats, active: NDArray[np.bool_]) -> None:
        self._players = len(active)
        self._cov = covariance.copy()  # (p + 1, p + 1)
        self._top = top
        self._nu = float(np.exp(top[-1]))
        self._centre = np.zeros_like(covariance)
        chosen = np.flatnonzero(active)
        self._centre[np.ix_(chosen, chosen)] = np.eye(len(chosen)) - 1 / len(chosen)
        self._moment = self._cov @ self._centre @ self._cov
        # A matchup is named once, and only of those who take part.
        self._open = np.triu(active[:, None] & active[None], 1)

    @property
    def total(self) -> float:
        """The sum of the variances around the mean, in natural units."""
        return float((self._cov * self._centre).sum())

    def _forms(self, matrix: Floats) -> tuple[Floats, Floats, Floats]:
        """(p, p) each: of all matchups the quadratic form of `d1` with itself, of `d2` with itself, of both."""
        players = self._players
        inner, beside = matrix[:players, :players], matrix[:players, players]
        diagonal = np.diag(inner)
        gap = diagonal[:, None] + diagonal[None] - 2 * inner
        cross = 2 * (beside[:, None] - beside[None])
        corner = matrix[players, players]
        return gap + cross + corner, gap - cross + corner, gap - corner

    def expected_information(self) -> Floats:
        """(2, p, p) the mean over the posterior of what a game tells of its `d`; of `d1` and `d2` of each matchup."""
        first, second, _ = self._forms(self._cov)
        strengths, advantage = self._top[: self._players], self._top[self._players]
        gap = strengths[:, None] - strengths[None]
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        found = np.zeros((2, *gap.shape))
        for node, weight in zip(nodes, weights / weights.sum(), strict=True):
            for game, (mean, variance) in enumerate(((gap + advantage, first), (gap - advantage, second))):
                half = np.clip((mean + node * np.sqrt(np.maximum(variance, 0))) / 2, -FARTHEST, FARTHEST)
                win, loss = np.exp(half), np.exp(-half)
                whole = win + loss + self._nu
                found[game] += weight * 0.25 * ((win + loss) / whole - ((win - loss) / whole) ** 2)
        return found

    def gains(self, worth: Floats) -> Floats:
        """(p, p) by how much a pair of games would lower the sum of variances; -1 where it cannot be played.

        Args:
            worth: (2, p, p) the information of the two games.
        """
        one, two, both = self._forms(self._cov)
        moment_one, moment_two, moment_both = self._forms(self._moment)
        spread = 1 / np.maximum(worth, 1e-300)
        a, b = spread[0] + one, spread[1] + two
        # The trace of a product with the inverse of [[a, both], [both, b]].
        gain = (b * moment_one + a * moment_two - 2 * both * moment_both) / (a * b - both**2)
        found: Floats = np.where(self._open, gain, -1.0)
        return found

    def play(self, one: int, other: int, worth: Floats) -> None:
        """Become as sure as after a pair of games of these two.

        Args:
            one, other: indices of who meets.
            worth: (2,) the information of the two games.
        """
        rows = np.zeros((2, self._players + 1))
        rows[:, one], rows[:, other], rows[:, -1] = 1, -1, (1, -1)
        across = self._cov @ rows.T  # (p + 1, 2)
        kernel = np.linalg.inv(np.diag(1 / np.maximum(worth, 1e-300)) + rows @ across)
        centred = self._cov @ (self._centre @ across)
        inner = across.T @ self._centre @ across
        step = across @ kernel @ centred.T
        self._moment += across @ (kernel @ inner @ kernel) @ across.T - step - step.T
        self._cov -= across @ kernel @ across.T
