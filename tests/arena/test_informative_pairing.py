"""Who should meet next: the promised fall of the variances is the true one; fewer games are needed than by turns."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, cycle

import numpy as np
import pytest

from lanista.arena.informative_pairing import plan_pairs
from lanista.arena.rating_model import ELO, Floats, Integers, RatingModel

Cells = dict[tuple[int, int], Floats]


def counted(cells: Cells) -> tuple[Integers, Floats]:
    who = sorted(cells)
    return np.array(who, np.int64).reshape(-1, 2), np.array([cells[each] for each in who]).reshape(-1, 4, 4)


def player(elo: Floats, random: np.random.Generator) -> Callable[[Cells, int, int], None]:
    """Plays pairs of games among players of known strengths, with some draws and an advantage of the first seat."""
    nu, advantage = 0.5, 0.3
    strengths = elo * (2 + nu) / (2 * ELO)

    def play(cells: Cells, one: int, other: int) -> None:
        results = []
        for side in (1, -1):
            d = strengths[one] - strengths[other] + side * advantage
            chances = np.array([np.exp(d / 2), nu, np.exp(-d / 2)])
            results.append(int(random.choice(3, p=chances / chances.sum())))
        cells.setdefault((one, other), np.zeros((4, 4)))[results[0], results[1]] += 1

    return play


def variance(model: RatingModel, top: Floats, extra: Floats | None = None) -> float:
    """The sum of the variances of strengths around their mean, computed the long way."""
    curvature = model.curvature(top) if extra is None else model.curvature(top) + extra
    covariance = np.linalg.inv(curvature)[: model.players, : model.players]
    centre = np.eye(model.players) - 1 / model.players
    return float(np.trace(centre @ covariance @ centre))


def test_the_promised_gain_is_that_of_the_whole_computation() -> None:
    random = np.random.default_rng(3)
    play, cells = player(random.normal(0, 150, 5), random), Cells()
    for one, other in [*combinations(range(5), 2)] * 40:  # so sure that the information is nearly that at the top
        play(cells, one, other)
    who, counts = counted(cells)
    plan = plan_pairs(5, who, counts, 3)
    model = RatingModel(5, who, counts, {})
    top = model.top()
    nothing = variance(model, top)
    chances = model.chances(top)
    worth = 0.25 * (chances[0] + chances[2] - (chances[0] - chances[2]) ** 2)  # (20,) of each seating
    gains = {}
    extra = np.zeros((7, 7))
    for number, (one, other) in enumerate(who.tolist()):
        added = np.zeros((7, 7))
        for row in (number, number + len(who)):
            contrast = np.append(model.contrasts[row], 0)
            added += worth[row] * np.outer(contrast, contrast)
        gains[one, other] = (1 - variance(model, top, added) / nothing, added)
    best = max(gains, key=lambda each: gains[each][0])
    assert tuple(plan.pairs[0]) == best
    # A pair of games hardly moves the draws' parameter, which the formula holds.
    assert abs(plan.gains[0] / gains[best][0] - 1) < 0.05
    for pair in map(tuple, plan.pairs.tolist()):
        extra += gains[pair][1]
    whole = 1 - variance(model, top, extra) / nothing
    assert abs(plan.gains.sum() / whole - 1) < 0.05, "the second and third are chosen as if the first had been played"


def test_a_newcomer_meets_those_near_to_what_it_may_be_and_at_once() -> None:
    random = np.random.default_rng(0)
    play, cells = player(np.linspace(-400, 400, 6), random), Cells()
    for one, other in [*combinations(range(6), 2)] * 30:
        play(cells, one, other)
    plan = plan_pairs(7, *counted(cells), 8)
    assert (plan.pairs[:4] == 6).any(axis=1).all(), "nobody is known less"
    assert {2, 3} & set(plan.pairs[0].tolist()), "of a stranger, those in the middle tell most"


def test_who_does_not_play_is_not_matched_and_games_that_repeat_themselves_are_not_played() -> None:
    cells = Cells()
    play = player(np.zeros(4), np.random.default_rng(1))
    for one, other in combinations(range(4), 2):
        play(cells, one, other)
    active = np.array([True, True, False, True])
    plan = plan_pairs(4, *counted(cells), 20, active=active)
    assert not (plan.pairs == 2).any()
    fresh = np.ones((4, 4))
    fresh[0, 1] = fresh[1, 0] = 1e-3
    repeats = plan_pairs(4, *counted(cells), 20, active=active, fresh=fresh)
    assert {tuple(pair) for pair in repeats.pairs.tolist()} == {(0, 3), (1, 3)}
    stale = plan_pairs(4, *counted(cells), 1, fresh=np.full((4, 4), 1e-9))
    assert stale.gains[0] < 1e-8 < plan.gains[0]


def games_until(sure: float, elo: Floats, seed: int, informative: bool, newcomers: int) -> tuple[int, float]:
    """Pairs of games until the ratings have such a deviation, in Elo, and their true error; newcomers come in later."""
    play, cells, played, total = player(elo, np.random.default_rng(seed)), Cells(), 0, len(elo)
    for players in (total - newcomers, total):
        turns = cycle(combinations(range(players), 2))
        while True:
            who, counts = counted(cells)
            plan = plan_pairs(players, who, counts, 10)
            if plan.deviation <= sure:
                break
            chosen = (
                [(one, other) for one, other in plan.pairs.tolist()]
                if informative
                else [next(turns) for _ in range(10)]
            )
            for one, other in chosen:
                play(cells, one, other)
            played += len(chosen)
    model = RatingModel(total, *counted(cells), {})
    top = model.top()
    rated = (top[:total] - top[:total].mean()) * ELO * 2 / (2 + np.exp(top[-1]))
    return played, float(np.sqrt(((rated - elo + elo.mean()) ** 2).mean()))


@pytest.mark.thorough
def test_the_same_certainty_needs_fewer_games_than_round_robin() -> None:
    """Two newcomers join eight players over 1,400 Elo; the deviation is asked to be 45 Elo, before and after."""
    elo = np.array([-700.0, -500, -300, -100, 100, 300, 500, 700, -200, 250])
    runs = {way: [games_until(45, elo, seed, way, 2) for seed in range(2)] for way in (True, False)}
    games = {way: np.mean([played for played, _ in found]) for way, found in runs.items()}
    errors = {way: np.sqrt(np.mean([error**2 for _, error in found])) for way, found in runs.items()}
    assert games[True] < 0.8 * games[False]
    assert errors[True] < 75, "as sure as it says"
