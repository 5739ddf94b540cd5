"""The agent's folder: plain data, checked before anything of it is believed."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from lanista.agents.artifact import load_network, save_agent
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.policy_network import build_network
from lanista.agents.symmetry import turnings
from lanista.envs import make, play
from lanista.errors import UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    network = build_network(make("tictactoe").spec, "mlp:dim=16")
    save_agent(tmp_path / "agent", network, "tictactoe", "float32", {"steps": 3})
    return tmp_path / "agent"


def change(folder: Path, **changes: object) -> None:
    path = folder / "agent.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_round_trip(folder: Path) -> None:
    network, about = load_network(folder)
    torch.manual_seed(0)
    fresh = build_network(make("tictactoe").spec, "mlp:dim=16")
    assert about["training"] == {"steps": 3}
    for name, value in fresh.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)


def test_weights_are_readable_by_safetensors_alone(folder: Path) -> None:
    assert set(load_file(folder / "model.safetensors")) == set(load_network(folder)[0].state_dict())


def test_a_truncated_model_is_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    whole = path.read_bytes()
    for length in (0, 4, 8, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="truncated or no safetensors"):
            load_network(folder)
    path.write_bytes(whole + b"x")
    with pytest.raises(UsageError, match="truncated or no safetensors"):
        load_network(folder)


def test_a_pickle_is_not_run(folder: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return open, (str(tmp_path / "sprung"), "w")  # type: ignore[return-value]

    (folder / "model.safetensors").write_bytes(pickle.dumps(Trap()))
    with pytest.raises(UsageError):
        load_network(folder)
    assert not (tmp_path / "sprung").exists()


def test_foreign_weights_are_refused(folder: Path) -> None:
    save_file({"weight": torch.zeros(3)}, folder / "model.safetensors")
    with pytest.raises(UsageError, match="lacks the weights"):
        load_network(folder)


def test_extra_weights_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"more": torch.zeros(3)}, folder / "model.safetensors")
    with pytest.raises(UsageError, match="'more'"):
        load_network(folder)


def test_weights_that_are_not_finite_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["policy.bias"][0] = float("nan")
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(UsageError, match="finite"):
        load_network(folder)


def described(encoder: str, shape: list[int], **options: object) -> dict[str, Any]:
    """The change of an agent's description to another encoder."""
    board = {"encoder": encoder, "shape": shape, "options": options}
    return {"network": {"encoders": {"board": board}, "num_actions": 9}}


WHOLE = described("mlp", [2, 3, 3], dim=16, depth=2)["network"]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 99}, "update Lanista"),
        ({"format": None}, "names no format"),
        ({"kind": "oracle"}, "'oracle'"),
        ({"precision": "float8"}, "float8"),
        ({"game": 3}, "needs 'game'"),
        ({"network": {}}, "needs 'encoders'"),
        ({"network": WHOLE | {"value_range": [0, 10**400]}}, "two numbers"),
        ({"network": WHOLE | {"normalize_observation": ["sound"]}}, "has encoders for"),
        ({"network": WHOLE | {"normalize_observation": "board"}}, "has encoders for"),
        ({"network": WHOLE | {"normalize_observation": ["board"]}}, r"lacks the weights 'normalizer\.moments\.board"),
        ({"network": WHOLE | {"normalize_value": 1}}, "true or false"),
        ({"network": WHOLE | {"normalize_value": True, "value_range": [-1, 1]}}, "false with a 'value_range'"),
        ({"network": WHOLE | {"nvec": [3, 3]}}, "needs one of 'num_actions'"),
        ({"network": {"encoders": WHOLE["encoders"], "nvec": [3, 3]}}, r"policy\.weight"),
        (described("nothing", [2]), "nothing"),
        (described("mlp", [2]), "should be F32"),
        (described("mlp", [2, 3, 3], dim=10**9, depth=2), "parameters"),
        (described("mlp", [-1]), "no shape"),
    ],
)
def test_a_wrong_description_is_refused_in_one_sentence(folder: Path, changes: dict[str, object], says: str) -> None:
    change(folder, **changes)
    with pytest.raises(UsageError, match=says) as caught:
        load_network(folder)
    assert "\n" not in str(caught.value)


def test_wrong_shapes_are_refused(folder: Path) -> None:
    about = json.loads((folder / "agent.json").read_text())
    about["network"]["num_actions"] = 7
    change(folder, network=about["network"])
    with pytest.raises(UsageError, match=r"policy\.weight"):
        load_network(folder)


def test_no_json_is_refused(folder: Path) -> None:
    for text in ("", "[", "[1]", "{" * 100_000, "\x00"):
        (folder / "agent.json").write_text(text)
        with pytest.raises(UsageError, match=r"agent\.json"):
            load_network(folder)


@pytest.mark.parametrize("name", ["agent.json", "model.safetensors"])
def test_what_would_be_read_for_ever_is_refused(folder: Path, name: str) -> None:
    """A file of a stranger's folder may be a link to a device, a pipe that nobody writes to, or a folder."""
    for put in (lambda path: path.symlink_to("/dev/zero"), os.mkfifo, Path.mkdir):
        (folder / name).unlink()
        put(folder / name)
        with pytest.raises(UsageError, match="is no file that can be read") as caught:
            load_network(folder)
        assert "\n" not in str(caught.value)
        if (folder / name).is_dir():
            (folder / name).rmdir()
            (folder / name).touch()


def test_a_description_without_end_is_refused_unread(folder: Path) -> None:
    with (folder / "agent.json").open("wb") as file:
        file.truncate(2**27)  # a hole, which takes no room
    with pytest.raises(UsageError, match="has 128 MB, more than the 64 MB that are read"):
        load_network(folder)


def test_a_link_to_another_file_is_read_as_what_it_is(folder: Path, tmp_path: Path) -> None:
    """The hub's own cache is made of links. One to something else is no agent, and is not shown."""
    secret = tmp_path / "secret"
    secret.write_text("password")
    for name in ("agent.json", "model.safetensors"):
        kept = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / name).symlink_to(secret)
        with pytest.raises(UsageError, match=r"cannot be read|no safetensors") as caught:
            load_network(folder)
        assert "password" not in str(caught.value)
        (folder / name).unlink()
        (folder / name).write_bytes(kept)
    load_network(folder)


def test_loading_needs_neither_ray_nor_sb3(folder: Path) -> None:
    code = (
        "import sys; from lanista.agents.contestant import load_agent; "
        f"load_agent({str(folder)!r}); print([m for m in ('ray', 'stable_baselines3') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_an_agent_refuses_a_game_that_it_does_not_fit(folder: Path) -> None:
    network, about = load_network(folder)
    agent = NetworkAgent(network, "learned", about["game"])
    with pytest.raises(UsageError, match="trained on tictactoe and does not fit connect_four"):
        next(play(make("connect_four"), [agent]))


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_network_plays_legally_and_the_same_in_any_batch(folder: Path, temperature: float) -> None:
    network, _ = load_network(folder)
    games = []
    for copies in (1, 16):
        agent = NetworkAgent(network, "learned", "tictactoe", temperature=temperature)
        game = make("tictactoe", copies, restart=False)
        game.reset(seed=range(100, 100 + copies))
        moves: list[int] = []
        for ply in play(game, [agent]):
            assert not ply.failures
            moves += [
                int(action) for action, copy in zip(ply.actions, ply.turn.copies[ply.rows], strict=True) if copy == 0
            ]
        games.append(moves)
    assert games[0] == games[1]


def test_asked_from_every_side_a_policy_is_symmetric(folder: Path) -> None:
    """On turned positions it plays the turned policy, which a fresh network asked once does not."""
    network, _ = load_network(folder)
    for symmetry in (True, False):
        agent = NetworkAgent(network, "learned", "tictactoe", symmetry=symmetry)
        game = make("tictactoe", 32, random_share=1.0, random_plies=6)
        game.reset(5)
        agent.start(game.spec, 0)
        turn = game.turn()
        policy = torch.from_numpy(np.asarray(agent.act(turn).policy))
        off = max(
            float(
                (turning.back(torch.from_numpy(np.asarray(agent.act(turning.turned(turn)).policy))) - policy)
                .abs()
                .max()
            )
            for turning in turnings(game.spec)
        )
        assert (off < 1e-6) == symmetry


def test_an_agent_of_format_1_is_read_and_plays_as_it_did(tmp_path: Path) -> None:
    """Written out here as it lay on disk: an MLP of one unit whose policy and value can be told by hand."""
    encoder = {"encoder": "mlp", "shape": [2, 3, 3], "scale": 1.0, "options": {"dim": 1, "depth": 1}}
    description = {
        "format": 1,
        "kind": "network",
        "game": "tictactoe",
        "precision": "float32",
        "network": {"encoders": {"board": encoder}, "num_actions": 9, "value_range": [-1.0, 1.0]},
        "training": {"steps": 1},
    }
    weights = {
        "fusion.encoders.board.layers.0.weight": torch.zeros(1, 18),
        "fusion.encoders.board.layers.0.bias": torch.ones(1),
        "policy.weight": torch.arange(9.0)[:, None],
        "policy.bias": torch.zeros(9),
        "value.weight": torch.full((1, 1), 0.5),
        "value.bias": torch.zeros(1),
    }
    (tmp_path / "agent.json").write_text(json.dumps(description))
    save_file(weights, tmp_path / "model.safetensors")
    network, about = load_network(tmp_path)
    agent = NetworkAgent(network, "old", about["game"], symmetry=False)
    game = make("tictactoe")
    agent.start(game.spec, 0)
    choice = agent.act(game.turn())
    assert choice.actions.tolist() == [8]
    np.testing.assert_allclose(np.asarray(choice.policy)[0], torch.softmax(torch.arange(9.0), 0).numpy(), rtol=1e-5)
    np.testing.assert_allclose(np.asarray(choice.value), [np.tanh(0.5)], rtol=1e-5)
    save_agent(tmp_path / "again", network, "tictactoe", "float32", {"steps": 1})
    assert json.loads((tmp_path / "again" / "agent.json").read_text()) == description, "older Lanistas read it no more"


@pytest.mark.parametrize("name", ["gym:Pendulum-v1", "gym:MountainCarContinuous-v0"])
def test_what_a_network_normalises_by_is_saved_with_it(tmp_path: Path, name: str) -> None:
    torch.manual_seed(0)
    game = make(name, 8)
    network = build_network(game.spec, "mlp:dim=8", normalize_observation=True, normalize_value=True)
    game.reset(0)
    turn = game.turn()
    network.see_observations({key: torch.from_numpy(value) for key, value in turn.observation.items()})
    network.see_returns(torch.linspace(-900.0, -100.0, 33))
    agent = NetworkAgent(network.eval(), "new", name)
    save_agent(tmp_path / "agent", network, name, "float32", {})
    about = json.loads((tmp_path / "agent" / "agent.json").read_text())
    assert about["format"] == 2 and "num_actions" not in about["network"]
    loaded = NetworkAgent(load_network(tmp_path / "agent")[0], "loaded", name)
    for temperature in (0.0, 1.0):
        agent.temperature = loaded.temperature = temperature
        agent.start(game.spec, 5)
        loaded.start(game.spec, 5)
        one, other = agent.act(turn), loaded.act(turn)
        assert np.array_equal(one.actions, other.actions) and np.array_equal(one.value, other.value)  # type: ignore[arg-type]
        assert one.actions.shape == (8, 1) and one.policy is None
        spread = float(np.ptp(one.actions))
        assert spread > 0.5 if temperature else spread < 0.2, "a draw is of deviation 1, a fresh network's mean near 0"
    with pytest.raises(UsageError, match=r"does not fit gym:CartPole-v1"):
        loaded.start(make("gym:CartPole-v1").spec, 0)
