"""An agent's card: what it says was measured, and its command makes the same run."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from lanista.agents.artifact import save_agent
from lanista.agents.policy_network import build_network
from lanista.cli import train
from lanista.cli.card import command
from lanista.cli.main import main, read_options
from lanista.envs import make
from lanista.training.settings import read_settings


def saved(folder: Path, game: str, **settings: object) -> Path:
    torch.manual_seed(0)
    chosen = read_settings(game, changes=settings)
    about = {"steps": 1234, "seconds": 90.0, "seed": 7, "settings": asdict(chosen), "versions": {"torch": "2.9"}}
    save_agent(folder, build_network(make(game).spec, "mlp:dim=8"), game, "float32", about)
    return folder


def test_the_command_makes_the_same_settings() -> None:
    changes = {
        "steps": 5_000_000, "seed": 3, "encoder": "mlp:dim=8", "learning_rate": 0.0012345678, "symmetry": False,
        "anchors": "random minimax:depth=2",
    }  # fmt: skip
    settings = read_settings("mnk:rows=4,columns=4,k=3,gravity=false", changes=changes)
    words = shlex.split(command(asdict(settings)))
    assert words[:2] == ["lanista", "train"]
    options = read_options(train.Options, "train", "", words[2:])
    told = train.changes(options) | {"steps": options.steps}
    assert read_settings(options.game, changes=told) == settings


def test_what_is_written_was_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = saved(tmp_path / "agent", "tictactoe", steps=1234, seed=7)
    assert main(["card", str(folder), "--pairs", "20", "--against", "random", "minimax:depth=9"]) == 0
    text = (folder / "README.md").read_text()
    assert text in capsys.readouterr().out
    shares = {name: float(share) for name, share in re.findall(r"^\| (\S+) \| ([\d.]+)% \|", text, re.MULTILINE)}
    assert shares.keys() == {"random", "minimax:depth=9"} and shares["minimax:depth=9"] < 40 < shares["random"] + 40
    assert "20 pairs of games" in text and "random +0, minimax:depth=9 +" in text
    share = re.search(r"by an exact solver: ([\d.]+)%", text)
    assert share is not None and 20 < float(share[1]) < 90
    assert "lanista train tictactoe --steps 1_234 --seed 7" in text and "1,234 steps in 1.5 minutes, seed 7" in text


def test_an_opponent_that_is_not_there_is_said_and_the_card_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = saved(tmp_path / "agent", "tictactoe")
    (folder / "README.md").write_text("mine")
    assert main(["card", str(folder), "--pairs", "1", "--against", "randm"]) == 2
    assert "did you mean 'random'" in capsys.readouterr().err and (folder / "README.md").read_text() == "mine"


def test_hidden_hands_are_measured_exactly(tmp_path: Path) -> None:
    folder = saved(tmp_path / "agent", "kuhn_poker")
    assert main(["card", str(folder), "--pairs", "4"]) == 0
    text = (folder / "README.md").read_text()
    gain = re.search(r"exactly: ([\d.]+)\.$", text, re.MULTILINE)
    assert gain is not None and 0.5 < float(gain[1]) < 2, "a policy near uniform loses 0.917 to best responses"
    assert "| random |" in text and "| minimax" not in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["random"], "'random' is no trained agent"),
        (["tictactoe", "--pairs", "0"], "--pairs must be at least 1"),
    ],
)
def test_wrong_words(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", *words]) == 2
    assert said in capsys.readouterr().err
