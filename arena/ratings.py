"""Ratings of games between two: one batch Bradley-Terry fit with draws and first-move advantage, and honest intervals.

**Model** (Davidson 1970; the order effect as Davidson and Beaver 1977). Strengths `r`, the first seat's advantage `a`
and the draw parameter `nu` give, with `d = r_first - r_second + a`, the chances

    win : draw : loss  =  exp(d / 2) : nu : exp(-d / 2).

It is a multinomial logit, so the likelihood is concave and Newton's method finds its only top, whatever the order of
the games. One point of Elo is `400 / ln 10 * 2 / (2 + nu)` of `d`: near equality it means as much of the score as
without draws (as BayesElo scales it), so 400 Elo are a score of .91 at any share of draws.

**Prior**, weak, in the same units: strengths normal with deviation 2 (350 Elo), so that a score of 100 % has a finite
rating; the advantage Student-t with 2 degrees of freedom and scale 1/2, since most games have little of it and some
very much; log nu normal around -1 with deviation 1.5.

**Intervals** are quantiles of draws from the posterior by Hamiltonian Monte Carlo, which at five pairs and lopsided
scores is far from normal. The draws are then stretched so that their covariance is the sandwich `H^-1 J H^-1` instead
of `H^-1` (the open-faced sandwich of Shaby 2014): `J` is how much the *pairs* really vary, since the two games of one
opening are one observation, drawn towards what the model expects where pairs are few.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ELO = 400 / math.log(10)
STRENGTH_DEVIATION, PLAYERS_OF_PRIOR = 2.0, 4.0
ADVANTAGE_SCALE, ADVANTAGE_FREEDOM = 0.5, 2.0
LOG_NU_MEAN, LOG_NU_DEVIATION = -1.0, 1.5
PAIRS_OF_MODEL = 10.0  # the model's own covariance counts as so many observed pairs of open games of each matchup
SAMPLES = 1000
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
class Ratings:
    """The outcome of a fit.

    Attributes:
        names: who was rated, sorted.
        elo, low, high: (p,) ratings with their intervals, their mean at 0.
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


def rate(pairs: Sequence[Pair], names: Sequence[str], *, level: float = 0.95, seed: int = 0) -> Ratings:
    """Rate everyone at once. Neither the order of the pairs nor that of the names matters, to the last bit.

    Args:
        pairs: what was played.
        names: who is to be rated; those without a game too, at what the prior says.
        level: the intervals hold the truth in this share of tournaments.
        seed: of the draws from the posterior.

    Raises:
        ValueError: a name comes twice, or a pair names someone else.
    """
    ordered = tuple(sorted(names))
    if len(set(ordered)) < len(ordered):
        raise ValueError("a name is to be rated twice")
    model = _Model(len(ordered), *_tally(pairs, ordered))
    top = model.top()
    samples = model.sample(top, np.random.default_rng(seed))
    ratings, advantages = _in_elo(samples, len(ordered))
    elo, advantage = _in_elo(top[None], len(ordered))
    tails = [(1 - level) / 2, (1 + level) / 2]
    low, high = np.quantile(ratings, tails, axis=0)
    least, most = np.quantile(advantages, tails)
    nu = math.exp(top[-1])
    return Ratings(ordered, elo[0], low, high, (float(advantage[0]), float(least), float(most)), nu / (2 + nu), ratings)


def _in_elo(thetas: Floats, players: int) -> tuple[Floats, Floats]:
    """Ratings around their mean and the advantage, both in Elo, of parameters (s, players + 2)."""
    scale = ELO * 2 / (2 + np.exp(thetas[:, -1]))
    strengths = thetas[:, :players]
    if players:
        strengths = strengths - strengths.mean(axis=1, keepdims=True)
    return strengths * scale[:, None], thetas[:, players] * scale


def _tally(pairs: Sequence[Pair], names: tuple[str, ...]) -> tuple[NDArray[np.int64], Floats]:
    """Count the pairs of each matchup by outcome.

    Returns:
        (m, 2) who met, the lesser index first; (m, 4, 4) how often the first of them did what in the game in which it
        sat first (win, draw, loss, missing), and in the other.
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
    return np.array(who, np.int64).reshape(-1, 2), counts


def _cell(points: float | None) -> int:
    return MISSING if points is None else RESULTS.index(points)


def _turned(cell: int) -> int:
    """The same result as the opponent sees it."""
    return cell if cell == MISSING else 2 - cell


class _Model:
    """The posterior of `theta`: the players' strengths, the first seat's advantage, log nu; `k` parameters."""

    def __init__(self, players: int, who: NDArray[np.int64], cells: Floats) -> None:
        matchups = len(who)
        self.players = players
        self.cells = cells  # (m, 4, 4)
        # Wins, draws, losses of the first of a matchup, as it sat first and as it sat second.
        self.tallies = np.concatenate([cells[:, :3].sum(2), cells[:, :, :3].sum(1)])  # (2m, 3)
        self.games = self.tallies.sum(1)  # (2m,)
        self.contrasts = np.zeros((2 * matchups, players + 1))  # d = contrasts @ theta[:-1]
        rows = np.arange(matchups)
        for half, sign in ((0, 1.0), (matchups, -1.0)):
            self.contrasts[rows + half, who[:, 0]] = 1
            self.contrasts[rows + half, who[:, 1]] = -1
            self.contrasts[rows + half, players] = sign
        played = np.zeros(players)
        for column in (0, 1):
            np.add.at(played, who[:, column], cells.sum((1, 2)))
        self.fewest = played[who].min(axis=1) if matchups else np.zeros(0)  # (m,) pairs of whoever of the two has fewer
        # The prior, as `top` finds it: how much of d is worth one of its units; the deviation of strengths in them.
        self.units, self.width = 1.0, STRENGTH_DEVIATION

    def chances(self, thetas: Floats) -> tuple[Floats, Floats]:
        """Of parameters (b, k): the chances (3, b, 2m) of win, draw, loss, and the log likelihood (b,)."""
        half = np.clip(thetas[:, :-1] @ self.contrasts.T / 2, -300, 300)  # beyond, exp would overflow
        win = np.exp(half)
        chances = np.stack([win, np.broadcast_to(np.exp(thetas[:, -1:]), win.shape), 1 / win])
        total = chances.sum(axis=0)
        wins, draws, losses = self.tallies.T
        likelihood = half @ (wins - losses) + thetas[:, -1] * draws.sum() - np.log(total) @ self.games
        chances /= total
        return chances, likelihood

    def prior(self, thetas: Floats) -> tuple[Floats, Floats, Floats]:
        """Of parameters (b, k): the log prior (b,), its gradient (b, k), and an upper bound of its curvature (b, k)."""
        deviations = np.full(self.players + 2, self.width * self.units)
        deviations[-1] = LOG_NU_DEVIATION
        away = thetas.copy()
        away[:, -1] -= LOG_NU_MEAN
        precisions = np.broadcast_to(deviations**-2, thetas.shape).copy()
        scale = ADVANTAGE_SCALE * self.units
        tail = 1 + (away[:, -2] / scale) ** 2 / ADVANTAGE_FREEDOM
        precisions[:, -2] = (ADVANTAGE_FREEDOM + 1) / (ADVANTAGE_FREEDOM * scale**2 * tail)
        normal = np.delete(away / deviations, self.players, axis=1)
        log_prior = -0.5 * (normal**2).sum(1) - 0.5 * (ADVANTAGE_FREEDOM + 1) * np.log(tail)
        return log_prior, -precisions * away, precisions

    def ascent(self, thetas: Floats) -> tuple[Floats, Floats]:
        """Log posterior (b,) and its gradient (b, k)."""
        (win, draw, loss), likelihood = self.chances(thetas)
        log_prior, gradient, _ = self.prior(thetas)
        by_difference = 0.5 * ((self.tallies[:, 0] - self.tallies[:, 2]) - self.games * (win - loss))
        gradient[:, :-1] += by_difference @ self.contrasts
        gradient[:, -1] += (self.tallies[:, 1] - self.games * draw).sum(1)
        return likelihood + log_prior, gradient

    def information(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Of each seating (2m,): one game's information on d, on d with log nu, on log nu."""
        win, draw, loss = self.chances(theta[None])[0][:, 0]
        return 0.25 * (win + loss - (win - loss) ** 2), -0.5 * (win - loss) * draw, draw * (1 - draw)

    def curvature(self, theta: Floats) -> Floats:
        """(k, k) the negative Hessian of the log posterior, with the prior's upper bound: positive definite."""
        difference, mixed, draw = (self.games * part for part in self.information(theta))
        whole = np.diag(self.prior(theta[None])[2][0])
        whole[:-1, :-1] += (self.contrasts * difference[:, None]).T @ self.contrasts
        whole[:-1, -1] += mixed @ self.contrasts
        whole[-1, :-1] = whole[:-1, -1]
        whole[-1, -1] += draw.sum()
        return whole

    def variation(self, theta: Floats) -> Floats:
        """(k, k) the covariance of the gradient, from how the pairs vary: `J` of the sandwich."""
        matchups = len(self.cells)
        difference, mixed, draw = (part.reshape(2, matchups) for part in self.information(theta))
        games = self.games.reshape(2, matchups)
        # What the model expects of a matchup's pairs whose two games are independent: of the gradient's parts by the
        # first game's d, the second's d, and log nu.
        expected = np.zeros((matchups, 3, 3))
        for game in (0, 1):
            expected[:, game, game] = games[game] * difference[game]
            expected[:, game, 2] = expected[:, 2, game] = games[game] * mixed[game]
            expected[:, 2, 2] += games[game] * draw[game]
        chances = self.chances(theta[None])[0][:, 0].reshape(3, 2, matchups)
        parts = np.zeros((matchups, 4, 4, 3))
        for game in (0, 1):
            for result in range(3):
                win_or_loss = (0.5, 0.0, -0.5)[result] - 0.5 * (chances[0, game] - chances[2, game])
                of_draw = (result == 1) - chances[1, game]
                cell = (slice(None), result) if game == 0 else (slice(None), slice(None), result)
                parts[(*cell, Ellipsis, game)] += win_or_loss[:, None]
                parts[(*cell, Ellipsis, 2)] += of_draw[:, None]
        seen = np.einsum("mxy,mxyi,mxyj->mij", self.cells, parts, parts)
        # Where one of the two games is as good as decided, rare results would say little: only open games count.
        trust = 4 * (games * difference).min(axis=0)
        trust = (trust / (trust + PAIRS_OF_MODEL))[:, None, None]
        shrunk = trust * seen + (1 - trust) * expected
        shrunk *= (1 + 1 / self.fewest)[:, None, None]  # a variance from few pairs is itself uncertain
        whole = np.diag(self.prior(theta[None])[2][0])
        sides = self.contrasts.reshape(2, matchups, self.players + 1)
        for row in (0, 1):
            for column in (0, 1):
                whole[:-1, :-1] += (sides[row] * shrunk[:, row, column, None]).T @ sides[column]
            whole[:-1, -1] += shrunk[:, row, 2] @ sides[row]
        whole[-1, :-1] = whole[:-1, -1]
        whole[-1, -1] += shrunk[:, 2, 2].sum()
        return whole

    def top(self) -> Floats:
        """(k,) where the posterior is highest, by Newton's method with bounded steps."""
        theta = np.zeros(self.players + 2)
        theta[-1] = LOG_NU_MEAN
        for _ in range(50):  # the prior's units and width depend on what the data say
            self._climb(theta)
            units = (2 + math.exp(theta[-1])) / 2
            spread = theta[:-2] ** 2 + np.diag(np.linalg.inv(self.curvature(theta)))[:-2]
            width = math.sqrt(
                (PLAYERS_OF_PRIOR * STRENGTH_DEVIATION**2 + spread.sum() / units**2) / (PLAYERS_OF_PRIOR + self.players)
            )
            settled = abs(units / self.units - 1) + abs(width / self.width - 1) < 1e-3
            self.units, self.width = units, width
            if settled:
                break
        self._climb(theta)
        return theta

    def _climb(self, theta: Floats) -> None:
        """Move the parameters to the top under the present prior."""
        for _ in range(100):
            step = np.linalg.solve(self.curvature(theta), self.ascent(theta[None])[1][0])
            theta += step * min(1.0, 2 / max(float(np.abs(step).max()), 1e-12))
            if np.abs(step).max() < 1e-10:
                break

    def sample(self, top: Floats, random: np.random.Generator) -> Floats:
        """(samples, k) draws from the posterior, stretched around its top to the sandwich's covariance."""
        covariance = np.linalg.inv(self.curvature(top))
        narrow = np.linalg.cholesky(covariance)

        def ascent(whitened: Floats) -> tuple[Floats, Floats]:
            value, gradient = self.ascent(top + whitened @ narrow.T)
            return value, gradient @ narrow

        whitened = _hamiltonian(ascent, len(top), 2 * len(self.cells), random)
        wide = np.linalg.cholesky(covariance @ self.variation(top) @ covariance)
        stretched: Floats = top + whitened @ wide.T
        return stretched


def _hamiltonian(
    ascent: Callable[[Floats], tuple[Floats, Floats]], size: int, terms: int, random: np.random.Generator
) -> Floats:
    """Draw from a density that is nearly standard normal, by many short Hamiltonian chains (Neal 2011).

    Args:
        ascent: points (b, size) -> log density (b,) and gradient (b, size).
        size: of a point.
        terms: how many terms the density has, which decides how many chains are worth their time.
        random: the source of all draws.

    Returns:
        (SAMPLES, size) draws.
    """
    chains = int(np.clip(200_000 // max(terms, 1), 50, SAMPLES))
    chains = next(number for number in range(chains, 0, -1) if SAMPLES % number == 0)
    point = random.standard_normal((chains, size))
    value, gradient = ascent(point)
    kept: list[Floats] = []
    for iteration in range(8 + SAMPLES // chains):
        step = random.uniform(0.3, 0.9, (chains, 1)) * min(1.0, (6 / size) ** 0.25)
        momentum = random.standard_normal(point.shape)
        energy = value - 0.5 * (momentum**2).sum(1)
        moved, slope = point, gradient
        for _ in range(4):
            momentum = momentum + 0.5 * step * slope
            moved = moved + step * momentum
            reached, slope = ascent(moved)
            momentum = momentum + 0.5 * step * slope
        taken = np.log(random.random(chains)) < reached - 0.5 * (momentum**2).sum(1) - energy
        point, gradient = np.where(taken[:, None], moved, point), np.where(taken[:, None], slope, gradient)
        value = np.where(taken, reached, value)
        if iteration >= 8:
            kept.append(point)
    return np.concatenate(kept)


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
