"""A run's agent on the scale of its anchors: an Elo rating at each measurement, with an interval from its pairs.

The model is Bradley and Terry's (1952): a player rated `r` takes from one rated `a` the share
`1 / (1 + 10^((a - r) / 400))` of the points, a draw being half a point. With the anchors held, the likelihood is
highest where the points that are expected of the agent are those that it took. The penalty is one drawn pair more,
shared by the anchors, so that all of the points, or none, are a finite rating.

The anchors' own ratings are measured once: `random` is at 0, the others are rated by pairs of games among them all.
What is played for it depends on nothing but the game and the anchors, so all runs with both alike have one scale.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lanista.agents.contestant import load_agent
from lanista.agents.pairs import Scores, pair_scores
from lanista.envs import make
from lanista.envs.core import Agent, start_agent
from lanista.errors import UsageError
from lanista.files import read_json, write_json
from lanista.training.settings import TrainSettings

ORIGIN = "random"  # who is at 0
SCALE_FILE = "anchor_ratings.json"
SCALE_PAIRS = 128  # of each two anchors
GRID = np.linspace(-8000.0, 8000.0, 16_001)  # ratings, an Elo apart: points are read off it by straight lines
OUTCOMES = np.linspace(0.0, 1.0, 5)  # shares of the points that a pair of games between two can bring
DRAWS = 4000


@dataclass(frozen=True)
class Rating:
    """An Elo rating with its 95 % interval; `random` is at 0."""

    elo: float
    low: float
    high: float


def rating_for(points: Scores, pairs: Scores, opponents: Scores) -> Scores:
    """The ratings of which so many points are expected: the greatest likelihood, the opponents held.

    Args:
        points: (r,) pairs' worth of points from all opponents together, of each rating.
        pairs: (a,) played against each opponent.
        opponents: (a,) their ratings.

    Returns:
        (r,) ratings, within the grid's bounds.
    """
    expected = (pairs / (1 + 10.0 ** ((opponents - GRID[:, None]) / 400))).sum(axis=1)
    return np.asarray(np.interp(points, expected, GRID))


def rate(scores: Mapping[str, Scores], scale: Mapping[str, float], seed: int = 0) -> Rating | None:
    """Rate an agent by its pairs of games against the anchors.

    The interval is of draws from what the pairs say: a Dirichlet posterior for each anchor over what a pair can bring,
    whose prior counts as the anchor's share of the penalty's pair, a fifth of it for each outcome.

    Args:
        scores: anchor -> its share of the points of each pair.
        scale: anchor -> its rating.
        seed: of the draws.

    Returns:
        The rating; None if there are no pairs.
    """
    names = [name for name, shares in scores.items() if len(shares)]
    if not names:
        return None
    opponents = np.array([scale[name] for name in names])
    random = np.random.default_rng(seed)
    penalty = 1 / len(names)
    pairs = np.array([len(scores[name]) + penalty for name in names])
    points = sum(float(scores[name].sum()) for name in names) + 0.5
    drawn = np.zeros(DRAWS)
    for name, many in zip(names, pairs, strict=True):
        counts = np.bincount(np.rint(4 * scores[name]).astype(np.int64), minlength=5)
        drawn += many * (random.dirichlet(counts + penalty / 5, DRAWS) @ OUTCOMES)
    elo, *ratings = rating_for(np.array([points, *drawn]), pairs, opponents).tolist()
    low, high = np.quantile(ratings, [0.025, 0.975])
    return Rating(elo, min(float(low), elo), max(float(high), elo))


def scale_of(points: Scores, pairs: Scores, held: int) -> Scores:
    """The ratings of several players among themselves, one of them held at 0.

    Each is in turn given the likeliest rating while the others are held, with a drawn pair more against each, until
    none moves: the likelihood is concave, so this is its top.

    Args:
        points: (p, p) pairs' worth of points of the row's player from the column's.
        pairs: (p, p) that they played; 0 on the diagonal.
        held: who stays at 0.

    Returns:
        (p,) ratings.
    """
    ratings = np.zeros(len(points))
    for _ in range(1000):
        before = ratings.copy()
        for player in range(len(points)):
            others = np.arange(len(points)) != player
            if player != held:
                wanted = (points[player, others] + 0.5).sum(keepdims=True)
                ratings[player] = rating_for(wanted, pairs[player, others] + 1, ratings[others])[0]
        if np.abs(ratings - before).max() < 0.01:
            break
    return ratings


def anchor_scale(folder: Path, game: str, anchors: Sequence[str]) -> dict[str, float]:
    """The ratings of the anchors and of `random`; measured once, then read from the run's folder.

    They are measured anew only for another game or other anchors.

    Args:
        folder: of the run.
        game: the string of a game of two players.
        anchors: contestants' strings that can play it.
    """
    path = folder / SCALE_FILE
    about = {"game": game, "anchors": list(anchors), "pairs": SCALE_PAIRS}
    if path.exists():
        try:
            kept = read_json(path, "scale of anchors")
            if {name: kept[name] for name in about} == about and set(anchors) <= kept["ratings"].keys():
                return {name: float(elo) for name, elo in kept["ratings"].items()}
        except (UsageError, AttributeError, KeyError, TypeError, ValueError):
            pass  # damaged: measured anew
    ratings = _measured(game, anchors)
    write_json(path, about | {"ratings": ratings})
    return ratings


def _measured(game: str, anchors: Sequence[str]) -> dict[str, float]:
    """Play all anchors, and `random`, against each other."""
    names = list(dict.fromkeys([ORIGIN, *anchors]))
    agents: list[Agent] = [load_agent(name) for name in names]
    points, pairs = np.zeros((2, len(names), len(names)))
    for one, other in itertools.combinations(range(len(names)), 2):
        shares = pair_scores(game, agents[one], agents[other], SCALE_PAIRS, seed=0)
        points[one, other], points[other, one] = shares.sum(), (1 - shares).sum()
        pairs[one, other] = pairs[other, one] = len(shares)
    # `scale_of` holds `random`, which is the first.
    return {name: round(float(elo), 2) for name, elo in zip(names, scale_of(points, pairs, 0), strict=True)}


def anchors_of(settings: TrainSettings) -> dict[str, Agent]:
    """The fixed opponents of a run; of the default ones those that can play its game, which has two players.

    Raises:
        UsageError: one that was asked for is unknown or cannot play the game.
    """
    spec = make(settings.game).spec
    wished = settings.anchors != TrainSettings(game=settings.game).anchors
    agents: dict[str, Agent] = {}
    if len(spec.roles) > 1 and not spec.zero_sum and not wished:
        return agents  # who gets more than the other role tells nothing of who plays better
    for anchor in settings.anchors.split():
        agent = load_agent(anchor)
        try:
            if spec.players != 2:
                raise UsageError(f"{settings.game} is not for two players, so there is nobody to be an anchor")
            start_agent(agent, spec, 0)
        except UsageError:
            if wished:
                raise
            continue
        agents[anchor] = agent
    return agents
