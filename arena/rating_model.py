"""The posterior of a fit of ratings: its likelihood, its top, and draws from it. `ratings` has the model in words.

Parameters are in natural units: the players' strengths, the first seat's advantage, log nu; `k` numbers. Anchors are
held at their Elo, which in natural units changes with nu: `lifted` gives their strengths, and derivatives follow it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numba
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

ELO = 400 / math.log(10)
STRENGTH_DEVIATION, PLAYERS_OF_PRIOR = 2.0, 4.0
ADVANTAGE_SCALE, ADVANTAGE_FREEDOM = 0.5, 2.0
LOG_NU_MEAN, LOG_NU_DEVIATION = -1.0, 1.5
PAIRS_OF_MODEL = 10.0  # the model's own covariance counts as so many observed pairs of open games of each matchup
SAMPLES = 1000
FARTHEST = 150.0  # of half a difference or advantage: beyond twice this, exp would overflow


class RatingModel:
    """The posterior of `theta`: the players' strengths, the first seat's advantage, log nu; `k` parameters."""

    def __init__(self, players: int, who: Integers, cells: Floats, anchors: dict[int, float]) -> None:
        """Take what was played.

        Args:
            players: how many.
            who: (m, 2) who met, the lesser index first.
            cells: (m, 4, 4) how often the first of them did what in the game in which it sat first (win, draw, loss,
                missing), and in the other.
            anchors: player -> the Elo at which it is held.
        """
        matchups = len(who)
        self.players = players
        self.who = who
        self.held = np.array(sorted(anchors), np.int64)  # (h,)
        self.held_elo = np.array([anchors[player] for player in sorted(anchors)], np.float64)  # (h,)
        self.free = np.delete(np.arange(players + 2), self.held)  # (k - h,)
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

    def lifted(self, thetas: Floats) -> Floats:
        """The same parameters (b, k) with the anchors' strengths where nu puts them."""
        if not len(self.held):
            return thetas
        thetas = thetas.copy()
        thetas[:, self.held] = self.held_elo * (2 + np.exp(thetas[:, -1:])) / (2 * ELO)
        return thetas

    def pull(self, thetas: Floats) -> Floats:
        """(b, h) how much the anchors' strengths grow with log nu."""
        grown: Floats = self.held_elo * np.exp(thetas[:, -1:]) / (2 * ELO)
        return grown

    def chances(self, theta: Floats) -> Floats:
        """(3, 2m) of parameters (k,): the chances of win, draw and loss, in all games in which a matchup's first sits
        first, then in those in which it sits second."""
        half = np.clip(self.contrasts @ theta[:-1] / 2, -FARTHEST, FARTHEST)
        chances = np.stack([np.exp(half), np.full(len(half), math.exp(theta[-1])), np.exp(-half)])
        shares: Floats = chances / chances.sum(axis=0)
        return shares

    def prior(self, thetas: Floats) -> tuple[Floats, Floats, Floats]:
        """Of parameters (b, k): the log prior (b,), its gradient (b, k), and an upper bound of its curvature (b, k)."""
        deviations = np.full(self.players + 2, self.width * self.units)
        deviations[-1] = LOG_NU_DEVIATION
        deviations[self.held] = math.inf
        away = thetas.copy()
        away[:, -1] -= LOG_NU_MEAN
        precisions = np.broadcast_to(deviations**-2, thetas.shape).copy()
        scale = ADVANTAGE_SCALE * self.units
        tail = 1 + (away[:, -2] / scale) ** 2 / ADVANTAGE_FREEDOM
        precisions[:, -2] = (ADVANTAGE_FREEDOM + 1) / (ADVANTAGE_FREEDOM * scale**2 * tail)
        normal = np.delete(away / deviations, self.players, axis=1)
        log_prior = -0.5 * (normal**2).sum(1) - 0.5 * (ADVANTAGE_FREEDOM + 1) * np.log(tail)
        return log_prior, -precisions * away, precisions

    def ascent(self, thetas: Floats, valued: bool = True) -> tuple[Floats, Floats]:
        """Log posterior (b,), if it is wanted, and its gradient (b, k), of which the anchors' part is 0."""
        value, gradient = np.zeros(len(thetas)), np.zeros(thetas.shape)
        thetas = self.lifted(thetas)
        _ascend(thetas, self.who, self.tallies, self.games, valued, value, gradient)
        gradient[:, -1] += (gradient[:, self.held] * self.pull(thetas)).sum(1)
        gradient[:, self.held] = 0
        log_prior, slope, _ = self.prior(thetas)
        return value + log_prior, gradient + slope

    def reduced(self, theta: Floats, matrix: Floats) -> Floats:
        """(k - h, k - h) a quadratic form (k, k) of all parameters as one of those that are free."""
        outward = np.eye(self.players + 2)[:, self.free]
        outward[self.held, -1] = self.pull(theta[None])[0]
        form: Floats = outward.T @ matrix @ outward
        return form

    def information(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        """Of each seating (2m,): one game's information on d, on d with log nu, on log nu."""
        win, draw, loss = self.chances(theta)
        return 0.25 * (win + loss - (win - loss) ** 2), -0.5 * (win - loss) * draw, draw * (1 - draw)

    def curvature(self, theta: Floats) -> Floats:
        """(k - h, k - h) the negative Hessian of the log posterior in what is free: positive definite.

        It has the prior's upper bound, and leaves out how the anchors' strengths bend with nu.
        """
        difference, mixed, draw = (self.games * part for part in self.information(theta))
        whole = np.diag(self.prior(theta[None])[2][0])
        whole[:-1, :-1] += (self.contrasts * difference[:, None]).T @ self.contrasts
        whole[:-1, -1] += mixed @ self.contrasts
        whole[-1, :-1] = whole[:-1, -1]
        whole[-1, -1] += draw.sum()
        return self.reduced(theta, whole)

    def variation(self, theta: Floats) -> Floats:
        """(k - h, k - h) the covariance of the gradient, from how the pairs vary: `J` of the sandwich."""
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
        chances = self.chances(theta).reshape(3, 2, matchups)
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
        return self.reduced(theta, whole)

    def top(self) -> Floats:
        """(k,) where the posterior is highest, by Newton's method with bounded steps."""
        theta = np.zeros(self.players + 2)
        theta[-1] = LOG_NU_MEAN
        for _ in range(50):  # the prior's units and width depend on what the data say
            theta = self._climbed(theta, 1e-5)
            units = (2 + math.exp(theta[-1])) / 2
            spread = float((theta[: self.players] ** 2).sum())
            spread += float(np.diag(np.linalg.inv(self.curvature(theta)))[:-2].sum())
            width = math.sqrt(
                (PLAYERS_OF_PRIOR * STRENGTH_DEVIATION**2 + spread / units**2) / (PLAYERS_OF_PRIOR + self.players)
            )
            settled = abs(units / self.units - 1) + abs(width / self.width - 1) < 1e-3
            self.units, self.width = units, width
            if settled:
                break
        return self._climbed(theta, 1e-10)

    def _climbed(self, theta: Floats, least: float) -> Floats:
        """The parameters at the top under the present prior, to within steps of such a size."""
        theta = self.lifted(theta[None])[0]
        flatness = ADVANTAGE_FREEDOM / (ADVANTAGE_FREEDOM + 1) * (ADVANTAGE_SCALE * self.units) ** 2
        (value,), (slope,) = self.ascent(theta[None])
        for _ in range(100):
            curvature = self.curvature(theta)
            # The prior's own curvature in the advantage, where it is not too hollow: far fewer steps.
            bound = float(self.prior(theta[None])[2][0, -2])
            curvature[-2, -2] += max(bound * (2 * bound * flatness - 1), 0.1 * bound) - bound
            step = np.linalg.solve(curvature, slope[self.free])
            step *= min(1.0, 2 / max(float(np.abs(step).max()), 1e-12))
            promised = float(slope[self.free] @ step)
            # With anchors the curvature is only near to the true one: a step must bring some of what it promises.
            for _ in range(30):
                moved = theta.copy()
                moved[self.free] += step
                moved = self.lifted(moved[None])[0]
                (reached,), (slope,) = self.ascent(moved[None])
                if reached >= value + 0.2 * promised - 1e-13 * abs(value):
                    break
                step, promised = step / 2, promised / 2
            theta, value = moved, reached
            if np.abs(step).max() < least:
                break
        return theta

    def sample(self, top: Floats, random: np.random.Generator) -> Floats:
        """(samples, k) draws from the posterior, stretched around its top to the sandwich's covariance."""
        covariance = np.linalg.inv(self.curvature(top))
        narrow = np.linalg.cholesky(covariance)

        def spread(whitened: Floats, root: Floats) -> Floats:
            thetas = np.repeat(top[None], len(whitened), axis=0)
            thetas[:, self.free] += whitened @ root.T
            return thetas

        def ascent(whitened: Floats, valued: bool) -> tuple[Floats, Floats]:
            value, gradient = self.ascent(spread(whitened, narrow), valued)
            return value, gradient[:, self.free] @ narrow

        whitened = _hamiltonian(ascent, len(self.free), 2 * len(self.cells), random)
        wide = np.linalg.cholesky(covariance @ self.variation(top) @ covariance)
        return self.lifted(spread(whitened, wide))


@numba.njit(cache=True)
def _ascend(
    thetas: Floats, who: Integers, tallies: Floats, games: Floats, valued: bool, value: Floats, gradient: Floats
) -> None:
    """Add the log likelihood, if it is wanted, and its gradient.

    Args:
        thetas: (b, k) parameters.
        who: (m, 2) who met.
        tallies: (2m, 3) wins, draws and losses of the first of a matchup, as it sat first and as it sat second.
        games: (2m,) their sums.
        valued: whether the likelihood is wanted.
        value: (b,) added to.
        gradient: (b, k) added to.
    """
    matchups = len(who)
    players = thetas.shape[1] - 2
    for chain in range(len(thetas)):
        theta, slope = thetas[chain], gradient[chain]
        nu = math.exp(theta[-1])
        lead = math.exp(min(max(theta[players] / 2, -FARTHEST), FARTHEST))
        for matchup in range(matchups):
            one, other = who[matchup, 0], who[matchup, 1]
            gap = min(max((theta[one] - theta[other]) / 2, -FARTHEST), FARTHEST)
            apart = math.exp(gap)
            for turned in range(2):
                row = matchup + turned * matchups
                if games[row] == 0:
                    continue
                win = apart / lead if turned else apart * lead
                loss = 1 / win
                share = games[row] / (win + nu + loss)
                toward = 0.5 * (tallies[row, 0] - tallies[row, 2] - share * (win - loss))
                slope[one] += toward
                slope[other] -= toward
                slope[players] += -toward if turned else toward
                slope[-1] += tallies[row, 1] - share * nu
                if valued:
                    half = gap - theta[players] / 2 if turned else gap + theta[players] / 2
                    value[chain] += (
                        (tallies[row, 0] - tallies[row, 2]) * half
                        + tallies[row, 1] * theta[-1]
                        + games[row] * math.log(share / games[row])
                    )


def _hamiltonian(
    ascent: Callable[[Floats, bool], tuple[Floats, Floats]], size: int, terms: int, random: np.random.Generator
) -> Floats:
    """Draw from a density that is nearly standard normal, by many short Hamiltonian chains (Neal 2011).

    Args:
        ascent: points (b, size), whether the density is wanted -> log density (b,) and gradient (b, size).
        size: of a point.
        terms: how many terms the density has, which decides how many chains are worth their time.
        random: the source of all draws.

    Returns:
        (SAMPLES, size) draws.
    """
    chains = int(np.clip(200_000 // max(terms, 1), 50, SAMPLES))
    chains = next(number for number in range(chains, 0, -1) if SAMPLES % number == 0)
    point = random.standard_normal((chains, size))
    value, gradient = ascent(point, True)
    kept: list[Floats] = []
    for iteration in range(8 + SAMPLES // chains):
        step = random.uniform(0.3, 0.9, (chains, 1)) * min(1.0, (6 / size) ** 0.25)
        momentum = random.standard_normal(point.shape)
        energy = value - 0.5 * (momentum**2).sum(1)
        moved, slope = point, gradient
        for leap in range(4):
            momentum = momentum + 0.5 * step * slope
            moved = moved + step * momentum
            reached, slope = ascent(moved, leap == 3)
            momentum = momentum + 0.5 * step * slope
        taken = np.log(random.random(chains)) < reached - 0.5 * (momentum**2).sum(1) - energy
        point, gradient = np.where(taken[:, None], moved, point), np.where(taken[:, None], slope, gradient)
        value = np.where(taken, reached, value)
        if iteration >= 8:
            kept.append(point)
    return np.concatenate(kept)
