"""`lanista explain`: what it prints, draws, and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.cli.main import main
from lanista.envs.catalogue import make


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("agent")
    torch.manual_seed(0)
    save_agent(folder, build_network(make("connect_four").spec).eval(), "connect_four", "float32", {})
    return folder


def test_prints_policy_value_and_lines(agent: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", f"{agent}?simulations=50", "--position", "4 4 3"]) == 0
    out = capsys.readouterr().out
    assert "after 50 simulations" in out and "policy  " in out and " visits  " in out
    assert main(["explain", str(agent), "--position", "4 1 4 1 4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["player"] == 1 and told["lines"] == [] and told["move"] in "1234567"
    assert sum(told["policy"].values()) == pytest.approx(1, abs=1e-5)
    assert main(["explain", "minimax:depth=2", "--game", "connect_four", "--position", "4 1 4 1 4", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["move"] == "4" and told["lines"][0]["moves"][0] == "4" and told["lines"][0]["depth"] == 2
    assert main(["explain", "minimax:depth=1", "--game", "chess", "--position", "4k3/8/8/8/8/8/8/R3K3 w - - 0 1"]) == 0
    assert "depth 1" in capsys.readouterr().out


def test_draws_where_the_network_looks(agent: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("looks.svg", "looks.png"):
        if name.endswith("png"):
            pytest.importorskip("resvg_py")
        words = ["explain", f"{agent}?simulations=5", "--after", "3", "--picture", str(tmp_path / name)]
        assert main(words) == 0
    drawing = (tmp_path / "looks.svg").read_text()
    assert drawing.startswith("<svg") and drawing.endswith("</g></svg>") and drawing.count("<rect") > 5
    assert (tmp_path / "looks.png").read_bytes().startswith(b"\x89PNG")
    capsys.readouterr()


def test_pixels_are_drawn_over_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("ale_py")
    save_agent(
        tmp_path, build_network(make("atari:pong").spec, "nature_cnn:dim=16").eval(), "atari:pong", "float32", {}
    )
    assert main(["explain", str(tmp_path), "--after", "2", "--picture", str(tmp_path / "pong.svg")]) == 0
    assert (tmp_path / "pong.svg").read_text().count("<image") == 2
    capsys.readouterr()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["random"], "say which game random should play"),
        (["random", "--game", "connect_four", "--position", "4 9"], "'9' is no move in connect_four"),
        (
            ["random", "--game", "connect_four", "--position", "1 1 1 1 1 1 1"],
            "move 7 of the position, 1, is not legal",
        ),
        (["random", "--game", "connect_four", "--position", "1 2 1 2 1 2 1"], "the game is over after move 7"),
        (["random", "--game", "connect_four", "--position", "a/b"], "no position of connect_four: write 6 rows"),
        (["random", "--game", "leduc_poker", "--position", "a/b"], "no notation for positions"),
        (["random", "--game", "connect_four", "--after", "60"], "ask for fewer with --after"),
        (["random", "--game", "connect_four", "--after", "-1"], "0 plies or more"),
        (["random", "--game", "connect_four", "--picture", "a.gif"], "drawn as .svg or .png"),
        (["random", "--game", "connect_four", "--picture", "a.svg"], "has no network"),
    ],
)
def test_wrong_words(words: list[str], complaint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *words]) == 2
    assert complaint in capsys.readouterr().err
