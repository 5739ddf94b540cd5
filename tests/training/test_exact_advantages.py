"""Advantages from the whole tree, against what games bring and against the tree's own values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lanista.agents.exploitability import _reach as reach_of
from lanista.agents.exploitability import action_values, exploitability, policy_of, tree_of
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import PolicyNetwork
from lanista.envs import make
from lanista.errors import UsageError
from lanista.training.exact_advantages import ExactAdvantages
from lanista.training.learner import BatchLearner
from lanista.training.runner import BatchRunner
from lanista.training.settings import TrainSettings, new_network, read_settings
from lanista.training.trainers.rllib import check

COPIES, EARLY = 4096, 6
CHANGES = {
    "copies": COPIES,
    "plies": 16,
    "encoder": "mlp:dim=16",
    "gae_lambda": 1.0,
    "precision": "float32",
    "exact_advantages": False,
    "seats_in_turn": False,
}


def begun(game: str, **changes: Any) -> tuple[PolicyNetwork, TrainSettings]:
    settings = read_settings(game, changes=CHANGES | changes)
    torch.manual_seed(1)
    network = new_network(make(game).spec, settings)
    with torch.no_grad():
        network.policy.weight.mul_(100)  # a policy with opinions
    return network, settings


@pytest.mark.parametrize("game", ["kuhn_poker", "kuhn_poker:players=3", "leduc_poker"])
def test_values_of_actions_are_what_changing_one_set_is_worth(game: str) -> None:
    """A policy that always does `a` in one set is worth more by the set's reach times the action's advantage."""
    tree = tree_of(game)
    legal = np.concatenate([np.asarray(turn.legal) for turn in tree.turns])
    generator = np.random.default_rng(0)
    policy = np.where(legal, generator.uniform(0.1, 1, legal.shape), 0)
    policy /= policy.sum(1, keepdims=True)
    values = action_values(tree, policy)
    assert (values[~legal] == 0).all()
    reach, owner = np.zeros(len(policy)), np.zeros(len(policy), int)
    for level, likely in zip(tree.levels, reach_of(tree, policy, None), strict=True):
        np.add.at(reach, level.sets, likely)
        owner[level.sets] = level.players
    whole = exploitability(tree, policy).values
    for number in generator.permutation(len(policy))[:12].tolist():
        for action in np.flatnonzero(legal[number]).tolist():
            changed = policy.copy()
            changed[number] = np.eye(legal.shape[1])[action]
            gain = exploitability(tree, changed).values[owner[number]] - whole[owner[number]]
            advantage = values[number, action] - policy[number] @ values[number]
            assert gain == pytest.approx(reach[number] * advantage, abs=1e-9)


@pytest.mark.parametrize("game", ["kuhn_poker", "leduc_poker"])
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])  # in compiled arrays, and on torch
def test_they_are_the_mean_of_what_games_bring(game: str, precision: str) -> None:
    network, settings = begun(game, precision=precision)
    runner = BatchRunner(network, settings)
    assert runner.env.spec.longest is not None and EARLY + runner.env.spec.longest <= settings.plies
    exact = ExactAdvantages(replace(settings, exact_advantages=True))
    (estimated,) = runner.sample(0).batches.values()  # with lambda 1, what is told is how the game ended
    (told,) = exact.tell(runner.rollout.learner, {"player": estimated}).values()
    looks = np.concatenate([seen.reshape(len(seen), -1) for seen in told.observation.values()], axis=1)
    cases = np.unique(np.c_[looks, told.actions], axis=0, return_inverse=True)[1].reshape(-1)
    checked = 0
    ended = np.arange(len(cases)) < EARLY * COPIES  # of the first plies, whose games have come to their ends
    for case in range(cases.max() + 1):
        rows = (cases == case) & ended
        if not rows.any():
            continue
        got, wanted = estimated.returns[rows], (told.advantages + told.returns)[rows]
        assert np.ptp(wanted) < 1e-4
        if len(got) >= 200:
            assert abs(got.mean() - wanted[0]) < 5 * got.std() / np.sqrt(len(got)) + 1e-3
            checked += 1
    assert checked >= 10


@pytest.mark.thorough
def test_a_small_game_is_settled_by_them() -> None:
    changes = {"copies": 128, "plies": 8, "minibatch_size": 512, "exact_advantages": True, "seats_in_turn": True,
               "adam_beta1": 0.0, "normalize_advantage": False, "entropy_coefficient": 0.3, "schedule": "exponential",
               "entropy_coefficient_end": 0.01, "learning_rate": 3e-3, "learning_rate_end": 1e-4}  # fmt: skip
    network, settings = begun("kuhn_poker", **changes)
    runner, learner = BatchRunner(network, settings), BatchLearner(network, settings)
    tree = tree_of("kuhn_poker")

    def gains() -> float:
        agent = NetworkAgent(network.eval(), "one", "kuhn_poker", "float32")
        return exploitability(tree, policy_of(agent, tree)).nash_conv

    before, updates = gains(), 800
    for number in range(updates):
        learner.update(runner.sample(number).batches, number / updates, number)
    assert before > 0.5 and gains() < 0.04


@pytest.mark.parametrize(
    ("game", "changes", "says"),
    [
        ("connect_four", {}, "as leduc_poker; connect_four is none"),
        ("leduc_poker", {"memory": "gru", "separate_value": False}, "leave memory empty"),
        ("leduc_poker", {"opponents": "random", "opponent_share": 0.5}, "leave 'opponents'"),
        ("leduc_poker", {"league_size": 4}, "leave 'league_size'"),
    ],
)
def test_where_there_are_none_it_is_said(game: str, changes: dict[str, Any], says: str) -> None:
    settings = read_settings(game, changes=changes | {"exact_advantages": True, "copies": 8})
    with pytest.raises(UsageError, match=says):
        check(settings)
