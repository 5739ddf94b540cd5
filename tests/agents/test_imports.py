"""Models of Stable-Baselines3 and RLlib become agents that answer as the models do, and no code of theirs is run."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

from lanista.agents.artifact import load_network
from lanista.agents.contestant import load_agent
from lanista.agents.import_model import import_model
from lanista.agents.policy_network import PolicyNetwork
from lanista.envs import make
from lanista.envs.core import start_agent
from lanista.errors import UsageError

PENDULUM, CARTPOLE = "gym:Pendulum-v1", "gym:CartPole-v1"


class Screen(gymnasium.Env[Any, Any]):
    """A picture of noise and two actions; or numbers and switches."""

    def __init__(self, switches: bool = False) -> None:
        picture = spaces.Box(0, 255, (2, 40, 44), np.uint8)
        self.observation_space: Any = spaces.Box(-1, 1, (3,), np.float32) if switches else picture
        self.action_space: Any = spaces.MultiBinary(3) if switches else spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        self.observation_space.seed(int(self.np_random.integers(2**31)))
        return self.observation_space.sample(), {}

    def step(self, action: Any) -> Any:
        return self.observation_space.sample(), 0.0, False, False, {}


@pytest.fixture(autouse=True, scope="module")
def screens() -> Any:
    gymnasium.register("test/Screen-v0", lambda **options: Screen(**options), max_episode_steps=9)
    yield
    del gymnasium.registry["test/Screen-v0"]


def shaken(module: torch.nn.Module) -> None:
    """Weights large enough for answers to differ from observation to observation."""
    torch.manual_seed(1)
    with torch.no_grad():
        for value in module.parameters():
            value.add_(0.2 * torch.randn(value.shape))


def asked(game: str, network: PolicyNetwork, rows: int = 32) -> tuple[Any, Any, Any]:
    """Observations of random play, and what an imported network answers."""
    table = make(game, rows)
    table.reset(0)
    for _ in range(3):
        turn = table.turn()
        table.step(np.stack([table.spec.roles[0].action.sample() for _ in range(len(turn))]))
    (rows_seen,) = table.turn().observation.values()
    modality = next(iter(table.spec.roles[0].observation.spaces))
    with torch.no_grad():
        parameters, value = network({modality: torch.from_numpy(np.array(rows_seen))})
    return np.array(rows_seen), parameters, value


def imported(path: Path, game: str, **options: Any) -> PolicyNetwork:
    out = path.with_suffix(".agent")
    import_model(path, game, out, **options)
    start_agent(load_agent(out), make(game).spec, 0)
    return load_network(out)[0]


@pytest.mark.parametrize(
    ("algorithm", "game", "policy", "options"),
    [
        ("PPO", CARTPOLE, "MlpPolicy", {}),
        ("A2C", CARTPOLE, "MlpPolicy", {"net_arch": [32, 32, 32], "activation_fn": torch.nn.ReLU}),
        ("PPO", PENDULUM, "MlpPolicy", {}),
        ("PPO", "gym:test/Screen-v0?switches=true", "MlpPolicy", {}),
        ("PPO", "gym:test/Screen-v0", "CnnPolicy", {}),
        ("PPO", "gym:FrozenLake-v1", "MlpPolicy", {}),
        ("DQN", CARTPOLE, "MlpPolicy", {}),
        ("DQN", "gym:test/Screen-v0", "CnnPolicy", {}),
    ],
)
def test_it_answers_as_sb3s_model(algorithm: str, game: str, policy: str, options: Any, tmp_path: Path) -> None:
    import stable_baselines3

    name, _, given = game.removeprefix("gym:").partition("?")
    env = gymnasium.make(name, **({"switches": True} if given else {}))
    small = {"buffer_size": 50} if algorithm == "DQN" else {"n_steps": 8}
    model = getattr(stable_baselines3, algorithm)(policy, env, policy_kwargs=options, device="cpu", **small)
    shaken(model.policy)
    model.save(tmp_path / "model.zip")
    network = imported(tmp_path / "model.zip", game)
    seen, parameters, value = asked(game, network)
    if game == "gym:FrozenLake-v1":
        seen = seen.argmax(1)
    with torch.no_grad():
        rows, _ = model.policy.obs_to_tensor(seen)
        if algorithm == "DQN":
            wanted = model.q_net(rows)
            torch.testing.assert_close(parameters, wanted, atol=1e-4, rtol=1e-4)
        else:
            theirs = model.policy.get_distribution(rows).distribution
            torch.testing.assert_close(value, model.policy.predict_values(rows)[:, 0], atol=1e-4, rtol=1e-4)
    head = network.head.distribution(parameters)
    if algorithm == "DQN":
        assert parameters.std(0).max() > 1e-6, "all observations look the same to it"
        return
    if isinstance(env.action_space, spaces.Box):
        played = network.head.played(head.mode())
        low, high = env.action_space.low, env.action_space.high
        np.testing.assert_allclose(played, np.clip(theirs.mean.numpy(), low, high), atol=1e-4)
        half = (high - low) / 2
        _, log_std = torch.split(parameters, len(low), -1)
        np.testing.assert_allclose(log_std.exp().numpy() * half, theirs.stddev.numpy(), rtol=1e-4)
    elif isinstance(env.action_space, spaces.MultiBinary):
        on = np.asarray(head.policy())[:, 1::2]
        np.testing.assert_allclose(on, theirs.probs.numpy(), atol=1e-4)
    else:
        np.testing.assert_allclose(np.asarray(head.policy()), theirs.probs.numpy(), atol=1e-4)


@pytest.mark.parametrize("shared", [False, True])
def test_it_answers_as_rllibs_module(shared: bool, tmp_path: Path) -> None:
    from ray.rllib.algorithms.ppo.torch.default_ppo_torch_rl_module import DefaultPPOTorchRLModule

    env = gymnasium.make("CartPole-v1")
    module = DefaultPPOTorchRLModule(
        observation_space=env.observation_space, action_space=env.action_space,
        model_config={"vf_share_layers": shared, "fcnet_hiddens": [16, 16], "fcnet_activation": "relu"},
    )  # fmt: skip
    shaken(module)
    folder = tmp_path / "checkpoint"
    module.save_to_path(folder / "learner_group" / "learner" / "rl_module" / "default_policy")
    (folder / "rllib_checkpoint.json").write_text(json.dumps({"ray_version": "2.60.0"}))
    network = imported(folder, CARTPOLE, activation="relu")
    seen, parameters, value = asked(CARTPOLE, network)
    with torch.no_grad():
        batch = {"obs": torch.from_numpy(seen)}
        torch.testing.assert_close(parameters, module.forward_inference(batch)["action_dist_inputs"])
        torch.testing.assert_close(value, module.compute_values(batch))


class Payload:
    """Writes a file when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return Path.touch, (self.target,)


def zipped(path: Path, weights: bytes, settings: Any = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("policy.pth", weights)
        archive.writestr("data", json.dumps({} if settings is None else settings))
    return path


def test_no_code_of_a_model_is_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    evil = io.BytesIO()
    torch.save({"action_net.weight": Payload(ran)}, evil)
    with pytest.raises(UsageError, match="cannot be read as a model of Stable-Baselines3"):
        import_model(zipped(tmp_path / "evil.zip", evil.getvalue()), CARTPOLE, tmp_path / "out")
    module = tmp_path / "evil" / "learner_group" / "learner" / "rl_module" / "default_policy"
    module.mkdir(parents=True)
    (tmp_path / "evil" / "rllib_checkpoint.json").write_text("{}")
    (module / "module_state.pkl").write_bytes(pickle.dumps({"pi.net.mlp.0.weight": Payload(ran)}))
    with pytest.raises(UsageError, match="cannot be read as a module of RLlib"):
        import_model(tmp_path / "evil", CARTPOLE, tmp_path / "out")
    assert not ran.exists() and not (tmp_path / "out").exists()
    pickle.loads(pickle.dumps(Payload(ran)))
    assert ran.exists(), "the payload does nothing, so that the test saw nothing"


def test_what_cannot_be_imported_is_said_in_a_sentence(tmp_path: Path) -> None:
    import stable_baselines3 as sb3

    def refused(path: Path, said: str, game: str = CARTPOLE, **options: Any) -> None:
        with pytest.raises(UsageError, match=said) as error:
            import_model(path, game, tmp_path / "out", **options)
        assert "\n" not in str(error.value) and not (tmp_path / "out").exists()

    cartpole, pendulum = gymnasium.make("CartPole-v1"), gymnasium.make("Pendulum-v1")
    sb3.PPO("MlpPolicy", cartpole, n_steps=8).save(tmp_path / "ppo.zip")
    sb3.PPO("MlpPolicy", cartpole, n_steps=8, policy_kwargs={"net_arch": [8, 4]}).save(tmp_path / "uneven.zip")
    sb3.SAC("MlpPolicy", pendulum, buffer_size=50).save(tmp_path / "sac.zip")
    refused(tmp_path / "none.zip", "there is no model at")
    (tmp_path / "text.zip").write_text("no archive")
    refused(tmp_path / "text.zip", "is no model that rllib or sb3 saved")
    refused(tmp_path / "ppo.zip", "does not fit gym:Acrobot-v1", "gym:Acrobot-v1")
    refused(tmp_path / "ppo.zip", "sees one array, and gym:Blackjack-v1 shows|does not fit", "gym:Blackjack-v1")
    refused(tmp_path / "ppo.zip", "unknown option of a model of sb3 'module'", module="x")
    refused(tmp_path / "uneven.zip", "of 8-4 units; they must be equally wide")
    refused(tmp_path / "sac.zip", "is no model that can be imported: PPO, A2C", PENDULUM)
    whole = (tmp_path / "ppo.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "half.zip", "is no model that|cannot be read")
    refused(zipped(tmp_path / "empty.zip", b"", {}), "cannot be read as a model of Stable-Baselines3")
