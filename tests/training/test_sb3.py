"""Stable-Baselines3 as a trainer: its environments, what it leaves, going on after a stop, and what it refuses."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_runs import CARTPOLE, ROWS, TINY, settings

import lanista
from lanista.agents.action_heads import head_for
from lanista.agents.artifact import load_network
from lanista.agents.contestant import load_agent
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.match import Scheduled, play_games
from lanista.errors import UsageError
from lanista.perception.optimizer_state import optimizer_tensors
from lanista.training.run import create_run, open_run, prolonged, train
from lanista.training.settings import read_settings
from lanista.training.trainers._sb3_algorithms import algorithm_of
from lanista.training.trainers.sb3 import SB3Trainer
from lanista.training.trainers.sb3 import open as open_trainer

needs_contrib = pytest.mark.skipif(importlib.util.find_spec("sb3_contrib") is None, reason="needs sb3-contrib")
CLOCK = "gym:LanistaTestClock-v0"
AIM = "gym:LanistaTestAim-v0"
ALGORITHMS = [
    "ppo",
    "a2c",
    "dqn:learning_starts=10,buffer_size=1000",
    pytest.param("trpo", marks=needs_contrib),
    pytest.param("qrdqn:learning_starts=10,buffer_size=1000", marks=needs_contrib),
    pytest.param("maskable_ppo", marks=needs_contrib),
]


class Clock(gymnasium.Env[Any, Any]):
    """Shows how many steps were made, ends after 3 if action 1 was played first, and is cut off after 5."""

    observation_space = spaces.Box(-np.inf, np.inf, (1,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.made, self.short = 0, False
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.short = self.short or (self.made == 0 and int(action) == 1)
        self.made += 1
        ended = self.short and self.made == 3
        return np.array([self.made], np.float32), float(self.made), ended, self.made == 5, {}


class Aim(gymnasium.Env[Any, Any]):
    """Two real numbers with bounds of their own; remembers what was played."""

    observation_space = spaces.Box(-1, 1, (3,), np.float32)
    action_space = spaces.Box(np.array([0.0, 100.0]), np.array([10.0, 300.0]), (2,), np.float64)
    played: list[Any] = []

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return self.np_random.uniform(-1, 1, 3).astype(np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action)
        self.played.append(action)
        return self.np_random.uniform(-1, 1, 3).astype(np.float32), 0.0, False, self.np_random.random() < 0.1, {}


@pytest.fixture(scope="module", autouse=True)
def environments() -> Iterator[None]:
    gymnasium.register(CLOCK.removeprefix("gym:"), lambda **_: Clock())
    gymnasium.register(AIM.removeprefix("gym:"), lambda **_: Aim())
    yield
    for name in (CLOCK, AIM):
        del gymnasium.registry[name.removeprefix("gym:")]


@pytest.fixture
def trainer(request: pytest.FixtureRequest) -> Iterator[SB3Trainer]:
    """One that has made two updates of the parameters' settings."""
    game, changes = request.param
    made = open_trainer(settings(game, **changes))
    for number in range(2):
        made.update(number, number / 4)
    yield made
    made.close()


def sb3_policy(trainer: SB3Trainer, seen: dict[str, Any], legal: Any) -> torch.Tensor:
    """The probabilities of SB3's own policy, or its action values, (rows, actions); of Box the means."""
    policy = trainer.model.policy
    policy.set_training_mode(False)
    observation: Any = policy.obs_to_tensor(seen)[0]
    with torch.no_grad():
        if hasattr(policy, "quantile_net"):
            values: torch.Tensor = policy.quantile_net(observation).mean(dim=1)
            return values
        if hasattr(policy, "q_net"):
            values = policy.q_net(observation)
            return values
        masks = {"action_masks": legal} if trainer.algorithm.masks else {}
        distribution = policy.get_distribution(observation, **masks).distribution
        told: torch.Tensor = distribution.probs if hasattr(distribution, "probs") else distribution.mean
        return told


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_leaves_an_agent_that_goes_on(algorithm: str, tmp_path: Path) -> None:
    run = train(create_run(tmp_path / "run", settings(algorithm=algorithm)))
    assert run.progress is not None and run.progress.steps == 4 * ROWS
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert rows[-1]["steps"] == 4 * ROWS and rows[-1]["games"] > 0 and 8 < rows[-1]["ep_rew_mean"] < 60
    assert rows[-1]["ep_rew_mean"] == rows[-1]["ep_len_mean"], "each step of CartPole pays 1"
    assert any(np.isfinite(rows[-1].get(name, np.nan)) for name in ("loss", "value_loss"))
    assert rows[0]["learning_rate"] > rows[-1]["learning_rate"] > 0
    before = load_network(run.agent)[0].state_dict()
    again = train(prolonged(open_run(run.folder), steps=6 * ROWS, minutes=0), resume=True)
    assert again.progress is not None and again.progress.steps == 6 * ROWS
    after = load_network(again.agent)[0].state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before if "encoders" in name)
    (played,) = [one for some in play_games(CARTPOLE, [load_agent(again.agent)], [Scheduled((0,), 3)]) for one in some]
    assert played.reason in ("end", "truncated") and played.returns[0] >= 8


ALL: list[tuple[str, Any]] = [
    ("ppo", ()),
    ("a2c", ()),
    ("dqn:learning_starts=10", ()),
    ("trpo", needs_contrib),
    ("qrdqn:learning_starts=10", needs_contrib),
    ("maskable_ppo", needs_contrib),
]
EQUAL = [
    pytest.param((CARTPOLE, {"algorithm": name} | more), marks=marks, id=f"{name.partition(':')[0]}-{len(more)}")
    for name, marks in ALL
    for more in ({"normalize_observation": True}, {"normalize_observation": False, "normalize_value": True})
]


@pytest.mark.parametrize(
    "trainer",
    [
        *EQUAL,
        pytest.param(
            ("connect_four", {"algorithm": "maskable_ppo", "encoder": "auto"}), marks=needs_contrib, id="board"
        ),
        pytest.param(("atari:pong", {"encoder": "auto", "copies": 2, "plies": 8, "minibatch_size": 8}), id="pixels"),
        pytest.param((AIM, {}), id="box"),
    ],
    indirect=True,
)
def test_the_agent_plays_as_the_model(trainer: SB3Trainer) -> None:
    """Equal probabilities, or action values in the game's own rewards; equal values."""
    network = trainer.network().eval()
    turn = trainer.seats._asked
    assert turn is not None and len(turn) == trainer.settings.copies
    seen = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in turn.observation.items()}
    legal = None if turn.legal is None else torch.from_numpy(turn.legal)
    with torch.no_grad():
        parameters, value = network(seen, legal)
    theirs = sb3_policy(trainer, dict(turn.observation), turn.legal)
    deviation = trainer._reward_deviation()
    assert (deviation == 1) == (network.returns is None)
    if trainer.algorithm.replays:
        torch.testing.assert_close(parameters, theirs * deviation, rtol=1e-5, atol=1e-5)
        played = NetworkAgent(network, "dqn", trainer.settings.game).act(turn).actions
        expected, _ = trainer.model.predict(dict(turn.observation), deterministic=True)
        assert (played == expected).all(), "the most likely move is the greedy one"
        return
    if network.log_std is not None:
        torch.testing.assert_close(parameters[:, : theirs.shape[1]], theirs, rtol=0, atol=1e-5)
        torch.testing.assert_close(network.log_std, trainer.model.policy.log_std)
    else:
        torch.testing.assert_close(parameters.softmax(-1), theirs, rtol=0, atol=1e-5)
        assert theirs.std() > 0
    with torch.no_grad():
        their_value = trainer.model.policy.predict_values(trainer.model.policy.obs_to_tensor(dict(turn.observation))[0])
    torch.testing.assert_close(value, their_value[:, 0] * deviation, rtol=1e-5, atol=1e-5)


def test_ended_games_are_told_as_sb3_wants_them() -> None:
    """A game cut off tells its last observation and that it was cut off; the next game is shown in the same step."""
    made = open_trainer(settings(CLOCK, copies=2))
    seats = made.seats
    assert (seats.reset()["observation"] == 0).all()
    shown, infos = [], []
    observation: Any
    for action in (np.array([1, 0]), *[np.zeros(2, np.int64)] * 4):
        observation, rewards, dones, told = seats.step(action)
        shown.append((observation["observation"][:, 0].tolist(), rewards.tolist(), dones.tolist()))
        infos.append(told)
    made.close()
    assert shown == [
        ([1, 1], [1, 1], [False, False]),
        ([2, 2], [2, 2], [False, False]),
        ([0, 3], [3, 3], [True, False]),
        ([1, 4], [1, 4], [False, False]),
        ([2, 0], [2, 5], [False, True]),
    ]
    ended, cut = infos[2][0], infos[4][1]
    assert not ended["TimeLimit.truncated"] and cut["TimeLimit.truncated"]
    assert cut["terminal_observation"]["observation"] == [5]
    assert (ended["episode"]["r"], ended["episode"]["l"]) == (6, 3)
    assert (cut["episode"]["r"], cut["episode"]["l"]) == (15, 5)
    assert infos[2][1] == {} and seats.ended == 2


def test_actions_with_bounds_are_scaled_to_them() -> None:
    """SB3 draws between -1 and 1; what is played lies between the game's own bounds."""
    made = open_trainer(settings(AIM, copies=2))
    assert made.seats.action_space == spaces.Box(-1, 1, (2,), np.float32)
    made.seats.reset()
    Aim.played.clear()
    made.seats.step(np.array([[-1, 0], [0.5, 1]], np.float32))
    made.close()
    np.testing.assert_allclose(np.array(Aim.played), np.array([[0, 200], [7.5, 300]]))


@pytest.mark.parametrize(
    "trainer",
    [(CARTPOLE, {"algorithm": algorithm, "normalize_value": True}) for algorithm in ("ppo", "dqn:learning_starts=10")],
    indirect=True,
)
def test_a_restored_trainer_has_all_that_learning_needs(trainer: SB3Trainer) -> None:
    other = open_trainer(settings(algorithm=trainer.settings.algorithm, normalize_value=True, seed=9))
    other.restore(trainer.network(), trainer.state())
    mine, its = trainer.model.policy.state_dict(), other.model.policy.state_dict()
    assert all(torch.equal(mine[name], its[name]) for name in mine)
    assert other.model.num_timesteps == 2 * ROWS and other.model._n_updates == trainer.model._n_updates > 0
    assert other._reward_deviation() == trainer._reward_deviation() != 1
    first, second = (optimizer_tensors(one.model.policy.optimizer) for one in (trainer, other))
    assert first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)
    other.close()


def test_dqn_does_not_learn_from_an_empty_buffer_after_a_resume() -> None:
    changes = {"algorithm": "dqn:learning_starts=128"}
    first, second = open_trainer(settings(**changes)), open_trainer(settings(**changes))
    for number in range(3):
        first.update(number, 0)
    second.restore(first.network(), first.state())
    gradients = second.model._n_updates
    second.update(3, 0.5)
    assert second.model._n_updates == gradients
    second.update(4, 0.6)
    assert second.model._n_updates > gradients
    first.close()
    second.close()


def test_callbacks_are_called_as_by_sb3_and_can_end_the_run(tmp_path: Path) -> None:
    from stable_baselines3.common.callbacks import BaseCallback

    class Watch(BaseCallback):
        calls: list[str] = []

        def _on_training_start(self) -> None:
            self.calls.append("start")

        def _on_step(self) -> bool:
            self.logger.record("mine/steps", self.num_timesteps)
            return bool(self.num_timesteps < 3 * ROWS)

        def _on_rollout_end(self) -> None:
            self.calls.append("rollout")

        def _on_training_end(self) -> None:
            self.calls.append("end")

    run = lanista.train(CARTPOLE, out=tmp_path / "run", callbacks=[Watch()], **TINY | {"steps": 9 * ROWS})
    assert Watch.calls == ["start", "rollout", "rollout", "end"]
    assert run.interrupted and run.progress is not None and run.progress.steps == 3 * ROWS
    rows = [json.loads(line) for line in (run.folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["mine/steps"] for row in rows] == [ROWS, 2 * ROWS, 3 * ROWS]
    with pytest.raises(UsageError, match="the trainer 'rllib' takes no callbacks"):
        lanista.train("tictactoe", steps=1, out=tmp_path / "other", callbacks=[Watch()])


def test_our_settings_are_sb3s() -> None:
    made = open_trainer(
        settings(gamma=0.9, gae_lambda=0.8, clip_range=0.3, epochs=3, value_coefficient=0.7, max_grad_norm=0.4,
                 entropy_coefficient=0.02, entropy_coefficient_end=0.01, algorithm="ppo:target_kl=0.5")
    )  # fmt: skip
    model = made.model
    assert (model.gamma, model.gae_lambda, model.clip_range(1.0), model.n_epochs) == (0.9, 0.8, 0.3, 3)
    assert (model.vf_coef, model.max_grad_norm, model.n_steps, model.n_envs) == (0.7, 0.4, 16, 4)
    assert (model.batch_size, model.target_kl) == (32, 0.5)
    made.update(0, 0.5)
    assert model.ent_coef == pytest.approx(0.015)
    made.close()


@pytest.mark.parametrize(
    ("game", "changes", "says"),
    [
        (CARTPOLE, {"algorithm": "dqm"}, "unknown algorithm of the trainer 'sb3' 'dqm'; did you mean 'dqn'"),
        (CARTPOLE, {"algorithm": "dqn:buffer_sise=9"}, "did you mean 'buffer_size'"),
        (CARTPOLE, {"algorithm": "dqn:batch_size=9"}, "write --set minibatch_size=VALUE"),
        (CARTPOLE, {"algorithm": "dqn:buffer_size=many"}, "must be int, not 'many'"),
        (CARTPOLE, {"trainer": "rllib", "algorithm": "dqn"}, "learns by ppo, not by 'dqn'"),
        (CARTPOLE, {"runners": 2}, "in one process"),
        (CARTPOLE, {"address": "auto"}, "in one process"),
        (CARTPOLE, {"precision": "bfloat16"}, "computes in float32"),
        (CARTPOLE, {"kl_coefficient": 0.1}, "kl_coefficient"),
        (CARTPOLE, {"target_kl": 0.1}, "'target_kl' is of the trainer 'rllib'"),
        (CARTPOLE, {"adam_beta1": 0.5}, "'adam_beta1' is of the trainer 'rllib'"),
        (CARTPOLE, {"memory": "gru"}, "--memory is of 'rllib'"),
        (CARTPOLE, {"levels": 9}, "--levels and --curriculum are of 'rllib'"),
        ("tictactoe", {"league_size": 4}, "plays no league"),
        ("tictactoe", {}, "--algorithm maskable_ppo, not by ppo"),
        ("zoo:mpe/simple_spread_v3", {}, "of 3 players; --trainer rllib"),
        ("gym:Pendulum-v1", {"algorithm": "dqn"}, "SB3's dqn cannot learn gym:Pendulum-v1"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    game: str, changes: dict[str, Any], says: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=says) as told:
        train(create_run(tmp_path / "run", settings(game, **changes)))
    assert "\n" not in str(told.value)


def test_a_missing_sb3_contrib_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "sb3_contrib", None)
    with pytest.raises(UsageError, match=r"needs the package 'sb3_contrib'.*lanista\[sb3\]"):
        create_run(tmp_path / "run", settings("tictactoe", algorithm="maskable_ppo"))
    assert not (tmp_path / "run").exists()


def test_sb3s_preset_wins_over_the_games() -> None:
    chosen = read_settings("gym:Acrobot-v1", changes={"trainer": "sb3", "algorithm": "dqn:tau=0.5"})
    assert (chosen.precision, chosen.copies, chosen.gamma, chosen.encoder) == ("float32", 8, 0.99, "auto")
    assert chosen.algorithm == "dqn:tau=0.5"
    assert read_settings(CARTPOLE, changes={"trainer": "sb3"}).copies == 16
    assert read_settings(CARTPOLE, changes={"trainer": "sb3", "algorithm": "dqn", "copies": 3}).copies == 3


def test_a_games_table_of_an_algorithm_gives_it_options_and_the_users_win() -> None:
    asked = "DQN:tau=0.5,target_update_interval=99"
    chosen = read_settings(f"{CARTPOLE}?max_episode_steps=9", changes={"trainer": "sb3", "algorithm": asked})
    name, _, options = algorithm_of(chosen)
    assert (name, options["tau"], options["target_update_interval"]) == ("dqn", 0.5, 99)
    assert options["exploration_final_eps"] == 0.04 and chosen.encoder == "mlp:dim=256"
    made = open_trainer(read_settings(CARTPOLE, changes={"trainer": "sb3", "algorithm": "dqn", "threads": 1}))
    model = made.model
    assert (model.n_envs * model.train_freq.frequency, model.gradient_steps, model.batch_size) == (256, 128, 64)
    assert model.lr_schedule(1.0) == pytest.approx(2.3e-3) and model.lr_schedule(0.0) == pytest.approx(1e-4)
    made.close()


def test_the_head_of_several_choices_is_sb3s() -> None:
    from lanista.training.trainers._sb3_games import sampled_space

    assert sampled_space(head_for(spaces.MultiDiscrete([2, 3]), "x")) == spaces.MultiDiscrete([2, 3])
    one_sided = sampled_space(head_for(spaces.Box(np.zeros(1, np.float32), np.full(1, np.inf, np.float32)), "x"))
    assert one_sided == spaces.Box(np.array([0.0], np.float32), np.array([np.inf], np.float32))


def mean_return(agent: str, games: int = 50) -> float:
    schedule = [Scheduled((0,), 1000 + number, label=number) for number in range(games)]
    played = [one for some in play_games(CARTPOLE, [load_agent(agent)], schedule) for one in some]
    return float(np.mean([one.returns[0] for one in played]))


@pytest.mark.slow
@pytest.mark.parametrize(("algorithm", "steps", "least"), [("ppo", 100_000, 400), ("dqn", 50_000, 400)])
def test_the_pole_is_held_up(algorithm: str, steps: int, least: float, tmp_path: Path) -> None:
    """Random play holds it for 22 steps, nobody for more than 500."""
    changes = {"trainer": "sb3", "algorithm": algorithm, "steps": steps, "seed": 1, "threads": 1}
    run = train(create_run(tmp_path / "run", read_settings(CARTPOLE, changes=changes)))
    assert mean_return(run.agent) > least
