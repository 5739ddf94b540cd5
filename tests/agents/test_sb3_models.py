"""Models of Stable-Baselines3 as contestants: only if trusted, in a process of their own, and only where they fit."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces

import lanista
from lanista.agents.kinds.sb3 import algorithm_of
from lanista.agents.match import Scheduled, play_games
from lanista.cli.main import main
from lanista.envs import make
from lanista.envs.core import start_agent
from lanista.errors import UsageError

contrib = pytest.importorskip("sb3_contrib")
sb3 = pytest.importorskip("stable_baselines3")


class Board(gymnasium.Env[Any, Any]):
    """Spaces as those of tictactoe, for a model to be made for."""

    def __init__(self) -> None:
        role = make("tictactoe").spec.roles[0]
        self.observation_space: Any = next(iter(role.observation.spaces.values()))
        self.action_space: Any = spaces.Discrete(9)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        return np.zeros(self.observation_space.shape, self.observation_space.dtype), {}

    def step(self, action: Any) -> Any:
        return self.reset()[0], 0.0, False, False, {}


def cartpole(folder: Path, kind: Any, policy: str = "MlpPolicy", **options: Any) -> Any:
    model = kind(policy, gymnasium.make("CartPole-v1"), **options)
    model.save(folder / f"{kind.__name__}.zip")
    return model


def test_the_algorithm_is_told_by_the_file(tmp_path: Path) -> None:
    short = {"n_steps": 8}
    for kind, policy, options in (
        (sb3.PPO, "MlpPolicy", short), (sb3.A2C, "MlpPolicy", short), (sb3.DQN, "MlpPolicy", {"buffer_size": 9}),
        (contrib.TRPO, "MlpPolicy", short), (contrib.QRDQN, "MlpPolicy", {"buffer_size": 9}),
        (contrib.RecurrentPPO, "MlpLstmPolicy", short), (contrib.ARS, "MlpPolicy", {}),
    ):  # fmt: skip
        cartpole(tmp_path, kind, policy, **options)
        assert algorithm_of(tmp_path / f"{kind.__name__}.zip") == kind.__name__
    for kind in (sb3.SAC, sb3.TD3, contrib.TQC, contrib.CrossQ):
        kind("MlpPolicy", gymnasium.make("Pendulum-v1"), buffer_size=9).save(tmp_path / "model.zip")
        assert algorithm_of(tmp_path / "model.zip") == kind.__name__
    contrib.MaskablePPO("MlpPolicy", Board(), n_steps=8).save(tmp_path / "model.zip")
    assert algorithm_of(tmp_path / "model.zip") == "MaskablePPO"


def test_it_plays_what_the_model_predicts(tmp_path: Path) -> None:
    model = cartpole(tmp_path, sb3.PPO, n_steps=8)
    game = make("gym:CartPole-v1", 8)
    game.reset(0)
    with lanista.trusting():
        agent = lanista.load_agent(f"sb3:{tmp_path}/PPO.zip")
    start_agent(agent, game.spec, 0)
    for _ in range(4):
        turn = game.turn()
        choice = agent.act(turn)
        wanted, _ = model.predict(turn.observation["observation"], deterministic=True)
        np.testing.assert_array_equal(choice.actions, wanted)
        game.step(choice.actions)
    with pytest.raises(UsageError, match=r"the model sees Box.*and gym:Acrobot-v1 shows"):
        start_agent(agent, make("gym:Acrobot-v1").spec, 0)


@pytest.mark.thorough
def test_with_masks_it_never_plays_what_is_illegal_and_without_that_is_its_fault(tmp_path: Path) -> None:
    contrib.MaskablePPO("MlpPolicy", Board(), n_steps=8).save(tmp_path / "masks.zip")
    sb3.DQN("MlpPolicy", Board(), buffer_size=9).save(tmp_path / "blind.zip")
    with lanista.trusting():
        agents = [lanista.load_agent(f"sb3:{tmp_path}/{name}.zip") for name in ("masks", "blind")]
    agents.append(lanista.load_agent("random"))
    schedule = [Scheduled(seats, seed) for seed in range(6) for seats in ((0, 2), (2, 0), (1, 2), (2, 1))]
    reasons: dict[int, list[str]] = {0: [], 1: []}
    for some in play_games("tictactoe", agents, schedule):
        for one in some:
            reasons[min(one.scheduled.seats)].append(one.reason)
    assert len(reasons[0]) == len(reasons[1]) == 12
    assert "illegal" not in " ".join(reasons[0]) and "illegal" in " ".join(reasons[1])


def test_untrusted_it_is_not_even_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file whose settings are a payload: SB3 unpickles them when it loads a model."""
    import base64

    import cloudpickle  # type: ignore[import-untyped]

    ran = tmp_path / "ran"

    class Payload:
        def __reduce__(self) -> Any:
            return Path.touch, (ran,)

    cartpole(tmp_path, sb3.PPO, n_steps=8)
    with zipfile.ZipFile(tmp_path / "PPO.zip") as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    settings = json.loads(parts["data"])
    settings["policy_class"][":serialized:"] = base64.b64encode(cloudpickle.dumps(Payload())).decode()
    parts["data"] = json.dumps(settings).encode()
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    words = ["match", f"sb3:{tmp_path}/evil.zip", "random", "--game", "tictactoe", "--games", "2"]
    assert main(words) == 2
    assert "can run code of its own when it is loaded: add --trust" in capsys.readouterr().err
    assert (
        main(["import", str(tmp_path / "evil.zip"), "--game", "gym:CartPole-v1", "--out", str(tmp_path / "out")]) == 0
    )
    assert not ran.exists()
    assert main([*words, "--trust"]) == 2  # it does not fit, and by then it has run
    assert ran.exists(), "the payload does nothing, so that the test saw nothing"


@pytest.mark.parametrize(
    ("contestant", "said"),
    [
        ("sb3:none.zip", "needs the file 'none.zip', which is not there"),
        ("sb3:text.zip", "is no model of Stable-Baselines3"),
        ("sb3:PPO.zip?algorithm=PPPO", "did you mean 'PPO'"),
        ("sb3:PPO.zip?seconds=0", "needs seconds above 0"),
        ("sb3:PPO.zip?depth=3", "unknown option"),
    ],
)
def test_wrong_words(contestant: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cartpole(tmp_path, sb3.PPO, n_steps=8)
    (tmp_path / "text.zip").write_text("no archive")
    with lanista.trusting(), pytest.raises(UsageError, match=said.replace("?", r"\?")):
        lanista.load_agent(contestant)
