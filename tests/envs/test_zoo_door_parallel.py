"""The zoo door on parallel environments: all seats act at once, in roles of their own."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pettingzoo
import pytest
from aec_environments import Regatta
from gymnasium import spaces

from lanista.envs import Choice, Turn, make, play
from lanista.envs.core import Array


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    pettingzoo.register("parallel", "test/regatta-v0", Regatta)
    yield
    del pettingzoo.parallel_registry["test/regatta-v0"]


class Skipper:
    """Plays any boat of the regatta, and holds that it is shown one role at a time."""

    def __init__(self, rowing: float = 0.25) -> None:
        self.rowing = rowing

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        sails = set(turn.players.tolist()) == {0}
        assert sails or 0 not in turn.players
        if sails:
            assert {name: value.shape for name, value in turn.observation.items()} == {"wind": (len(turn), 4)}
            assert turn.legal is not None and (turn.legal == [True, True, False, True, False]).all()
            return Choice(np.tile([1, 0], (len(turn), 1)))
        assert turn.legal is None and turn.observation["observation"].shape == (len(turn), 2)
        return Choice(np.full((len(turn), 1), self.rowing))


def test_parallel_environments_are_simultaneous_games() -> None:
    spec = make("zoo:test/regatta_v0").spec
    assert (spec.kind, spec.players, spec.role_of) == ("simultaneous", 3, (0, 1, 1))
    assert spec.roles[0].action == spaces.MultiDiscrete([3, 2]) and spec.roles[0].observation["wind"].shape == (4,)
    game = make("zoo:test/regatta_v0", 2, restart=False)
    game.reset(1)
    plies = list(play(game, [Skipper()]))
    assert [len(ply.turn) for ply in plies] == [6, 6, 4, 2]
    assert plies[0].turn.players.tolist() == [0, 1, 2] * 2 and len(set(plies[0].turn.draws.tolist())) == 6
    assert not any(ply.failures for ply in plies)
    ended = [np.argwhere(ply.outcome.terminated[0]).ravel().tolist() for ply in plies]
    cut = [np.argwhere(ply.outcome.truncated[0]).ravel().tolist() for ply in plies]
    assert ended == [[], [2], [], [0]] and cut == [[], [], [1], []]
    assert [ply.outcome.finished.all() for ply in plies] == [False, False, False, True]
    assert all(ply.outcome.rewards.tolist() == [[1, 0, 0]] * 2 for ply in plies)
    final = plies[2].outcome.final
    assert final is not None and final.players.tolist() == [1, 1]
    assert final.observation["observation"].tolist() == [[3, -3]] * 2
    played = game._tables[0]._env.played  # type: ignore[attr-defined]
    assert [sorted(actions) for actions in played] == [["drift", "row", "sail"]] * 2 + [["row", "sail"], ["sail"]]


def test_seats_that_act_together_may_answer_one_by_one() -> None:
    game = make("zoo:test/regatta_v0", 2)
    game.reset(1)
    answers = {0: [1, 0], 1: [0.25, 0], 2: [-0.5, 0]}
    game.step(np.array([answers[1]]), np.array([1]))
    turn = game.turn()
    assert list(zip(turn.copies.tolist(), turn.players.tolist(), strict=True)) == [
        (0, 0),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
    ]
    assert (turn.plies == 0).all()
    outcome = game.step(np.array([answers[0], answers[2]]), np.array([0, 1]))
    assert outcome.rewards.tolist() == [[1, 0, 0], [0, 0, 0]]
    assert game.turn().plies.tolist() == [1, 1, 1, 0, 0, 0]


def test_a_parallel_environment_that_raises_voids_its_own_game_only() -> None:
    game = make("zoo:test/regatta_v0", 2)
    game.reset(1)
    plies = list(islice(play(game, [Skipper(), Skipper(0.95)], np.array([[0, 0, 0], [0, 1, 0]])), 2))
    assert plies[0].outcome.broken.tolist() == [False, True]
    assert plies[1].turn.games.tolist() == [0, 0, 0, 2, 2, 2]
