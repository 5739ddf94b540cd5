"""PPO against independent computations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lanista.agents.policy_network import PolicyNetwork, build_network
from lanista.agents.symmetry import turnings
from lanista.envs import make
from lanista.envs.core import Choice
from lanista.errors import UsageError
from lanista.training.advantage_estimation import Trajectory, advantages
from lanista.training.categorical_loss import CLIPPED
from lanista.training.ppo import Batch, PPOSettings, loss, make_optimizer, update
from lanista.training.rollout import Rollout
from lanista.training.settings import TrainSettings

PLAIN = PPOSettings(precision="float32", symmetry=False, epochs=1, minibatch_size=64, micro_batch_size=64)


def test_advantages_of_a_single_player_match_the_textbook() -> None:
    """Equation 16 of Schulman et al. 2016 as a double sum."""
    generator = np.random.default_rng(0)
    rewards = generator.normal(size=9).astype(np.float32)
    values = generator.normal(size=10).astype(np.float32)
    following = np.arange(1, 10)
    following[4] = -1  # a game ends within
    gamma, lam = 0.9, 0.8
    got = advantages(Trajectory(values[:9], rewards, following, np.ones(9, np.float32), values[9:]), gamma, lam)
    for row in range(9):
        stop = 4 if row <= 4 else 8
        wanted = 0.0
        for later in range(row, stop + 1):
            beyond = 0.0 if later == 4 else values[later + 1]
            wanted += (gamma * lam) ** (later - row) * (rewards[later] + gamma * beyond - values[later])
        assert got[row] == pytest.approx(wanted, rel=1e-5)


def test_advantages_change_sign_between_the_seats() -> None:
    values = np.array([0.1, -0.2, 0.3], np.float32)
    rewards = np.array([0, 0, 1], np.float32)
    got = advantages(
        Trajectory(values, rewards, np.array([1, 2, -1]), np.array([-1, -1, 1], np.float32), np.zeros(0, np.float32)),
        1,
        1,
    )
    # With lambda 1 the advantage is the game's return for the mover, less the value.
    np.testing.assert_allclose(got, [1 - 0.1, -1 + 0.2, 1 - 0.3], rtol=1e-6)


def returns_by_hand(name: str, plies: int) -> tuple[Batch, list[float]]:
    """A batch with lambda 1 and gamma 1, and each row's return found by looking ahead in recorded games."""
    torch.manual_seed(0)
    game = make(name, 16)
    network = build_network(game.spec, "mlp:dim=8")
    rollout = Rollout(game, network, bfloat16=False, seed=3)
    record: list[tuple[int, int, np.ndarray, bool]] = []
    step = game.step

    def spy(actions: np.ndarray, rows: np.ndarray | None = None):  # type: ignore[no-untyped-def]
        turn = game.turn()
        outcome = step(actions, rows)
        for copy, player in zip(turn.copies, turn.players, strict=True):
            record.append((int(copy), int(player), outcome.rewards[copy].copy(), bool(outcome.finished[copy])))
        return outcome

    game.step = spy  # type: ignore[method-assign]
    batch = rollout.collect(plies, 1.0, 1.0)
    upcoming = game.turn()
    bootstrap = rollout.learner.evaluate(upcoming)[1].numpy()
    next_player = dict(zip(upcoming.copies.tolist(), upcoming.players.tolist(), strict=True))
    values = dict(zip(upcoming.copies.tolist(), bootstrap.tolist(), strict=True))
    wanted = []
    for number, (copy, player, _, _) in enumerate(record):
        total, ended = 0.0, False
        for later_copy, _, rewards, finished in record[number:]:
            if later_copy == copy:
                total += float(rewards[player])
                if finished:
                    ended = True
                    break
        if not ended:
            total += values[copy] * (1 if next_player[copy] == player else -1)
        wanted.append(total)
    return batch, wanted


@pytest.mark.parametrize("name", ["tictactoe", "connect_four"])
def test_a_rollouts_returns_are_those_of_the_games(name: str) -> None:
    batch, wanted = returns_by_hand(name, 40)
    assert len(batch.actions) == len(wanted) == 40 * 16
    np.testing.assert_allclose(batch.returns, np.clip(wanted, -1, 1), atol=1e-5)
    assert {1.0, -1.0} & set(np.round(batch.returns, 4).tolist()), "no game ended: the test saw nothing"


def test_single_player_rows_are_bootstrapped_where_a_game_is_cut_off() -> None:
    torch.manual_seed(0)
    game = make("gym:CartPole-v1?max_episode_steps=5", 4)
    network = build_network(game.spec, "mlp:dim=8")
    rollout = Rollout(game, network, bfloat16=False, seed=0)
    batch = rollout.collect(40, 1.0, 1.0)
    returns, lengths = rollout.take_finished()
    assert lengths.max() == 5 and (returns[:, 0] == lengths).all()
    # A game that is cut off after five steps goes on in the value's view: its returns exceed what is left of it.
    assert (batch.returns > 5 + 1e-3).any() or (batch.returns < 1 - 1e-3).any()


def test_rows_of_an_observation_game_wait_for_their_successor() -> None:
    """Without the zero-sum view each seat is followed along its own turns; the last rows wait, none is lost."""
    game = make("zoo:classic/tictactoe_v3", 4)
    assert not game.spec.zero_sum
    torch.manual_seed(0)
    rollout = Rollout(game, build_network(game.spec, "mlp:dim=8"), bfloat16=False, seed=1)
    played, told = 0, 0
    for _ in range(6):
        batch = rollout.collect(3, 1.0, 0.95)
        played += 3 * 4
        told += len(batch.actions)
        assert played - told == sum(int(step.open.sum()) for step in rollout._left) <= 8
    assert told > 40


def random_batch(rows: int = 256) -> tuple[PolicyNetwork, Batch]:
    torch.manual_seed(1)
    game = make("connect_four", 32)
    network = build_network(game.spec, "mlp:dim=16")
    return network, Rollout(game, network, bfloat16=False, seed=2).collect(rows // 32, 1.0, 0.95)


def test_the_loss_matches_torch_distributions() -> None:
    network, batch = random_batch()
    tensors = [
        torch.from_numpy(value)
        for value in (batch.legal, batch.actions, batch.log_probability, batch.advantages, batch.returns)
    ]
    seen = {name: torch.from_numpy(value) for name, value in batch.observation.items()}
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    legal, actions, old, advantage, returns = tensors
    got = loss(network, seen, legal, actions, old, advantage, returns, PLAIN, 0.02)
    logits, value = network(seen, legal)
    policy: Any = torch.distributions.Categorical(logits=logits)
    ratio = (policy.log_prob(actions) - old).exp()
    surrogate = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
    wanted = -surrogate + 0.5 * (value - returns).square().mean() - 0.02 * policy.entropy().mean()
    assert got.total.item() == pytest.approx(wanted.item(), rel=1e-4)
    assert got.parts[CLIPPED] > 0, "nothing was clipped: the test saw nothing"
    earlier = logits.detach() + 0.3 * torch.randn_like(logits) * legal
    held = replace(PLAIN, kl_coefficient=0.7)
    more = loss(network, seen, legal, actions, old, advantage, returns, held, 0.02, earlier)
    apart = torch.distributions.kl_divergence(policy, torch.distributions.Categorical(logits=earlier)).mean()
    assert more.total.item() == pytest.approx((got.total + 0.7 * apart).item(), rel=1e-4)


def test_a_large_divergence_weight_holds_the_policy() -> None:
    moved = []
    for weight in (0.0, 100.0):
        network, batch = random_batch()
        seen = {name: torch.from_numpy(value) for name, value in batch.observation.items()}
        legal = torch.from_numpy(batch.legal)
        with torch.no_grad():
            first = network.head.distribution(network(seen, legal)[0])
            settings = replace(PLAIN, kl_coefficient=weight, epochs=4, learning_rate=3e-3)
        update(network, make_optimizer(network, settings), batch, settings, 0.0, 7)
        with torch.no_grad():
            moved.append(network.head.distribution(network(seen, legal)[0]).divergence(first).mean().item())
    assert 0 < moved[1] < 0.2 * moved[0]


def test_micro_batches_give_the_gradient_of_the_whole() -> None:
    weights = []
    for micro in (64, 16):
        network, batch = random_batch()
        optimizer = torch.optim.SGD(network.parameters(), lr=1.0)
        update(network, optimizer, batch, replace(PLAIN, micro_batch_size=micro), 0.0, 7)
        weights.append(torch.cat([parameter.detach().flatten() for parameter in network.parameters()]))
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-4, atol=1e-5)


def test_the_same_seed_gives_the_same_weights() -> None:
    weights = []
    for seed in (5, 5, 6):
        network, batch = random_batch()
        update(network, make_optimizer(network, PLAIN), batch, PLAIN, 0.0, seed)
        weights.append(torch.cat([parameter.detach().flatten() for parameter in network.parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_illegal_actions_get_no_probability() -> None:
    network, batch = random_batch()
    legal = torch.from_numpy(batch.legal).clone()
    legal[:, 3] = False
    seen = {name: torch.from_numpy(value) for name, value in batch.observation.items()}
    logits, _ = network(seen, legal)
    assert torch.softmax(logits, -1)[:, 3].max() == 0


@pytest.mark.parametrize("name", ["tictactoe", "connect_four"])
def test_a_turned_position_is_the_turned_game(name: str) -> None:
    """A symmetry turns observation, mask and action together: playing the turned action gives the turned position."""
    spec = make(name).spec
    for turning in turnings(spec):
        game, mirror = make(name, 64, restart=False), make(name, 64, restart=False)
        game.reset(4)
        mirror.reset(4)
        while len(turn := game.turn()):
            seen = {key: torch.from_numpy(value) for key, value in turn.observation.items()}
            mask = np.asarray(turn.legal)
            actions = torch.from_numpy((mask * np.random.default_rng(len(turn)).random(mask.shape)).argmax(1))
            turned, legal, other = turning.turn(seen, torch.from_numpy(mask), actions)
            there = mirror.turn()
            for key, value in turned.items():
                assert np.array_equal(value.numpy(), there.observation[key])
            assert np.array_equal(legal.numpy(), np.asarray(there.legal))
            game.step(actions.numpy())
            mirror.step(other.numpy())


def test_schedules_move_from_start_to_end() -> None:
    settings = PPOSettings(
        learning_rate=1.0, learning_rate_end=0.0, entropy_coefficient=0.5, entropy_coefficient_end=0.1
    )
    assert settings.at(0.0) == (1.0, 0.5)
    assert settings.at(0.5) == pytest.approx((0.5, 0.3))
    assert settings.at(2.0) == pytest.approx((0.0, 0.1))


def test_an_exponential_schedule_moves_by_equal_factors() -> None:
    settings = PPOSettings(
        learning_rate=1e-2, learning_rate_end=1e-4, entropy_coefficient=0.1, entropy_coefficient_end=0.1,
        schedule="exponential",
    )  # fmt: skip
    assert settings.at(0.25) == pytest.approx((1e-2 * 10**-0.5, 0.1))
    assert settings.at(1.0) == pytest.approx((1e-4, 0.1))


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"schedule": "exponentiel"}, "exponential"),
        ({"schedule": "exponential", "learning_rate_end": 0.0}, "learning_rate_end"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        TrainSettings(game="tictactoe", **values)  # type: ignore[arg-type]


def test_a_choice_of_the_learner_is_drawn_from_its_policy() -> None:
    """Frequencies of drawn actions against the policy, and the remembered probabilities."""
    torch.manual_seed(0)
    game = make("connect_four", 4096)
    network = build_network(game.spec, "mlp:dim=8")
    with torch.no_grad():
        network.policy.bias.copy_(torch.linspace(-1, 1, 7))
    rollout = Rollout(game, network, bfloat16=False, seed=9)
    turn = game.turn()
    choice: Choice = rollout.learner.act(turn)
    logits, _ = rollout.learner.evaluate(turn)
    policy = torch.softmax(logits, -1)[0].numpy()
    counts = np.bincount(choice.actions, minlength=7) / 4096
    assert np.abs(counts - policy).max() < 4 * np.sqrt(0.25 / 4096)
    np.testing.assert_allclose(np.exp(rollout.learner.played[0].log_probability), policy[choice.actions], rtol=1e-5)
