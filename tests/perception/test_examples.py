"""The examples run, each as a program of its own, on an encoder that is small enough to wait for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lanista.agents.artifact import save_agent
from lanista.agents.onnx_file import export_onnx
from lanista.agents.policy_network import build_network
from lanista.envs import make
from lanista.perception.encoder import build_encoder
from lanista.perception.inputs.picture import PictureInput

pytestmark = [pytest.mark.long, pytest.mark.thorough]

EXAMPLES = Path(__file__).parents[2] / "examples"
RUNS = {
    "sb3_features": (["SCREENS", "128"], "frozen weights unchanged: True"),
    "rllib_module": (["SCREENS", "1"], "steps: 256"),
    "plain_torch": (["SMALL", "2"], "fine-tuned: "),
    "agent_encoder": (["10000"], "eyes unchanged: True"),
    "play_onnx": (["ONNX", "20"], "20 games of connect_four, torch loaded: False"),
}


def save(folder: Path, encoder: str, side: int) -> str:
    torch.manual_seed(0)
    reader = PictureInput(side, side, 1)
    made = build_encoder(encoder, reader.space)
    made.input = reader
    made.save_pretrained(folder)
    return str(folder)


def exported(folder: Path) -> str:
    torch.manual_seed(0)
    save_agent(folder / "agent", build_network(make("connect_four").spec), "connect_four", "float32", {})
    export_onnx(folder / "agent", folder / "agent.onnx")
    return str(folder / "agent.onnx")


def test_every_example_is_run_and_short() -> None:
    files = {path.stem: path for path in EXAMPLES.glob("*.py")}
    assert files.keys() == RUNS.keys() | {"my_agent"}, "my_agent is seated in tests/agents/test_isolate.py"
    for path in files.values():
        assert len(path.read_text().splitlines()) <= 40, path


@pytest.mark.parametrize("name", RUNS)
def test_it_runs(name: str, tmp_path: Path) -> None:
    if name in ("sb3_features", "rllib_module"):
        pytest.importorskip("ale_py")
    places = {
        "SCREENS": lambda: save(tmp_path / "screens", "nature_cnn:dim=32", 84),
        "ONNX": lambda: exported(tmp_path),
        "SMALL": lambda: save(tmp_path / "small", "small_resnet:channels=8", 28),
    }
    words, expected = RUNS[name]
    given = [places[word]() if word in places else word for word in words]
    command = [sys.executable, str(EXAMPLES / f"{name}.py"), *given]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-2000:]
    assert expected in done.stdout
