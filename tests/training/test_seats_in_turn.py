"""Updates that learn from one seat's moves alone."""

from __future__ import annotations

import numpy as np
import pytest

from lanista.agents.policy_network import build_network
from lanista.envs import make
from lanista.training.learner import BatchLearner
from lanista.training.ppo import Batch
from lanista.training.rollout import Rollout
from lanista.training.runner import BatchRunner, metrics_of
from lanista.training.settings import new_network, read_settings


def batches(name: str, seat: int | None) -> tuple[list[Batch], int]:
    """Two batches of a game that is played the same whoever learns, and how many moves they tell of."""
    network = build_network(make(name).spec, "mlp:dim=8", memory="gru:dim=4")
    for weights in network.parameters():
        weights.data.fill_(0.01)
    rollout = Rollout(make(name, 20), network, bfloat16=False, seed=5)
    found, told = [], 0
    for _ in range(2):
        (batch,) = rollout.collect_roles(7, 1.0, 0.9, seat).values()
        found.append(batch)
        told += rollout.told
    return found, told


@pytest.mark.parametrize("name", ["leduc_poker", "tictactoe", "kuhn_poker:players=3"])
def test_all_seats_together_give_what_they_give_one_by_one(name: str) -> None:
    players = make(name).spec.players
    everyone, moves = batches(name, None)
    assert moves == sum(len(batch.actions) for batch in everyone)
    alone = [batches(name, seat) for seat in range(players)]
    assert [told for _, told in alone] == [moves] * players
    for number, both in enumerate(everyone):
        assert both.stream is not None
        for seat in range(players):
            own = alone[seat][0][number]
            mine = both.stream % players == seat
            assert mine.any()
            for column in ("actions", "log_probability", "advantages", "returns", "stream"):
                np.testing.assert_array_equal(getattr(own, column), getattr(both, column)[mine])
            for modality, seen in both.observation.items():
                np.testing.assert_array_equal(own.observation[modality], seen[mine])


def test_the_seats_learn_one_after_the_other() -> None:
    """Moves are counted as they are played; the rows are of one seat."""
    changes = {"copies": 16, "plies": 8, "seats_in_turn": True, "encoder": "mlp:dim=8", "memory": "gru:dim=4"}
    settings = read_settings(
        "leduc_poker", changes=changes | {"separate_value": False, "minibatch_size": 32, "exact_advantages": False}
    )
    network = new_network(make("leduc_poker").spec, settings)
    runner, learner = BatchRunner(network, settings), BatchLearner(network, settings)
    for number in range(4):
        sample = runner.sample(number)
        (batch,) = sample.batches.values()
        assert batch.stream is not None and set((batch.stream % 2).tolist()) == {number % 2}
        assert metrics_of([sample], None, None)["steps"] == sample.moves > len(batch.actions) > 0
        assert learner.update(sample.batches, 0.5, number)["entropy"] > 0
