"""Ratings of games between two: one batch Bradley-Terry fit with draws and first-move advantage, and honest intervals.

**Model** (Davidson 1970; the order effect as Davidson and Beaver 1977). Strengths `r`, the first seat's advantage `a`
and the draw parameter `nu` give, with `d = r_first - r_second + a`, the chances

    win : draw : loss  =  exp(d / 2) : nu : exp(-d / 2).

It is a multinomial logit, so the likelihood is concave and Newton's method finds its only top, whatever the order of
the games. One point of Elo is `400 / ln 10 * 2 / (2 + nu)` of `d`: near equality it means as much of the score as
without draws (as BayesElo scales it), so 400 Elo are a score of .91 at any share of draws.

**Prior**, weak, in the same units: strengths normal, so that a score of 100 % has a finite rating, with a variance that
is learnt from the pool (empirical Bayes): `(4 * 2**2 + sum of E[r**2]) / (4 + players)`, so that a small pool has a
deviation near 2 (350 Elo); the advantage Student-t with 2 degrees of freedom and scale 1/2, since most games have
little of it and some very much; log nu normal around -1 with deviation 1.5.

**Anchors** are held at their Elo and have no interval; everyone else is rated on the scale they span.

**Intervals** are quantiles of draws from the posterior by Hamiltonian Monte Carlo, which at five pairs and lopsided
scores is far from normal. The draws are then stretched so that their covariance is the sandwich `H^-1 J H^-1` instead
of `H^-1` (the open-faced sandwich of Shaby 2014): `J` is how much the *pairs* really vary, since the two games of one
opening are one observation, drawn towards what the model expects where pairs are few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lanista.arena.rating_model import ELO, Floats, RatingModel

MISSING = 3  # in a cell: the pair's game was not played, void, or a repetition
RESULTS = (1.0, 0.5, 0.0)


@dataclass(frozen=True)
class Pair:
    """The two games of one opening: one observation.

    Attributes:
        one, other: who played.
        as_first, as_second: the points of `one` (1, 1/2, 0) in the game in which it sat first, and in the other;
            None for a game that was not played or does not count.
    """

    one: str
    other: str
    as_first: float | None
    as_second: float | None


@dataclass(frozen=True)
class Tally:
    """How often the pairs of each matchup ended how.

    Attributes:
        names: sorted.
        who: (m, 2) indices of those who met, the lesser first.
        cells: (m, 4, 4) how often the first of them did what in the game in which it sat first (win, draw, loss,
            missing), and in the other.
    """

    names: tuple[str, ...]
    who: NDArray[np.int64]
    cells: Floats


@dataclass(frozen=True)
class Ratings:
    """The outcome of a fit.

    Attributes:
        names: who was rated, sorted.
        elo, low, high: (p,) ratings with their intervals; their mean is 0 unless anchors say where they are.
        advantage: the first seat's advantage in Elo, with its interval.
        draw_share: of draws between equals who have no advantage.
        samples: (samples, p) draws of all ratings from the posterior.
    """

    names: tuple[str, ...]
    elo: Floats
    low: Floats
    high: Floats
    advantage: tuple[float, float, float]
    draw_share: float
    samples: Floats = field(repr=False)

    def superiority(self, one: str, other: str) -> float:
        """How likely it is that `one` is stronger than `other`."""
        difference = self.samples[:, self.names.index(one)] - self.samples[:, self.names.index(other)]
        return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def rate(
    pairs: Sequence[Pair] | Tally,
    names: Sequence[str],
    *,
    anchors: Mapping[str, float] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Ratings:
    """Rate everyone at once. Neither the order of the pairs nor that of the names matters, to the last bit.

    Args:
        pairs: what was played, or its tally, of the same names.
        names: who is to be rated; those without a game too, at what the prior says.
        anchors: name -> the Elo at which it is held, of some of the names; the others are rated on their scale.
        level: the intervals hold the truth in this share of tournaments.
        seed: of the draws from the posterior.

    Raises:
        ValueError: a name comes twice, a pair or an anchor names someone else, or an anchor's rating is not finite.
    """
    ordered, held = tuple(sorted(names)), dict(anchors or {})
    if len(set(ordered)) < len(ordered):
        raise ValueError("a name is to be rated twice")
    for name, exactly in held.items():
        if name not in ordered:
            raise ValueError(f"the anchor '{name}' is not to be rated")
        if not math.isfinite(exactly):
            raise ValueError(f"the anchor '{name}' cannot be held at {exactly}")
    # The strengths' prior is around 0, so the anchors are held around it too.
    middle = math.fsum(held.values()) / len(held) if held else 0.0
    tallied = pairs if isinstance(pairs, Tally) else tally(pairs, ordered)
    if tallied.names != ordered:
        raise ValueError("the tally is of other names than are to be rated")
    model = RatingModel(
        len(ordered), tallied.who, tallied.cells, {ordered.index(name): elo - middle for name, elo in held.items()}
    )
    top = model.top()
    samples = model.sample(top, np.random.default_rng(seed))
    ratings, advantages = _in_elo(samples, len(ordered), not held)
    elo, advantage = _in_elo(top[None], len(ordered), not held)
    for name, exactly in held.items():
        ratings[:, ordered.index(name)] = elo[:, ordered.index(name)] = exactly - middle
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(ratings + middle, tails, axis=0)
    least, most = np.quantile(advantages, tails)
    nu = math.exp(top[-1])
    return Ratings(
        ordered,
        elo[0] + middle,
        low,
        high,
        (float(advantage[0]), float(least), float(most)),
        nu / (2 + nu),
        ratings + middle,
    )


def _in_elo(thetas: Floats, players: int, around_mean: bool) -> tuple[Floats, Floats]:
    """Ratings, around their mean if so, and the advantage, both in Elo, of parameters (s, players + 2)."""
    scale = ELO * 2 / (2 + np.exp(thetas[:, -1]))
    strengths = thetas[:, :players]
    if players and around_mean:
        strengths = strengths - strengths.mean(axis=1, keepdims=True)
    return strengths * scale[:, None], thetas[:, players] * scale


def tally(pairs: Sequence[Pair], names: tuple[str, ...]) -> Tally:
    """Count the pairs of each matchup by outcome.

    Args:
        pairs: what was played.
        names: of all who played, sorted.

    Raises:
        ValueError: a pair names someone else.
    """
    index = {name: number for number, name in enumerate(names)}
    cells: dict[tuple[int, int], Floats] = {}
    for pair in pairs:
        try:
            one, other = index[pair.one], index[pair.other]
        except KeyError as error:
            raise ValueError(f"a pair names {error}, who is not to be rated") from None
        first, second = _cell(pair.as_first), _cell(pair.as_second)
        if one > other:
            one, other, first, second = other, one, _turned(second), _turned(first)
        if first == second == MISSING:
            continue
        cells.setdefault((one, other), np.zeros((4, 4)))[first, second] += 1
    who = sorted(cells)
    counts = np.array([cells[each] for each in who]) if who else np.zeros((0, 4, 4))
    return Tally(names, np.array(who, np.int64).reshape(-1, 2), counts)


def _cell(points: float | None) -> int:
    return MISSING if points is None else RESULTS.index(points)


def _turned(cell: int) -> int:
    """The same result as the opponent sees it."""
    return cell if cell == MISSING else 2 - cell


@dataclass(frozen=True)
class Score:
    """A share of the points with its interval, each in [0, 1], and how likely it is above one half."""

    score: float
    low: float
    high: float
    superiority: float
    pairs: int


def pair_score(pairs: Sequence[Pair], name: str, *, level: float = 0.95, seed: int = 0) -> Score:
    """The share of the points that one contestant takes from its opponents.

    The interval is that of a Dirichlet posterior over what a pair of games can bring (0, 1/2, 1, 3/2, 2 points; the
    "pentanomial"), whose prior counts as one pair, a fifth for each outcome. Pairs with one game alone tell nothing
    of this and are left out.

    Args:
        pairs: what was played.
        name: whose points.
        level: of the interval.
        seed: of the draws from the posterior.
    """
    counts = np.zeros(5)
    for pair in pairs:
        if pair.as_first is None or pair.as_second is None or name not in (pair.one, pair.other):
            continue
        points = pair.as_first + pair.as_second
        counts[round(2 * (points if pair.one == name else 2 - points))] += 1
    shares = np.linspace(0, 1, 5)
    draws = np.random.default_rng(seed).dirichlet(counts + 0.2, 20_000) @ shares
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    total = counts.sum()
    score = float(counts @ shares / total) if total else 0.5
    superior = float((draws > 0.5).mean() + 0.5 * (draws == 0.5).mean())
    return Score(score, min(float(low), score), max(float(high), score), superior, int(total))
