"""Agents leave: as ONNX files that answer as torch does, and through the hub, and stay who they were."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hub_server import Hub, hub

import lanista
from lanista.agents.artifact import save_agent
from lanista.agents.contestant import trained_folder
from lanista.agents.onnx_file import export_onnx
from lanista.agents.role_networks import build_networks
from lanista.envs import make
from lanista.envs.core import start_agent
from lanista.errors import UsageError

onnxruntime = pytest.importorskip("onnxruntime")


def saved(folder: Path, game: str, memory: str = "", separate: bool = False) -> Path:
    """An untrained agent whose weights are large enough for its answers to differ from position to position."""
    torch.manual_seed(0)
    spec = make(game).spec
    made = build_networks(
        spec, ["auto"] * len(spec.roles), normalize_observation=True, normalize_value=True, memory=memory
    )
    with torch.no_grad():
        for name, weight in made.named_parameters():
            if "policy" in name or "value" in name:
                weight.add_(0.3 * torch.randn(weight.shape))
    save_agent(folder, made, game, "float32", {"steps": 0})
    return folder


@pytest.mark.parametrize(
    ("game", "memory", "inputs", "outputs"),
    [
        ("leduc_poker", "gru:dim=8", ["information", "legal", "memory"], ["action", "logits", "value", "memory_after"]),
        ("gym:Pendulum-v1", "", ["observation"], ["action", "mean", "log_std", "value"]),
        pytest.param("zoo:mpe/simple_world_comm_v3", "", None, None, marks=pytest.mark.thorough),
    ],
)
def test_the_file_answers_as_torch_does(
    game: str, memory: str, inputs: list[str] | None, outputs: list[str] | None, tmp_path: Path
) -> None:
    folder, file = saved(tmp_path / "agent", game, memory), tmp_path / "agent.onnx"
    if inputs is None:
        with pytest.raises(UsageError, match="a network for each of the roles"):
            export_onnx(folder, file)
        with pytest.raises(UsageError, match="unknown role 'agents'; did you mean 'agent"):
            export_onnx(folder, file, role="agents")
        assert export_onnx(folder, file, role=make(game).spec.roles[0].name) < 1e-4
        return
    with pytest.raises(UsageError, match="one network for all"):
        export_onnx(folder, file, role="speaker")
    assert not file.exists()
    assert export_onnx(folder, file) < 1e-4
    assert outputs is not None
    opened(file, game, inputs, outputs)


def opened(file: Path, game: str, inputs: list[str], outputs: list[str]) -> Any:
    """A session with a file that tells what it is."""
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == inputs
    assert [one.name for one in session.get_outputs()] == outputs
    about = json.loads(session.get_modelmeta().custom_metadata_map["lanista"])
    assert about["game"] == game and about["training"] == {"steps": 0}
    return session


def test_it_plays_what_the_agent_plays(tmp_path: Path) -> None:
    folder, file = saved(tmp_path / "agent", "connect_four"), tmp_path / "agent.onnx"
    assert export_onnx(folder, file) < 1e-4
    session = opened(file, "connect_four", ["board", "legal"], ["action", "logits", "value"])
    agent, game = lanista.load_agent(f"{folder}?symmetry=false"), make("connect_four", 64)
    game.reset(3)
    start_agent(agent, game.spec, 0)
    seen = set()
    for _ in range(12):
        turn = game.turn()
        action, logits, value = session.run(None, {**turn.observation, "legal": turn.legal})
        choice = agent.act(turn)
        np.testing.assert_array_equal(action, choice.actions)
        assert choice.value is not None and turn.legal is not None
        np.testing.assert_allclose(value, choice.value, atol=1e-4)
        assert (logits[~turn.legal] < -1e8).all()
        seen |= set(action.tolist())
        game.step(choice.actions)
    assert len(seen) > 2, "it always plays the same"


def test_what_no_file_is_made_of(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'random' is no trained agent"):
        trained_folder("random")
    with pytest.raises(UsageError, match="there is no agent at"):
        trained_folder(str(tmp_path / "none"))
    folder = saved(tmp_path / "agent", "tictactoe")
    with pytest.raises(UsageError, match="there is no folder"):
        export_onnx(folder, tmp_path / "missing" / "agent.onnx")


def test_the_hubs_own_methods_carry_an_agent_through_a_folder(tmp_path: Path) -> None:
    from lanista.agents.hub_mixin import HubAgent

    folder = saved(tmp_path / "agent", "tictactoe")
    (folder / "secret.txt").write_text("stays here")
    HubAgent(folder).save_pretrained(tmp_path / "kept")
    assert {path.name for path in (tmp_path / "kept").iterdir()} == {"README.md", "agent.json", "model.safetensors"}
    back = HubAgent.from_pretrained(str(tmp_path / "kept"))
    for name in ("agent.json", "model.safetensors"):
        assert (back.folder / name).read_bytes() == (folder / name).read_bytes()
    table = lanista.tournament("tictactoe", [lanista.load_agent(back.folder), "random"], games=4)
    assert len(table.rows) == 2
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match=r"agent\.json"):
        HubAgent.from_pretrained(str(tmp_path / "none"))


HUB_PROGRAM = """
import sys, lanista
from lanista.agents.hub import push_agent
folder, repository = sys.argv[1:]
print(push_agent(folder, repository))
agent = lanista.load_agent(f"hf:{repository}?temperature=0.5")
table = lanista.tournament("tictactoe", [agent, "random"], games=4)
print(agent.name, sorted(row.name for row in table.rows))
try:
    lanista.load_agent("hf:nobody/nothing")
except lanista.UsageError as error:
    print(error)
"""


@pytest.mark.thorough
def test_pushed_to_the_hub_and_fetched_it_is_the_same(tmp_path: Path) -> None:
    """In a process of its own, since the hub's client reads the address when it is imported."""
    folder = saved(tmp_path / "agent", "tictactoe")
    (folder / "secret.txt").write_text("stays here")
    with hub() as address:
        quiet = {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_TOKEN": "hf_x",
            "HF_HUB_DISABLE_XET": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", HUB_PROGRAM, str(folder), "me/mine"], env=os.environ | quiet,
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        lines = done.stdout.splitlines()
        assert lines[0].startswith(f"{address}/me/mine/commit/")
        assert "hf:me/mine?temperature=0.5" in lines[1] and "random" in lines[1]
        assert lines[2].startswith("hf:nobody/nothing cannot be had from the hub")
        assert set(Hub.files["me/mine"]) == {"README.md", "agent.json", "model.safetensors"}
        assert Hub.files["me/mine"]["model.safetensors"] == (folder / "model.safetensors").read_bytes()
