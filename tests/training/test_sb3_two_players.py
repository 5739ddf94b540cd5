"""Stable-Baselines3 in games of two: the learner's seats and sides, and the frozen agents it meets."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sb3_runs import settings

from lanista.agents.contestant import load_agent
from lanista.agents.match import score
from lanista.envs.core import Array, Choice, Turn
from lanista.training.run import create_run, train
from lanista.training.settings import read_settings
from lanista.training.trainers._sb3_pool import MOST_SELVES, NEWEST, Pool
from lanista.training.trainers.sb3 import open as open_trainer

if importlib.util.find_spec("sb3_contrib") is None:
    pytest.skip("needs sb3-contrib", allow_module_level=True)


def test_the_learner_sits_on_both_sides_and_meets_frozen_agents() -> None:
    made = open_trainer(settings("tictactoe", algorithm="maskable_ppo", opponents="random", opponent_share=0.5))
    seats, pool = made.seats, made.pool
    assert pool is not None
    rng, first, met = np.random.default_rng(0), [], []
    seats.reset()
    for _ in range(60):
        turn = seats._asked
        assert turn is not None and len(turn) == 4 and (turn.players == seats._seats[turn.copies]).all()
        first += seats._seats.tolist()
        met += seats._who.tolist()
        board = seats._seen()["board"]
        stones = board.sum(axis=(2, 3))
        assert (stones[:, 1] - stones[:, 0] == seats._seats).all(), "the seats' moves alternate"
        masks = np.stack(seats.env_method("action_masks"))
        _, rewards, dones, infos = seats.step(np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]))
        assert (rewards[~dones] == 0).all()
        assert all(info["episode"]["r"] == reward for info, reward in zip(infos, rewards, strict=True) if info)
    made.close()
    assert 0.3 < np.mean(first) < 0.7
    assert set(met) == {-1, 0, NEWEST}, "the fixed opponent, the past self and the newest"


def test_the_pool_spans_the_run_and_survives_a_resume() -> None:
    first = open_trainer(settings("tictactoe", algorithm="maskable_ppo"))
    second = open_trainer(settings("tictactoe", algorithm="maskable_ppo", seed=5))
    spec = first.seats.game.spec
    pool = Pool(spec, 4, [], 0.0, 0)
    for number in range(200):
        pool.add(number, first.network())
    ages = sorted(pool.selves)
    assert len(ages) <= MOST_SELVES and ages == list(range(0, 200, pool.every))
    first.pool = pool
    second.restore(first.network(), first.state())
    assert second.pool is not None and sorted(second.pool.selves) == ages and second.pool.every == pool.every
    for age in ages:
        mine, other = pool.selves[age].state_dict(), second.pool.selves[age].state_dict()
        assert all(torch.equal(mine[name], other[name]) for name in mine)
    first.close()
    second.close()


def test_games_are_shown_from_drawn_sides_and_played_where_the_learner_meant() -> None:
    """A stone is seen where the learner put it, whichever way its board is turned; masks are of the same side."""
    made = open_trainer(settings("tictactoe", algorithm="maskable_ppo", copies=32))
    seats, rng = made.seats, np.random.default_rng(0)
    seats.reset()
    assert len(np.unique(seats._sides)) > 4
    seen: Any
    for _ in range(12):
        before = seats._seen()["board"]
        masks = np.stack(seats.env_method("action_masks"))
        assert (masks.reshape(-1, 3, 3) == (before.sum(axis=1) == 0)).all()
        actions = np.array([rng.choice(np.flatnonzero(mask)) for mask in masks])
        seen, _, dones, _ = seats.step(actions)
        going = np.flatnonzero(~dones)
        board = seen["board"][going]
        assert (board >= before[going]).all()
        assert (board[:, 0].reshape(-1, 9)[np.arange(len(going)), actions[going]] == 1).all()
    made.close()


def test_games_that_end_before_the_learner_moves_are_nobodys() -> None:
    """After an opening a frozen agent may win at once; a new game is begun, and the learner is told of none."""
    made = open_trainer(settings("tictactoe", algorithm="maskable_ppo", copies=64, random_share=1.0, random_plies=8))
    seats, rng = made.seats, np.random.default_rng(0)
    for _ in range(3):
        seats.reset()
        assert seats.ended == 0 and not seats._sums.any()
    assert seats.game.turn().games.max() > 3 * 64, "some games were over before the learner was asked"
    for _ in range(20):
        masks = seats.env_method("action_masks")
        _, _, dones, infos = seats.step(np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]))
        assert all(info["episode"]["l"] >= 1 for info in infos if info)
        assert [bool(info) for info in infos] == dones.tolist()
    made.close()


def test_frozen_agents_get_back_what_they_remember() -> None:
    """Each counts its turns in a copy's game; a new game begins at nothing."""

    class Counts:
        name = "counts"
        wrong = 0

        def act(self, turn: Turn, memory: Array | None = None) -> Choice:
            assert turn.legal is not None
            known = np.zeros((len(turn), 1), np.float32) if memory is None else memory
            self.wrong += int((known[:, 0] != turn.plies // 2).sum())
            return Choice(turn.legal.argmax(axis=1), memory=known + 1)

    agent = Counts()
    made = open_trainer(settings("tictactoe", algorithm="maskable_ppo", random_share=0.0))
    seats, rng = made.seats, np.random.default_rng(0)
    assert made.pool is not None
    made.pool._agents = dict.fromkeys(made.pool._agents, agent)
    seats.reset()
    for _ in range(20):
        masks = seats.env_method("action_masks")
        seats.step(np.array([rng.choice(np.flatnonzero(mask)) for mask in masks]))
    assert seats.ended > 8 and agent.wrong == 0
    made.close()


@pytest.mark.slow
def test_tictactoe_is_learned_against_past_selves(tmp_path: Path) -> None:
    """Of these openings, some of which are lost already, perfect play takes 0.81 of the points and random play 0.5."""
    changes = {"trainer": "sb3", "algorithm": "maskable_ppo", "steps": 150_000, "threads": 1, "copies": 64}
    run = train(create_run(tmp_path / "run", read_settings("tictactoe", changes=changes | {"minibatch_size": 256})))
    assert score("tictactoe", load_agent(run.agent), load_agent("random"), 200, seed=3) > 0.78
