"""Scores over many games and runs in one number, as Agarwal et al. 2021 ("Deep Reinforcement Learning at the Edge of
the Statistical Precipice") advise: interquartile means and probabilities of improvement, with stratified intervals.

Scores of a game must be normalised, as to a person's or an optimum's, or games with large scores are all that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, trim_mean

Floats = NDArray[np.float64]
DRAWS = 2000
MOST_DRAWN = 20_000_000  # numbers that one bootstrap draws, at about so many fewer draws of many scores
BLOCK = 2**18  # numbers that are drawn at once


@dataclass(frozen=True)
class Aggregate:
    """A number with its 95 % interval: the percentiles of a bootstrap over the runs of each game."""

    value: float
    low: float
    high: float


def interquartile_mean(scores: Floats) -> Floats:
    """(...) the mean of the middle half of scores (..., s)."""
    return np.asarray(trim_mean(scores, 0.25, axis=-1))


def optimality_gap(scores: Floats, optimum: float = 1.0) -> Floats:
    """(...) how far scores (..., s) fall short of an optimum on average; what lies above it makes up for nothing."""
    short: Floats = optimum - np.minimum(scores, optimum).mean(axis=-1)
    return short


MEASURES: Mapping[str, Callable[[Floats], Floats]] = {
    "interquartile mean": interquartile_mean,
    "median": lambda scores: np.median(scores, axis=-1),
    "mean": lambda scores: scores.mean(axis=-1),
    "optimality gap": optimality_gap,
}


def aggregates(runs: Sequence[Floats], *, draws: int = DRAWS, seed: int = 0) -> dict[str, Aggregate]:
    """All measures of one agent's scores.

    Args:
        runs: of each game the normalised scores of its runs, (r,) each, at least one.
        draws: of the bootstrap.
        seed: of its draws.

    Raises:
        ValueError: there is no game, a game has no run, or a score is not finite.
    """
    _check(runs)
    random = np.random.default_rng(seed)
    together = np.concatenate([_drawn(scores, draws, random) for scores in runs], axis=1)  # (draws, all runs)
    whole = np.concatenate(runs)
    return {name: _aggregate(float(measure(whole)), measure(together)) for name, measure in MEASURES.items()}


def improvement_probability(
    runs: Sequence[Floats], baseline: Sequence[Floats], *, draws: int = DRAWS, seed: int = 0
) -> Aggregate:
    """How likely a run of the one scores more than a run of the other, on a game drawn at random; equals count a half.

    Args:
        runs: of each game the scores of its runs, (r,) each.
        baseline: of the same games, (q,) each.
        draws: of the bootstrap.
        seed: of its draws.

    Raises:
        ValueError: as `aggregates`, or the two have different numbers of games.
    """
    _check(runs)
    _check(baseline)
    if len(runs) != len(baseline):
        raise ValueError(f"{len(runs)} games are compared with {len(baseline)}")
    random = np.random.default_rng(seed)
    games = list(zip(runs, baseline, strict=True))
    value = np.mean([_above(mine[None], other[None])[0] for mine, other in games])
    drawn = [_above(_drawn(mine, draws, random), _drawn(other, draws, random)) for mine, other in games]
    return _aggregate(float(value), np.mean(drawn, axis=0))


def _above(mine: Floats, other: Floats) -> Floats:
    """(d,) the share of all comparisons of scores (d, r) with scores (d, q) that the first win: Mann and Whitney's."""
    ranks = rankdata(np.concatenate([mine, other], axis=1), axis=1)[:, : mine.shape[1]].sum(axis=1)
    few = mine.shape[1]
    shares: Floats = (ranks - few * (few + 1) / 2) / (few * other.shape[1])
    return shares


def _drawn(scores: Floats, draws: int, random: np.random.Generator) -> Floats:
    """(draws, r) of the runs of one game, with replacement."""
    drawn: Floats = scores[random.integers(len(scores), size=(draws, len(scores)))]
    return drawn


def _aggregate(value: float, drawn: Floats) -> Aggregate:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Aggregate(value, float(low), float(high))


def _check(runs: Sequence[Floats]) -> None:
    if not runs:
        raise ValueError("there are no games to aggregate")
    for number, scores in enumerate(runs):
        if np.ndim(scores) != 1 or not len(scores) or not np.isfinite(scores).all():
            raise ValueError(f"game {number} needs at least one run, and each run one finite score")


def drawn_means(sums: Floats, counts: Floats, *, draws: int = DRAWS, seed: int = 0) -> Floats:
    """Means over observations that come in groups, by drawing whole groups with replacement.

    Args:
        sums: (g, p) of each group's observations of each of p kinds.
        counts: (g, p) how many these are; of each kind there is one somewhere.
        draws: of the bootstrap; fewer where there are very many groups, and at least 200.
        seed: of its draws.

    Returns:
        (draws, p); where a draw has no observation of a kind, the mean of all.
    """
    random = np.random.default_rng(seed)
    groups = len(sums)
    whole = sums.sum(axis=0) / counts.sum(axis=0)
    found = []
    for _ in range(max(200, min(draws, MOST_DRAWN // groups))):
        times = np.bincount(random.integers(groups, size=groups), minlength=groups).astype(np.float64)
        many = times @ counts
        found.append(np.where(many > 0, (times @ sums) / np.maximum(many, 1), whole))
    return np.array(found)


def mean_interval(sums: Floats, counts: Floats, *, draws: int = DRAWS, seed: int = 0) -> Aggregate:
    """A mean over observations that come in groups, (g,) as of `drawn_means`, with its interval."""
    drawn = drawn_means(sums[:, None], counts[:, None], draws=draws, seed=seed)
    return _aggregate(float(sums.sum() / counts.sum()), drawn[:, 0])


def superiority(drawn: Floats, one: int, other: int) -> float:
    """How likely the one mean is above the other, of `drawn_means`; equals count half."""
    return float((drawn[:, one] > drawn[:, other]).mean() + 0.5 * (drawn[:, one] == drawn[:, other]).mean())


def mean_aggregates(sums: Floats, counts: Floats, drawn: Floats) -> list[Aggregate]:
    """The mean of each kind with its interval, of the same groups as `drawn_means`."""
    values = (sums.sum(axis=0) / counts.sum(axis=0)).tolist()
    return [_aggregate(value, drawn[:, kind]) for kind, value in enumerate(values)]


def score_aggregates(scores: Floats, *, draws: int = DRAWS, seed: int = 0) -> tuple[Aggregate, Aggregate]:
    """Mean and interquartile mean of one game's scores (s,), with intervals by drawing scores."""
    random = np.random.default_rng(seed)
    several, together = max(200, min(draws, MOST_DRAWN // len(scores))), max(1, BLOCK // len(scores))
    means, middles = list[Floats](), list[Floats]()
    for first in range(0, several, together):
        taken = _drawn(scores, min(together, several - first), random)
        means.append(taken.mean(axis=1))
        middles.append(interquartile_mean(taken))
    return (
        _aggregate(float(scores.mean()), np.concatenate(means)),
        _aggregate(float(interquartile_mean(scores)), np.concatenate(middles)),
    )


def paired_improvement(scores: Floats, baseline: Floats, *, draws: int = DRAWS, seed: int = 0) -> Aggregate:
    """How often one scores more than the other on the same seed, equals counting half; by drawing seeds.

    Args:
        scores, baseline: (s,) of the same seeds, at least one.
        draws: of the bootstrap.
        seed: of its draws.
    """
    ahead = np.where(scores > baseline, 1.0, np.where(scores == baseline, 0.5, 0.0))
    return mean_interval(ahead, np.ones(len(ahead)), draws=draws, seed=seed)
