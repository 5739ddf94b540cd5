"""Training with Box and MultiDiscrete actions, values without bounds, and what is normalised."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.agents.contestant import load_agent
from lanista.agents.match import Scheduled, play_games
from lanista.agents.policy_network import PolicyNetwork, build_network
from lanista.agents.running_moments import RunningMoments, moments_of
from lanista.envs import make
from lanista.training.categorical_loss import CLIPPED, KL, POLICY
from lanista.training.ppo import PPOSettings, loss, make_optimizer, update
from lanista.training.rollout import Rollout
from lanista.training.run import Run, create_run, train
from lanista.training.settings import read_settings

PLAIN = PPOSettings(precision="float32", symmetry=False, epochs=1, minibatch_size=64, micro_batch_size=64)
ECHO = "gym:LanistaTestEcho-v0"
TARGET = "gym:LanistaTestTarget-v0"


class Echo(gymnasium.Env[Any, Any]):
    """Shows two digits and pays 1/2 for each that is named; the last option of the second dimension is illegal."""

    observation_space = spaces.Dict({"shown": spaces.Box(0, 1, (5,), np.float32), "action_mask": spaces.MultiBinary(6)})
    action_space = spaces.MultiDiscrete([2, 4])

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = 8
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action[1] < 3, "an illegal action was played"
        reward = float(np.mean(np.asarray(action) == self.wanted))
        self.left -= 1
        return self._shown(), reward, self.left == 0, False, {}

    def _shown(self) -> dict[str, Any]:
        self.wanted = np.array([self.np_random.integers(2), self.np_random.integers(3)])
        shown = np.zeros(5, np.float32)
        shown[self.wanted[0]] = shown[2 + self.wanted[1]] = 1
        return {"shown": shown, "action_mask": np.array([1, 1, 1, 1, 1, 0], np.int8)}


class Target(gymnasium.Env[Any, Any]):
    """Pays by how near the (2, 1) action comes to what is shown; its bounds are not symmetric."""

    observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
    action_space = spaces.Box(np.array([[0.0], [100.0]]), np.array([[10.0], [300.0]]), (2, 1), np.float64)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.left = 8
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), "outside of the bounds"
        wanted = np.array([5, 200]) + np.array([4, 80]) * self.shown
        off = (action[:, 0] - wanted) / np.array([5, 100])
        self.left -= 1
        return self._shown(), -float(np.square(off).sum()), self.left == 0, False, {}

    def _shown(self) -> Any:
        self.shown = self.np_random.uniform(-1, 1, 2)
        return self.shown


@pytest.fixture(scope="module", autouse=True)
def environments() -> Iterator[None]:
    """Small environments of our own, in Gymnasium's registry."""
    gymnasium.register(ECHO.removeprefix("gym:"), lambda **_: Echo())
    gymnasium.register(TARGET.removeprefix("gym:"), lambda **_: Target())
    yield
    for name in (ECHO, TARGET):
        del gymnasium.registry[name.removeprefix("gym:")]


def mean_return(agent: str, game: str, games: int = 100) -> float:
    schedule = [Scheduled((0,), 1000 + number, label=number) for number in range(games)]
    played = [one for some in play_games(game, [load_agent(agent)], schedule) for one in some]
    assert len(played) == games and all(one.reason in ("end", "truncated") for one in played)
    return float(np.mean([one.returns[0] for one in played]))


def learned(folder: Path, game: str, **changes: Any) -> Run:
    return train(create_run(folder / "run", read_settings(game, changes={"checkpoints": 1} | changes)))


@pytest.mark.parametrize(
    ("game", "modality", "width"),
    [
        (ECHO, "shown", 2),
        (TARGET, "observation", 2),
        ("gym:Pendulum-v1", "observation", 1),
        ("gym:MountainCarContinuous-v0", "observation", 1),
        ("zoo:mpe/simple_spread_v3?continuous_actions=true&max_cycles=7", "observation", 5),
    ],
)
def test_the_loss_before_an_update_is_that_of_what_was_played(game: str, modality: str, width: int) -> None:
    """The remembered log-probabilities are those of the samples: the ratio is 1 everywhere."""
    torch.manual_seed(0)
    playing = make(game, 8)
    network = build_network(playing.spec, "mlp:dim=8", normalize_observation=True, normalize_value=True)
    batch = Rollout(playing, network, bfloat16=False, seed=0).collect(20, 0.99, 0.95)
    assert batch.actions.shape == (len(batch.returns), width) and len(batch.returns) > 100
    tensors = [
        torch.from_numpy(value)
        for value in (batch.actions, batch.log_probability, batch.advantages, batch.returns)
    ]  # fmt: skip
    legal = None if batch.legal is None else torch.from_numpy(batch.legal)
    seen = {modality: torch.from_numpy(batch.observation[modality])}
    parts = loss(network, seen, legal, tensors[0], tensors[1], tensors[2], tensors[3], PLAIN, 0.0)
    assert abs(parts.parts[KL].item()) < 1e-6 and parts.parts[CLIPPED].item() == 0
    assert parts.parts[POLICY].item() == pytest.approx(-batch.advantages.mean(), rel=1e-3, abs=1e-4)


def test_the_loss_of_a_gaussian_matches_torch_distributions() -> None:
    torch.manual_seed(0)
    game = make("gym:Pendulum-v1", 16)
    network = build_network(game.spec, "mlp:dim=8", normalize_value=True)
    batch = Rollout(game, network, bfloat16=False, seed=0).collect(16, 0.9, 0.95)
    network.see_returns(torch.from_numpy(batch.returns))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    seen = {"observation": torch.from_numpy(batch.observation["observation"])}
    actions, old = torch.from_numpy(batch.actions), torch.from_numpy(batch.log_probability)
    advantage, returns = torch.from_numpy(batch.advantages), torch.from_numpy(batch.returns)
    got = loss(network, seen, None, actions, old, advantage, returns, PLAIN, 0.02)
    parameters, value = network(seen)
    policy: Any = torch.distributions.Normal(parameters[:, :1], parameters[:, 1:].exp())
    ratio = (policy.log_prob(actions).sum(1) - old).exp()
    surrogate = torch.min(ratio * advantage, ratio.clamp(0.8, 1.2) * advantage).mean()
    squared = ((value - returns) / returns.std(correction=0)).square().mean()
    wanted = -surrogate + 0.5 * squared - 0.02 * policy.entropy().sum(1).mean()
    assert got.total.item() == pytest.approx(wanted.item(), rel=1e-3)
    assert got.parts[CLIPPED] > 0, "nothing was clipped: the test saw nothing"


def test_values_without_bounds_are_bootstrapped_where_a_game_is_cut_off() -> None:
    """Each step pays 1 and the value is 50 everywhere: what n steps before a cut must expect is told by hand."""
    game = make("gym:CartPole-v1?max_episode_steps=5", 8)
    network = build_network(game.spec, "mlp:dim=8")
    assert network.value_range is None
    with torch.no_grad():
        network.value.weight.zero_()
        network.value.bias.fill_(50.0)
    batch = Rollout(game, network, bfloat16=False, seed=0).collect(60, 0.9, 1.0)
    wanted = np.array([sum(0.9**j for j in range(n)) + 0.9**n * 50 for n in range(1, 6)])
    off = np.abs(batch.returns[:, None] - wanted)
    assert off.min(1).max() < 1e-3
    counts = np.bincount(off.argmin(1), minlength=5)
    assert counts.min() > 50, "each number of steps before the cut was seen"


def test_what_ended_is_not_bootstrapped() -> None:
    game = make(ECHO, 8)
    network = build_network(game.spec, "mlp:dim=8")
    with torch.no_grad():
        network.value.weight.zero_()
        network.value.bias.fill_(1000.0)
    batch = Rollout(game, network, bfloat16=False, seed=0).collect(24, 1.0, 1.0)
    complete = batch.returns < 500  # those of the last games, cut by the batch, are above
    assert complete.sum() >= 8 * 16 and batch.returns[complete].max() <= 8


def test_running_moments_are_those_of_all_rows() -> None:
    rows = torch.from_numpy(np.random.default_rng(0).normal(300, [1, 20], (1000, 2)))
    moments = RunningMoments((2,))
    for part in torch.split(rows, [10, 500, 490]):
        moments.take(*moments_of(part), len(part))
    torch.testing.assert_close(moments.mean.double(), rows.mean(0), rtol=1e-5, atol=0)
    torch.testing.assert_close(moments.deviation.double(), rows.std(0, correction=0), rtol=1e-3, atol=0)
    for _ in range(100):
        moments.take(torch.zeros(2).double(), torch.ones(2).double(), 100, memory=300)
    torch.testing.assert_close(moments.deviation, torch.ones(2), rtol=0.01, atol=0)  # what was before has faded


def test_a_new_scale_leaves_the_values_what_they_were() -> None:
    torch.manual_seed(0)
    network = build_network(make("gym:Pendulum-v1").spec, "mlp:dim=8", normalize_value=True)
    seen = {"observation": torch.randn(16, 3)}
    before = network(seen)[1].detach()
    network.see_returns(torch.linspace(-1000, -200, 100))
    torch.testing.assert_close(network(seen)[1].detach(), before, rtol=1e-4, atol=1e-3)
    assert network.returns is not None and network.returns.deviation > 200


def test_an_update_normalises_by_the_observations_it_saw() -> None:
    torch.manual_seed(0)
    game = make(TARGET, 8)
    network = build_network(game.spec, "mlp:dim=8", normalize_observation=True)
    batch = Rollout(game, network, bfloat16=False, seed=0).collect(16, 0.9, 0.95)
    seen = batch.observation["observation"] * 1000 + 7
    batch = replace(batch, observation={"observation": seen})
    update(network, make_optimizer(network, PLAIN), batch, PLAIN, 0.0, 0)
    assert network.normalizer is not None
    normal = network.normalizer({"observation": torch.from_numpy(seen)})["observation"]
    torch.testing.assert_close(normal.mean(0), torch.zeros(2), rtol=0, atol=1e-3)
    torch.testing.assert_close(normal.std(0, correction=0), torch.ones(2), rtol=1e-3, atol=0)


def test_two_learners_share_what_they_normalise_by() -> None:
    """Each learner's shard alone would give other statistics; averaged in place, both hold the whole batch's."""
    networks: list[PolicyNetwork] = []
    halves = torch.tensor([[1.0, 2.0, 3.0, 4.0], [50.0, 60.0, 70.0, 80.0]])
    means = [torch.stack([part.double() for part in moments_of(half)]) for half in halves]
    whole = (means[0] + means[1]) / 2

    def average(tensors: Any) -> None:
        for tensor, value in zip(tensors, whole, strict=True):
            tensor.copy_(value)

    for half in halves:
        torch.manual_seed(0)
        networks.append(build_network(make("gym:Pendulum-v1").spec, "mlp:dim=8", normalize_value=True))
        networks[-1].see_returns(half, average)
    for network in networks:
        assert network.returns is not None
        assert network.returns.mean.item() == pytest.approx(halves.mean().item())
        assert network.returns.deviation.item() == pytest.approx(halves.std(correction=0).item(), rel=1e-4)


@pytest.mark.parametrize(("game", "least"), [(ECHO, 7.0), (TARGET, -0.8)])
def test_a_small_game_of_each_kind_is_learned(tmp_path: Path, game: str, least: float) -> None:
    """Untrained networks bring about 8 * 5/12 and, with their mean, 8 * -2 * 0.64 / 3 = -3.4."""
    short = {"steps": 12_000, "epochs": 5, "copies": 16, "plies": 32, "minibatch_size": 128, "learning_rate": 5e-3}
    run = learned(tmp_path, game, **short, gamma=0.5)
    assert mean_return(run.agent, game) > least


@pytest.mark.slow  # processes that play are tried by default in test_run.py
def test_seats_with_box_actions_are_trained_in_processes_of_their_own(tmp_path: Path) -> None:
    game = "zoo:mpe/simple_spread_v3?continuous_actions=true&max_cycles=7"
    small = {"copies": 4, "plies": 8, "minibatch_size": 32, "epochs": 1, "encoder": "mlp:dim=8", "threads": 1}
    run = learned(tmp_path, game, steps=300, runners=1, normalize_observation=True, normalize_value=True, **small)
    network = load_agent(run.agent).network  # type: ignore[attr-defined]
    assert network.normalizer.moments["observation"].count >= 90  # means over the run's updates, as of all weights


@pytest.mark.slow
def test_cart_pole_is_learned(tmp_path: Path) -> None:
    """150,000 steps, 20 seconds on a core, hold the pole up: the mean over 100 games is at least 475 of 500."""
    run = learned(tmp_path, "gym:CartPole-v1", steps=150_000, seed=1)
    assert mean_return(run.agent, "gym:CartPole-v1") >= 475


@pytest.mark.slow
def test_pendulum_is_learned(tmp_path: Path) -> None:
    """200,000 steps, 40 seconds on a core, swing it up: -300 or better, where random play brings about -1,200."""
    run = learned(tmp_path, "gym:Pendulum-v1", steps=200_000, seed=1)
    assert mean_return(run.agent, "gym:Pendulum-v1") >= -300
