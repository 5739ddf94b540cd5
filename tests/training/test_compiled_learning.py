"""Compiled losses, draws, links and perceptrons against torch and plain Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from lanista.agents.action_heads import ILLEGAL
from lanista.agents.categorical import draw_from_logits
from lanista.agents.policy_network import PolicyNetwork, build_network, network_from
from lanista.envs import make
from lanista.errors import UsageError
from lanista.perception.fusion import build_fusion
from lanista.training import ppo
from lanista.training.categorical_loss import Weights, categorical_loss
from lanista.training.linking import END, UNKNOWN, link
from lanista.training.perceptron import perceptron_of
from lanista.training.ppo import PPOSettings, make_optimizer, update
from lanista.training.rollout import Rollout
from lanista.training.settings import read_settings

ROWS, ACTIONS = 64, 7
PLAIN = PPOSettings(precision="float32", symmetry=False, epochs=2, minibatch_size=48, learning_rate=1e-3)


def numbers(seed: int) -> dict[str, torch.Tensor]:
    """A minibatch with illegal actions, whose ratios lie within the clip range and beyond on both sides."""
    generator = torch.Generator().manual_seed(seed)
    legal = torch.rand(ROWS, ACTIONS, generator=generator) < 0.6
    legal[:, 0] |= ~legal.any(1)
    logits = torch.randn(ROWS, ACTIONS, generator=generator)
    masked = logits.masked_fill(~legal, ILLEGAL)
    actions = torch.multinomial(torch.softmax(masked, -1), 1, generator=generator)[:, 0]
    old = torch.log_softmax(masked, -1).gather(1, actions[:, None])[:, 0]
    return {
        "logits": logits,
        "legal": legal,
        "values": torch.randn(ROWS, generator=generator),
        "actions": actions,
        "old": old + 0.3 * torch.randn(ROWS, generator=generator),
        "advantage": torch.randn(ROWS, generator=generator),
        "returns": torch.randn(ROWS, generator=generator),
        "before": (logits + torch.randn(ROWS, ACTIONS, generator=generator)).masked_fill(~legal, ILLEGAL),
    }


@pytest.mark.parametrize("kl_coefficient", [0.0, 0.7])
@pytest.mark.parametrize("entropy_coefficient", [0.0, 0.05])
@pytest.mark.parametrize("clip_range", [0.1, 0.3])
def test_the_loss_and_its_gradient_are_those_of_torch(
    kl_coefficient: float, entropy_coefficient: float, clip_range: float
) -> None:
    given = numbers(1)
    weights = Weights(clip_range, 0.5, entropy_coefficient, kl_coefficient, 2.5)
    found = []
    for compiled in (True, False):
        logits, values = given["logits"].clone().requires_grad_(), given["values"].clone().requires_grad_()
        masked = logits.masked_fill(~given["legal"], ILLEGAL)
        if compiled:
            total, parts = categorical_loss(
                masked, values, given["actions"], given["old"], given["advantage"], given["returns"],
                given["before"] if kl_coefficient else None, weights,
            )  # fmt: skip
        else:
            total, parts = by_torch(masked, values, given, weights)
        (3.0 * total).backward()  # type: ignore[no-untyped-call]
        assert logits.grad is not None and values.grad is not None
        found.append((total.detach(), parts, logits.grad, values.grad))
    assert 0 < found[0][1][-1] < 1, "nothing, or everything, was clipped: the test saw half"
    for mine, torchs in zip(*found, strict=True):
        torch.testing.assert_close(mine, torchs, rtol=1e-5, atol=1e-6)


def by_torch(
    logits: torch.Tensor, values: torch.Tensor, given: dict[str, torch.Tensor], weights: Weights
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss in torch's operations, after the paper's equations."""
    log_policy = torch.log_softmax(logits, -1)
    policy, advantage = log_policy.exp(), given["advantage"]
    log_ratio = log_policy.gather(1, given["actions"][:, None])[:, 0] - given["old"]
    ratio = log_ratio.exp()
    clipped = ratio.clamp(1 - weights.clip_range, 1 + weights.clip_range)
    surrogate = -torch.min(ratio * advantage, clipped * advantage).mean()
    squared = (values - given["returns"]).square().mean() / weights.value_scale
    entropy = -(policy * log_policy).sum(-1).mean()
    divergence = (policy * (log_policy - torch.log_softmax(given["before"], -1))).sum(-1).mean()
    if not weights.kl_coefficient:
        divergence = torch.zeros(())
    total = (
        surrogate
        + weights.value_coefficient * squared
        - weights.entropy_coefficient * entropy
        + weights.kl_coefficient * divergence
    )
    kl, beyond = (ratio - 1 - log_ratio).mean(), ((ratio - 1).abs() > weights.clip_range).float().mean()
    return total, torch.stack([surrogate, squared, entropy, kl, divergence, beyond]).detach()


def test_draws_follow_the_policy_and_never_are_illegal() -> None:
    logits = np.tile(np.array([[0.5, ILLEGAL, -1.0, 2.0, ILLEGAL]], np.float32), (20_000, 1))
    draws = np.random.default_rng(0).integers(0, 2**64, len(logits), dtype=np.uint64)
    draws[:2] = 0, 2**64 - 1  # the least and the greatest
    actions, log_probability = draw_from_logits(logits, draws)
    policy = torch.softmax(torch.from_numpy(logits[0]), -1).numpy()
    counts = np.bincount(actions, minlength=5) / len(actions)
    assert actions[0] == 0 and actions[1] == 3 and counts[1] == counts[4] == 0
    np.testing.assert_allclose(counts, policy, atol=4 * np.sqrt(0.25 / len(actions)))
    np.testing.assert_allclose(np.exp(log_probability), policy[actions], rtol=1e-5)


def test_links_of_seats_and_of_a_shared_board() -> None:
    """Two players in turn on one copy for three plies; the game ends at the second."""
    copies, players, starts = np.zeros(3, np.int64), np.array([0, 1, 0]), np.arange(4)
    gained = np.zeros((3, 1, 2), np.float32)
    gained[1, 0] = -1, 1
    nobody, over = np.zeros((3, 1, 2), bool), np.array([[False], [True], [False]])
    none, cuts = np.zeros(0, np.int64), np.zeros(4, np.int64)
    upcoming = np.zeros(1, np.int64), np.ones(1, np.int64)
    shared = link(copies, players, starts, gained, nobody, nobody, over, none, none, cuts, *upcoming, True)
    assert shared[0].tolist() == [1, END, 3] and shared[2][[0, 2]].tolist() == [-1, -1]
    assert shared[1].tolist() == [0, 1, 0]
    seats = link(copies, players, starts, gained, nobody, nobody, over, none, none, cuts, *upcoming, False)
    assert seats[0].tolist() == [END, END, UNKNOWN] and seats[1].tolist() == [-1, 1, 0]
    cut_off = np.array([[[False, False]], [[True, True]], [[False, False]]])
    seen = np.zeros(2, np.int64), np.arange(2), np.array([0, 0, 2, 2])
    cut = link(copies, players, starts, gained, nobody, cut_off, over, *seen, *upcoming, False)
    assert cut[0].tolist() == [4, 5, UNKNOWN], "one upcoming row, then those that were cut off"


def network_for(name: str, separate: bool, normalize: bool, depth: int = 2) -> PolicyNetwork:
    torch.manual_seed(3)
    spec = make(name).spec
    encoder = f"mlp:dim=24,depth={depth}"
    own = build_fusion(spec.roles[0].observation, encoder) if separate else None
    network = build_network(
        spec, encoder, normalize_observation=normalize, normalize_value=normalize, value_encoder=own
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


CASES = [
    ("tictactoe", False, False, {}),
    ("tictactoe", True, False, {"kl_coefficient": 0.5, "adam_beta1": 0.0}),
    ("gym:CartPole-v1", True, True, {}),
    ("gym:CartPole-v1", False, True, {"target_kl": 0.02, "epochs": 20, "learning_rate": 1e-2}),
]


@pytest.mark.parametrize(("name", "separate", "normalize", "changes"), CASES)
def test_a_compiled_perceptron_plays_and_learns_as_torch_does(
    name: str, separate: bool, normalize: bool, changes: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(PLAIN, **changes)
    told, weights, plays = [], [], []
    for compiled in (True, False):
        if not compiled:
            monkeypatch.setattr(ppo, "perceptron_of", lambda network: None)
            monkeypatch.setattr("lanista.training.rollout.perceptron_of", lambda network: None)
        network = network_for(name, separate, normalize, depth=2 if separate else 3)
        optimizer = make_optimizer(network, settings)
        rollout = Rollout(make(name, 16), network, bfloat16=False, seed=5)
        for number in range(2):  # the second goes on with Adam's moments and moved statistics
            batch = rollout.collect(12, 0.99, 0.95)
            means = update(network, optimizer, batch, settings, 0.5, number)
            plays.append((batch.log_probability, batch.advantages, batch.returns))
        told.append(means)
        weights.append(torch.cat([value.flatten().float() for value in network.state_dict().values()]))
        assert float(optimizer.state[network.policy.weight]["step"]) > 0
    for mine, torchs in zip(plays[:2], plays[2:], strict=True):
        for one, other in zip(mine, torchs, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=2e-4)
    torch.testing.assert_close(weights[0], weights[1], rtol=1e-3, atol=2e-4)
    assert told[0] == pytest.approx(told[1], rel=1e-2, abs=1e-3)


@pytest.mark.parametrize("name", ["tictactoe", "gym:CartPole-v1"])
@pytest.mark.parametrize("separate", [False, True])
def test_a_compiled_perceptron_answers_as_the_network(name: str, separate: bool) -> None:
    network = network_for(name, separate, normalize=True)
    if network.normalizer is not None:
        for moments in network.normalizer.moments.values():
            moments.mean.add_(0.1)  # type: ignore[operator]
            moments.variance.mul_(3.0)  # type: ignore[operator]
    game = make(name, 40)
    game.reset(2)
    turn = game.turn()
    perceptron = perceptron_of(network)
    assert perceptron is not None
    logits, values = perceptron.ask(turn.observation, turn.legal)
    seen = {key: torch.from_numpy(value) for key, value in turn.observation.items()}
    with torch.no_grad():
        wanted = network(seen, torch.from_numpy(np.asarray(turn.legal)))
    np.testing.assert_allclose(logits, wanted[0].numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(values, wanted[1].numpy(), rtol=1e-5, atol=1e-5)


def test_what_is_no_small_perceptron_is_left_to_torch() -> None:
    spec = make("connect_four").spec
    assert perceptron_of(build_network(spec, "board_resnet:channels=4")) is None
    assert perceptron_of(build_network(spec, "mlp:dim=2048")) is None
    assert perceptron_of(build_network(spec, "mlp:dim=8", memory="gru:dim=8")) is None
    assert perceptron_of(build_network(make("gym:Pendulum-v1").spec, "mlp:dim=8")) is None


def test_a_frozen_network_is_not_taught_by_the_compiled_code() -> None:
    network = network_for("tictactoe", False, False)
    network.fusion.freeze(["board"])
    before = network.fusion.state_dict()["encoders.board.layers.0.weight"].clone()
    batch = Rollout(make("tictactoe", 16), network, bfloat16=False, seed=5).collect(6, 1.0, 0.95)
    update(network, make_optimizer(network, PLAIN), batch, PLAIN, 0.0, 0)
    assert torch.equal(network.fusion.state_dict()["encoders.board.layers.0.weight"], before)


@pytest.mark.parametrize("encoder", ["mlp:dim=16", "board_resnet:channels=4"])
def test_an_update_ends_where_the_policy_has_moved_enough(encoder: str) -> None:
    moved = []
    for target in (0.0, 1e-3):
        torch.manual_seed(0)
        network = build_network(make("tictactoe").spec, encoder)
        batch = Rollout(make("tictactoe", 16), network, bfloat16=False, seed=5).collect(6, 1.0, 0.95)
        settings = replace(PLAIN, epochs=10, learning_rate=1e-2, target_kl=target)
        optimizer = make_optimizer(network, settings)
        update(network, optimizer, batch, settings, 0.0, 0)
        moved.append(float(optimizer.state[network.policy.weight]["step"]))
    assert 1 <= moved[1] < moved[0] == 20


def test_a_value_with_encoders_of_its_own() -> None:
    settings = read_settings("tictactoe", changes={"separate_value": True})
    assert settings.separate_value
    network = network_for("tictactoe", True, False)
    again = network_from(network.describe())
    again.load_state_dict(network.state_dict())
    board = {"board": torch.rand(5, *make("tictactoe").spec.roles[0].observation["board"].shape)}  # type: ignore[misc]
    value = again(board)[1]
    torch.testing.assert_close(value, network(board)[1])
    value.sum().backward()
    assert again.value_fusion is not None
    sums = []
    for one in (again.fusion, again.value_fusion):
        found = [parameter.grad for parameter in one.parameters()]
        sums.append(sum(float(gradient.abs().sum()) for gradient in found if gradient is not None))
    assert sums[0] == 0 < sums[1], "the policy's encoders are not the value's"
    with pytest.raises(UsageError, match="separate_value false"):
        read_settings("tictactoe", changes={"separate_value": True, "memory": "gru"})
    with pytest.raises(UsageError, match="separate_value"):
        network_from(network.describe() | {"separate_value": 1})
