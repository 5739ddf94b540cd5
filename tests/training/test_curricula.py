"""Curricula: what every file of `training/curricula` keeps, and prioritised level replay against its paper."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lanista.errors import UsageError
from lanista.plugs import plugs
from lanista.training.curricula.plr import PrioritisedLevelReplay
from lanista.training.curriculum import CURRICULA, Curriculum, LevelNews, open_curriculum

LEVELS = 12
every = pytest.mark.parametrize("name", plugs(CURRICULA))


def play(curriculum: Curriculum, random: np.random.Generator, rounds: int, at_once: int = 4) -> list[int]:
    """Episodes, some at once, with scores that only the level and the round decide; the levels that were drawn."""
    drawn: list[int] = []
    for number in range(rounds):
        levels = curriculum.draw(at_once, random)
        curriculum.learn(levels, (levels * 7 + number) % 5 / 5)
        drawn += levels.tolist()
    return drawn


def test_the_curricula_that_are_promised_are_there() -> None:
    assert {"uniform", "plr"} <= set(plugs(CURRICULA))


@every
def test_levels_are_training_levels_and_are_counted(name: str) -> None:
    curriculum = open_curriculum(name, LEVELS)
    drawn = play(curriculum, np.random.default_rng(0), 100)
    assert set(drawn) <= set(range(LEVELS))
    assert curriculum.drawn.tolist() == np.bincount(drawn, minlength=LEVELS).tolist()
    assert curriculum.episodes == 400
    assert curriculum.metrics()["levels_drawn"] == len(set(drawn)) / LEVELS
    assert all(np.isfinite(value) for value in curriculum.metrics().values())


@every
@pytest.mark.parametrize("rounds", [0, 1, 40])
def test_a_restored_curriculum_goes_on_as_the_old_one(name: str, rounds: int) -> None:
    first, again = open_curriculum(name, LEVELS), open_curriculum(name, LEVELS)
    play(first, np.random.default_rng(0), rounds)
    state = {key: value.clone() for key, value in first.state().items()}
    again.restore(state)
    assert play(first, np.random.default_rng(1), 40) == play(again, np.random.default_rng(1), 40)
    assert_same(again.state(), first.state())
    untouched = open_curriculum(name, LEVELS)
    untouched.restore(state)
    assert_same(untouched.state(), state)  # what was kept has not gone on with the one it was taken from
    with pytest.raises(ValueError, match="of 12 levels, not of 13"):
        open_curriculum(name, LEVELS + 1).restore(state)


def assert_same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert set(one) == set(other)
    for key, value in one.items():
        np.testing.assert_array_equal(value.numpy(), other[key].numpy(), err_msg=key)


@every
def test_what_a_copy_drew_and_learnt_is_taken_over(name: str) -> None:
    """A runner's copy of a curriculum tells the run's what it did: both are then the same."""
    whole, copy = open_curriculum(name, LEVELS), open_curriculum(name, LEVELS)
    play(whole, np.random.default_rng(0), 5)
    copy.restore(whole.state())
    drawn = copy.draw(6, np.random.default_rng(1))
    copy.learn(drawn[:4], np.arange(4.0))
    whole.hear(LevelNews(drawn, drawn[:4], np.arange(4.0)))
    assert_same(copy.state(), whole.state())


def test_uniform_draws_all_levels_alike() -> None:
    drawn = open_curriculum("uniform", LEVELS).choose(120_000, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=LEVELS)
    assert (abs(counts - 10_000) < 5 * np.sqrt(10_000)).all()


def paper(scores: list[float], last: list[int], count: int, beta: float, rho: float) -> list[float]:
    """P_replay of the paper's sections 3.1 and 3.2, term by term; scores differ."""
    rank = [1 + sum(other > score for other in scores) for score in scores]
    weights = [(1 / r) ** (1 / beta) for r in rank]
    stale = [count - c for c in last]
    return [
        (1 - rho) * weight / sum(weights) + rho * age / sum(stale) for weight, age in zip(weights, stale, strict=True)
    ]


def scored(temperature: float, staleness: float) -> tuple[PrioritisedLevelReplay, list[float], list[int]]:
    """A curriculum whose levels were all seen, with their scores and the times they were drawn last."""
    plr = PrioritisedLevelReplay(6, temperature, staleness)
    scores = [0.3, 1.2, 0.1, 0.9, 0.5, 0.7]
    for level in (3, 1, 4, 0, 5, 2, 3, 3):
        plr.note(np.array([level]))
    plr.learn(np.arange(6), np.array(scores))
    return plr, scores, [4, 2, 6, 8, 3, 5]


@pytest.mark.parametrize(("temperature", "staleness"), [(0.1, 0.1), (1.0, 0.3), (0.5, 0.0), (2.0, 1.0)])
def test_replay_is_as_the_paper_says(temperature: float, staleness: float) -> None:
    """By formula, and by drawing one level again and again while nothing is learnt."""
    plr, scores, last = scored(temperature, staleness)
    wanted = np.array(paper(scores, last, 8, temperature, staleness))
    np.testing.assert_allclose(plr.replay_distribution(), wanted, rtol=1e-12)
    trials = 60_000
    drawn = np.bincount(plr.choose(trials, np.random.default_rng(0)), minlength=6)
    sigma = np.sqrt(trials * wanted * (1 - wanted))
    assert (abs(drawn - trials * wanted) <= 5 * sigma + 1e-9).all(), (drawn, trials * wanted)


def test_the_defaults_are_the_papers() -> None:
    plr = open_curriculum("plr", 3)
    assert isinstance(plr, PrioritisedLevelReplay) and (plr.temperature, plr.staleness) == (0.1, 0.1)


def test_levels_are_replayed_with_the_share_that_was_seen() -> None:
    """A quarter of the levels has a score: a quarter of the episodes replays, the others take each new level once."""
    replays = 0
    for trial in range(400):
        plr = PrioritisedLevelReplay(40)
        plr.note(np.arange(10))
        plr.learn(np.arange(10), np.arange(10.0))
        drawn = plr.draw(20, np.random.default_rng(trial))
        new = drawn[drawn >= 10]
        assert len(set(new.tolist())) == len(new), "no new level is begun twice"
        replays += int((drawn < 10).sum())
    assert abs(replays - 2000) < 5 * np.sqrt(8000 * 0.25 * 0.75)


def test_all_new_levels_are_alike() -> None:
    first = [int(PrioritisedLevelReplay(5).choose(1, np.random.default_rng(trial))[0]) for trial in range(4000)]
    assert (abs(np.bincount(first, minlength=5) - 800) < 5 * np.sqrt(800)).all()


def test_more_games_than_levels_begin_before_any_has_ended() -> None:
    drawn = PrioritisedLevelReplay(3).draw(10, np.random.default_rng(0))
    assert sorted(set(drawn.tolist())) == [0, 1, 2] and sorted(drawn[:3].tolist()) == [0, 1, 2]


def test_a_level_that_was_begun_and_never_ended_is_begun_again() -> None:
    plr = PrioritisedLevelReplay(3)
    plr.note(np.arange(3))
    plr.learn(np.array([0, 1]), np.array([1.0, 2.0]))
    assert 2 in plr.choose(50, np.random.default_rng(0))


def test_the_last_episodes_score_counts_and_equal_ones_rank_by_staleness() -> None:
    plr = PrioritisedLevelReplay(3, staleness=0.0)
    plr.note(np.array([2, 0, 1]))
    plr.learn(np.array([0, 1, 2, 0]), np.array([9.0, 1.0, 1.0, 0.5]))
    order = np.argsort(-plr.replay_distribution())
    assert order.tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("prl", "unknown curriculum 'prl'; did you mean 'plr'?"),
        ("plr:temprature=1", "did you mean 'temperature'?"),
        ("plr:levels=3", "unknown option of the curriculum 'plr' 'levels'"),
        ("plr:temperature=0", "must be more than 0"),
        ("plr:staleness=1.5", "between 0 and 1"),
        ("uniform:temperature=1", "takes no options"),
    ],
)
def test_wrong_words(words: str, said: str) -> None:
    with pytest.raises(UsageError) as told:
        open_curriculum(words, 3)
    assert said in str(told.value) and "\n" not in str(told.value)
    with pytest.raises(UsageError, match="--levels"):
        open_curriculum("plr", 0)
