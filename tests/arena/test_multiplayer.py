"""Ratings of games among more than two: known orders come back, whatever the order of the games."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.arena.multiplayer import Finish, rate_finishes

NAMES = ["a", "b", "c", "d", "e"]


def simulated(random: np.random.Generator, games: int) -> list[Finish]:
    """Three of five sit in each game; a is the best, e the worst."""
    found = []
    for _ in range(games):
        seats = random.choice(5, 3, replace=False)
        found.append(Finish(tuple(NAMES[seat] for seat in seats), tuple((-seats + random.gumbel(size=3)).tolist())))
    return found


def test_the_true_order_comes_back_whatever_the_order_of_games() -> None:
    finishes = simulated(np.random.default_rng(1), 300)
    skills = rate_finishes(finishes, NAMES)
    assert [skill.name for skill in skills] == NAMES
    assert all(skill.cautious < skill.mean and skill.deviation < 25 / 3 for skill in skills)
    assert sum(skill.games for skill in skills) == 900
    assert rate_finishes(finishes[::-1], NAMES) == skills


def test_draws_pull_together_and_who_has_not_played_is_unknown() -> None:
    skills = {skill.name: skill for skill in rate_finishes([Finish(("a", "b"), (1.0, 0.0))] * 20, ["a", "b", "c"])}
    assert skills["a"].mean > skills["c"].mean == 25.0 > skills["b"].mean
    assert skills["c"].deviation > max(skills["a"].deviation, skills["b"].deviation)
    even = {
        skill.name: skill for skill in rate_finishes([Finish(("a", "b", "c"), (1.0, 1.0, 0.0))] * 20, ["a", "b", "c"])
    }
    # Plackett and Luce have no ties of their own: equals are as near as the order of seats lets them be.
    assert abs(even["a"].mean - even["b"].mean) < 0.3 * (even["b"].mean - even["c"].mean)
    (alone,) = rate_finishes([], ["a"])
    assert (alone.mean, alone.deviation, alone.games) == (25.0, 25 / 3, 0)


def test_several_seats_of_one_contestant() -> None:
    skills = rate_finishes([Finish(("a", "a", "b", "b"), (3.0, 2.0, 1.0, 0.0))] * 10, ["a", "b"])
    assert skills[0].name == "a" and skills[0].mean > 25 > skills[1].mean
    (same,) = rate_finishes([Finish(("a", "a"), (1.0, 0.0))], ["a"])
    assert same.mean == 25.0


@pytest.mark.parametrize(
    ("finish", "words"),
    [
        (Finish(("a", "x"), (1.0, 0.0)), "names 'x'"),
        (Finish(("a",), (1.0,)), "1 seats"),
        (Finish(("a", "b"), (1.0,)), "2 seats and 1 returns"),
    ],
)
def test_what_is_no_game_is_an_error(finish: Finish, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        rate_finishes([finish], ["a", "b"])
    with pytest.raises(ValueError, match="twice"):
        rate_finishes([], ["a", "a"])
