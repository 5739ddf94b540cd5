"""Who is best where nobody need be: scores between contestants as a game, real cycles, alpha-rank, Nash averaging.

One rating for each contestant supposes that strength is one number. Where some beat each other in a circle it is not,
and these say so. All are functions of what pairs of games brought, and all but `find_cycles` of `score_matrix`.

**Cycles**. The pool is transitive if some order has everyone take at least half of the points from all below. Every
circle of contestants goes against that order somewhere, and one that goes against it between neighbours alone must do
so twice. So if of the `(n - 1)(n - 2) / 2` others each is shown by an exact sign-flip test at its share of alpha, a
transitive pool shows a circle in at most alpha of all tournaments, whatever the order is.

**Alpha-rank** (Omidshafiei et al. 2019, "alpha-Rank: Multi-Agent Evaluation by Evolution"): the share of time that a
population spends as each contestant if a mutant that scores more against it takes over; here of one population, with
infinite selection as in Rowland et al. 2019, "Multiagent Evaluation under Incomplete Information".

**Nash averaging** (Balduzzi et al. 2018, "Re-evaluating Evaluation"): the mixture of contestants that no one scores
above a half against; of several, that of the greatest entropy, so that copies of a contestant share its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog, minimize
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path
from scipy.special import logsumexp
from scipy.stats import binom

from lanista.arena.rating_model import Floats
from lanista.arena.ratings import Pair, Tally

Counts = NDArray[np.int64]

ALPHA = 0.05
OUTCOMES = np.linspace(0.0, 1.0, 5)  # shares of the points that a pair of games can bring
PRIOR = 0.2  # pairs of each outcome, as in `pair_score`
DRAWS, LEAST_DRAWS, MOST_CELLS = 1000, 100, 1_000_000
SHOWN_CYCLES = 10
LOST = np.add.outer(np.arange(3), np.arange(3)).ravel()  # half points that a pair's cell (win, draw, loss) leaves out


@dataclass(frozen=True)
class Cycle:
    """Contestants of whom each beats the next, and the last the first.

    Attributes:
        names: from the first of their names on.
        scores: the share of the points that each takes from the next, in [0, 1].
        p_value: the greatest of the cycle's edges.
    """

    names: tuple[str, ...]
    scores: tuple[float, ...]
    p_value: float


@dataclass(frozen=True)
class Cycles:
    """What a test for cycles found.

    Attributes:
        found: the surest cycles at the level that was asked for, surest first; empty if none is real.
        p_value: of the pool being transitive, in [0, 1].
    """

    found: tuple[Cycle, ...]
    p_value: float


@dataclass(frozen=True)
class Place:
    """A contestant's place in a mixture.

    Attributes:
        name: the contestant.
        alpha_rank, alpha_rank_low, alpha_rank_high: the share of time, in [0, 1]: the mean over what the scores may
            be, and the 95 % interval.
        nash, nash_low, nash_high: the weight in the Nash mixture of the scores as they are, and the 95 % interval.
        against_nash: the share of the points that it takes from that mixture: at most 1/2.
    """

    name: str
    alpha_rank: float
    alpha_rank_low: float
    alpha_rank_high: float
    nash: float
    nash_low: float
    nash_high: float
    against_nash: float


def pair_counts(pairs: Sequence[Pair] | Tally, names: Sequence[str]) -> Counts:
    """How often a pair of games brought which share of the points; pairs with one game alone are left out.

    Args:
        pairs: what was played, or its tally; those with someone else than the names are left out too.
        names: of the contestants.

    Returns:
        (n, n, 5): the row's contestant took 0, 1/4, ... 1 of the points from the column's.
    """
    index = {name: number for number, name in enumerate(names)}
    counts = np.zeros((len(names), len(names), 5), np.int64)
    if isinstance(pairs, Tally):
        for (first, second), cells in zip(pairs.who.tolist(), pairs.cells, strict=True):
            if pairs.names[first] in index and pairs.names[second] in index:
                one, other = index[pairs.names[first]], index[pairs.names[second]]
                lost = np.bincount(LOST, cells[:3, :3].ravel(), 5).astype(np.int64)  # by how many halves the first lost
                counts[one, other] += lost[::-1]
                counts[other, one] += lost
        return counts
    for pair in pairs:
        if pair.as_first is None or pair.as_second is None or pair.one not in index or pair.other not in index:
            continue
        one, other, quarters = index[pair.one], index[pair.other], round(2 * (pair.as_first + pair.as_second))
        counts[one, other, quarters] += 1
        counts[other, one, 4 - quarters] += 1
    return counts


def met_all(counts: Counts) -> bool:
    """Whether each two of the contestants played a whole pair of games; without that there is no matrix of scores."""
    return bool((counts.sum(axis=2) + np.eye(len(counts)) > 0).all())


def score_matrix(counts: Counts) -> Floats:
    """(n, n) the share of the points that the row's contestant took from the column's; 1/2 where nothing was played."""
    played = counts.sum(axis=2)
    scores: Floats = np.where(played > 0, counts @ OUTCOMES / np.maximum(played, 1), 0.5)
    return scores


def drawn_matrices(counts: Counts, draws: int = DRAWS, seed: int = 0) -> Floats:
    """What the scores may be: a Bayesian bootstrap over pairs (Rubin 1981), a Dirichlet posterior for each matchup.

    Its prior counts as one pair, a fifth of it for each outcome, since a plain bootstrap of few pairs, or of a score of
    100 %, knows no doubt.

    Returns:
        (draws, n, n)
    """
    upper, column = np.triu_indices(len(counts), 1)
    shares = np.random.default_rng(seed).standard_gamma(counts[upper, column] + PRIOR, (draws, len(upper), 5))
    scores = shares @ OUTCOMES / shares.sum(axis=2)
    matrices = np.full((draws, len(counts), len(counts)), 0.5)
    matrices[:, upper, column] = scores
    matrices[:, column, upper] = 1 - scores
    return matrices


def sign_flip_p_values(counts: Counts) -> Floats:
    """How often equals would take so many points: exact, of all ways to turn each pair of games around.

    Args:
        counts: (..., 5) pairs by the share of the points.

    Returns:
        (...) one-sided p-values of taking more than half.
    """
    halves = counts[..., 0] + counts[..., 4]  # pairs that are half a point from even
    quarters = counts[..., 1] + counts[..., 3]
    above = counts @ np.array([-2, -1, 0, 1, 2])  # quarters of a point above even
    most = int(quarters.max(initial=0))
    p_values = np.zeros(above.shape)
    for ups in range(most + 1):  # of the pairs a quarter from even, so many are turned up
        needed = np.ceil((above - (2 * ups - quarters)) / 4 + halves / 2)  # of those half a point from even
        p_values += binom.pmf(ups, quarters, 0.5) * binom.sf(needed - 1, halves, 0.5)
    return np.minimum(p_values, 1.0)


def find_cycles(counts: Counts, names: Sequence[str], alpha: float = ALPHA) -> Cycles:
    """Find circles of contestants who beat each other for real.

    Args:
        counts: (n, n, 5) as of `pair_counts`.
        names: of the contestants.
        alpha: the share of tournaments of transitive pools in which a cycle is reported, at most.
    """
    players = len(names)
    if players < 3:
        return Cycles((), 1.0)
    p_values = sign_flip_p_values(counts)
    np.fill_diagonal(p_values, 1.0)
    tests = (players - 1) * (players - 2) / 2
    levels = np.unique(p_values[p_values < 0.5])
    least, most = 0, len(levels)  # the first level at which the edges make a circle
    while least < most:
        middle = (least + most) // 2
        if _circular(p_values <= levels[middle]):
            most = middle
        else:
            least = middle + 1
    pool = 1.0 if least == len(levels) else min(1.0, float(levels[least]) * tests)
    if pool > alpha:
        return Cycles((), pool)
    scores = score_matrix(counts)
    found = {}
    for circle in _circles(p_values <= alpha / tests):
        edges = list(zip(circle, circle[1:] + circle[:1], strict=True))
        found[circle] = Cycle(
            tuple(names[player] for player in circle),
            tuple(float(scores[edge]) for edge in edges),
            max(float(p_values[edge]) for edge in edges),
        )
    surest = sorted(found.values(), key=lambda cycle: (cycle.p_value, len(cycle.names), cycle.names))
    return Cycles(tuple(surest[:SHOWN_CYCLES]), pool)


def _circular(beats: NDArray[np.bool_]) -> bool:
    """Whether edges (n, n) make a circle."""
    parts, _ = connected_components(csr_array(beats), directed=True, connection="strong")
    return bool(parts < len(beats))


def _circles(beats: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """For each edge (n, n) that is part of a circle, a shortest one; each from its least number on."""
    distances, before = shortest_path(csr_array(beats), unweighted=True, return_predecessors=True)
    circles = set()
    for winner, loser in zip(*np.nonzero(beats & np.isfinite(distances.T)), strict=True):
        path = [int(winner)]
        while path[-1] != loser:
            path.append(int(before[loser, path[-1]]))
        path = path[::-1]  # from the loser on to the winner, who beats it
        start = path.index(min(path))
        circles.add(tuple(path[start:] + path[:start]))
    return sorted(circles)


def alpha_rank(scores: Floats, *, alpha: float | None = None, population: int = 50, noise: float = 1e-4) -> Floats:
    """The share of time that an evolving population spends as each contestant.

    Args:
        scores: (..., n, n) the payoff of the row's contestant against the column's; at least two contestants.
        alpha: the strength of selection; None for its limit, in which whatever scores more takes over.
        population: how many individuals, with a finite alpha.
        noise: with alpha at its limit, the chance that what scores less takes over.

    Returns:
        (..., n) shares that sum to 1.
    """
    players = scores.shape[-1]
    ahead = np.swapaxes(scores, -1, -2) - scores  # how much the mutant (column) scores above the resident (row)
    if alpha is None:
        fixation = np.where(np.abs(ahead) < 1e-14, 0.5, np.where(ahead > 0, 1 - noise, noise))
    else:
        lead = np.clip(alpha * ahead, -500 / population, None)
        even = np.abs(lead) < 1e-12
        safe = np.where(even, 1.0, lead)
        fixation = np.where(even, 1 / population, np.expm1(-safe) / np.expm1(-population * safe))
    steps = fixation / (players - 1)
    diagonal = np.arange(players)
    steps[..., diagonal, diagonal] = 0
    steps[..., diagonal, diagonal] = -steps.sum(axis=-1)
    # The stationary distribution: pi @ steps = 0, and the last of these equations is that pi sums to 1.
    system = np.swapaxes(steps, -1, -2).copy()
    system[..., -1, :] = 1
    wanted = np.zeros((*system.shape[:-1], 1))
    wanted[..., -1, 0] = 1
    found = np.clip(np.linalg.solve(system, wanted)[..., 0], 0, None)
    shares: Floats = found / found.sum(axis=-1, keepdims=True)
    return shares


def nash_average(scores: Floats) -> Floats:
    """The Nash mixture of the greatest entropy.

    Args:
        scores: (n, n) of the row's contestant against the column's, in [0, 1]; of each two they sum to 1.

    Returns:
        (n,) weights that sum to 1.
    """
    payoffs = scores - scores.T
    players = len(payoffs)
    # All who are in some Nash mixture: the most u <= 1 that fit below a mixture of any scale (Goldman and Tucker 1956).
    none = np.zeros((players, players))
    found = linprog(
        np.r_[np.zeros(players), -np.ones(players)],
        A_ub=np.block([[payoffs, none], [-np.eye(players), np.eye(players)]]),
        b_ub=np.zeros(2 * players),
        bounds=[(0, None)] * players + [(0, 1)] * players,
        method="highs",
    )
    taken = np.flatnonzero(found.x[players:] > 0.5)
    weights = np.zeros(players)
    if len(taken) == 1:
        weights[taken] = 1
        return weights
    # Among them the greatest entropy where each scores even: its dual, weights proportional to exp(payoffs @ prices).
    among = payoffs[np.ix_(taken, taken)]
    _, sizes, basis = np.linalg.svd(among)
    even = basis[sizes < 1e-9]
    if len(even) == 1:
        weights[taken] = even[0] / even[0].sum()
        return weights
    outside = np.setdiff1d(np.arange(players), taken)
    against = payoffs[:, taken]  # (n, taken): nobody may score above even

    def dual(prices: Floats) -> tuple[float, Floats]:
        powers = -prices @ against
        total = logsumexp(powers)
        return float(total), -against @ np.exp(powers - total)

    bounds = [(0.0, None) if player in outside else (None, None) for player in range(players)]
    best = minimize(dual, np.zeros(players), jac=True, bounds=bounds, method="L-BFGS-B", options={"ftol": 1e-15})
    powers = -best.x @ against
    weights[taken] = np.exp(powers - logsumexp(powers))
    return weights


def nash_mixtures(scores: Floats, rounds: int = 1500) -> Floats:
    """Nash mixtures of many games at once, to within about a hundredth: regret matching+ (Tammelin 2014).

    Args:
        scores: (b, n, n) as of `nash_average`.
        rounds: of play; the mixtures are averages over them, later rounds counting more.

    Returns:
        (b, n) weights that sum to 1.
    """
    payoffs = scores - np.swapaxes(scores, 1, 2)
    regrets = np.full(scores.shape[:2], 1e-9)
    total = np.zeros(scores.shape[:2])
    # The game is symmetric: both sides play the same, and the value is 0.
    for number in range(1, rounds + 1):
        mixture = regrets / regrets.sum(axis=1, keepdims=True)
        total += number**2 * mixture
        gains = (payoffs @ mixture[:, :, None])[:, :, 0]
        regrets = np.maximum(regrets + gains, 1e-12)
    mixtures: Floats = total / total.sum(axis=1, keepdims=True)
    return mixtures


def places(counts: Counts, names: Sequence[str], *, draws: int | None = None, seed: int = 0) -> list[Place]:
    """Alpha-rank and Nash averaging with their 95 % intervals, those with the greatest share of time first.

    Args:
        counts: (n, n, 5) as of `pair_counts`; each two of at least two contestants have met (`met_all`).
        names: of the contestants.
        draws: of what the scores may be; None for a thousand, fewer with many contestants.
        seed: of the draws.
    """
    if draws is None:
        draws = min(DRAWS, max(LEAST_DRAWS, MOST_CELLS // len(names) ** 2))
    matrices = drawn_matrices(counts, draws, seed)
    shares = alpha_rank(matrices)
    few = max(1, draws // 4)  # of mixtures, which take longer
    mixtures = nash_mixtures(matrices[:few])
    scores = score_matrix(counts)
    nash = nash_average(scores)
    low, high = np.quantile(shares, [0.025, 0.975], axis=0)
    least, most = np.quantile(mixtures, [0.025, 0.975], axis=0)
    mean, against = shares.mean(axis=0), scores @ nash
    found = [
        Place(name, *(float(column[number]) for column in (mean, low, high, nash, least, most, against)))
        for number, name in enumerate(names)
    ]
    return sorted(found, key=lambda each: (-each.alpha_rank, each.name))
