"""BabyAI's levels in C++ (`engine=envpool`), beside MiniGrid's: who does what the mission says does it in both."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from lanista.envs import make
from lanista.envs.core import Array, Turn
from lanista.envs.doors.babyai import Senses, drawn, language, senses
from lanista.errors import UsageError
from lanista.perception.inputs.words import token

pytest.importorskip("minigrid")
pytest.importorskip("envpool", reason="the package envpool is not installed")
LEFT, RIGHT, FORWARD = 0, 1, 2
OBJECTS = {"key": 5, "ball": 6, "box": 7}
COLOURS = {"red": 0, "green": 1, "blue": 2, "purple": 3, "yellow": 4, "grey": 5}
FREE = 1  # the cell ahead is empty
ENGINES = ("minigrid", "envpool")


def heeding(turn: Turn, chance: np.random.Generator) -> Array:
    """Goes to what the mission names if it is seen, else looks around; the layout of the view is taken at its word."""
    actions = np.full(len(turn), RIGHT)
    for row, (view, mission) in enumerate(zip(turn.observation["map"], turn.observation["mission"], strict=True)):
        told = set(mission.tolist())
        (kind,) = (number for name, number in OBJECTS.items() if token(name) in told)
        (colour,) = (number for name, number in COLOURS.items() if token(name) in told)
        places = np.argwhere(
            (view[0] == kind) & (view[1] == colour)
        )  # (column, row); the agent is at (3, 6), facing up
        if len(places):
            column, ahead = int(places[0, 0]) - 3, 6 - int(places[0, 1])
            if ahead and (view[0, 3, 5] == FREE):
                actions[row] = FORWARD
            else:
                actions[row] = LEFT if column < 0 else RIGHT
        elif chance.random() < 0.2 and view[0, 3, 5] == FREE:
            actions[row] = FORWARD
    return actions


@pytest.mark.parametrize("engine", ENGINES)
def test_who_heeds_the_mission_reaches_it(engine: str) -> None:
    game = make(f"babyai:GoToObj?engine={engine}", 16)
    game.reset(0)
    chance = np.random.default_rng(0)
    done = over = 0
    while over < 60:
        outcome = game.step(heeding(game.turn(), chance))
        over += int(outcome.finished.sum())
        done += int((outcome.rewards[:, 0] > 0).sum())
    assert done >= 0.9 * over, (done, over)


def test_missions_are_of_the_levels_language_and_kept_for_a_game() -> None:
    game = make("babyai:GoToLocalS5N2?engine=envpool", 8)
    game.reset(3)
    known = {token(word) for word in language("BabyAI-GoToLocalS5N2-v0", "usual")}
    before, seen = game.turn(), set()
    chance = np.random.default_rng(0)
    told = {int(game): row.copy() for game, row in zip(before.games, before.observation["mission"], strict=True)}
    for _ in range(150):
        game.step(chance.integers(0, 7, len(game.turn())))
        turn = game.turn()
        for number, row in zip(turn.games.tolist(), turn.observation["mission"], strict=True):
            assert np.array_equal(told.setdefault(number, row.copy()), row), "a mission changed within a game"
            assert set(row[row > 0].tolist()) <= known
            seen.add(row.tobytes())
    assert len(told) > 8 and len(seen) > 4, "new games have missions of their own"
    assert game.spec.static == {"mission"} and not game.spec.levels and not game.spec.instructed


def test_a_seed_begins_the_same_games_and_one_alone_too() -> None:
    first, again = (make("babyai:GoToDoor-5x5?engine=envpool&map=pixels&phrasing=varied", 4) for _ in range(2))
    first.reset([5, 6, 7, 8])
    again.reset([5, 6, 7, 8])
    for name, rows in first.turn().observation.items():
        assert np.array_equal(rows, again.turn().observation[name])
    again.reset([7], np.array([1]))
    for name, rows in first.turn().observation.items():
        assert np.array_equal(rows[2], again.turn().observation[name][1])
    assert first.turn().observation["map"].shape == (4, 3, 56, 56)


def test_views_are_drawn_many_at_once_as_one_by_one() -> None:
    game = make("babyai:GoToLocal?engine=envpool", 5)
    game.reset(0)
    views = np.moveaxis(game.turn().observation["map"], 1, -1)  # (copies, columns, rows, planes)
    assert np.array_equal(drawn(views), np.stack([drawn(view) for view in views]))


@pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "flite", "festival"))),
    reason="no speech synthesiser here: apt-get install espeak-ng flite festival",
)
def test_a_voice_says_the_mission_of_the_game() -> None:
    game = make("babyai:GoToObj?engine=envpool&mission=both&speakers=2&noise=false", 3)
    game.reset(0)
    chosen: Senses = senses("both", speakers=2, noise=False, engine="envpool")
    assert chosen.speakers is not None
    shown = game.turn().observation
    for words, sound in zip(shown["mission"], shown["speech"], strict=True):
        (kind,) = (name for name in OBJECTS if token(name) in words)
        (colour,) = (name for name in COLOURS if token(name) in words)
        said = [
            chosen.speakers.say(f"go to {article} {colour} {kind}", np.random.default_rng(seed), False)
            for article in ("the", "a")
            for seed in range(8)
        ]
        assert any(np.array_equal(sound, one) for one in said)


def test_levels_that_envpool_lacks_and_unknown_engines_are_named() -> None:
    with pytest.raises(UsageError, match="engine of levels 'envpol'"):
        make("babyai:GoToLocal?engine=envpol", 1)
