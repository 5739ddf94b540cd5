"""Encoders as users write them: pretrained ones in an agent's network, adapted, frozen, and gone at a resume."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

import lanista
from lanista.agents.artifact import load_network
from lanista.agents.encoder_words import fusion_of_words, lasting
from lanista.errors import UsageError
from lanista.perception.adapt import adapted
from lanista.perception.encoder import build_encoder

SCREEN = spaces.Box(0, 255, (1, 84, 84), np.uint8)
STACK = spaces.Box(0, 255, (4, 84, 84), np.uint8)
SPACE = spaces.Dict({"board": spaces.Box(0, 1, (2, 6, 7), np.int8), "screen": STACK})
SMALL: dict[str, Any] = {
    "copies": 32,
    "plies": 4,
    "minibatch_size": 64,
    "anchors": "random",
    "anchor_pairs": 2,
    "threads": 1,
}


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoders") / "screens"
    build_encoder("nature_cnn:dim=32", SCREEN).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def boards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("encoders") / "planks"
    build_encoder("board_resnet:channels=8", spaces.Box(0, 1, (2, 6, 7), np.int8)).save_pretrained(folder)
    return folder


def test_each_modality_gets_its_own(screens: Path) -> None:
    fusion = fusion_of_words(SPACE, f"screen={screens} board=mlp:dim=8", freeze=True)
    assert fusion.encoders["board"].name == "mlp"
    assert not any(p.requires_grad for p in fusion.encoders["screen"].parameters())
    assert all(p.requires_grad for p in fusion.encoders["board"].parameters())
    assert fusion_of_words(SPACE, "board=mlp").encoders["screen"].name == "nature_cnn"


def test_an_agent_that_comes_along_gives_its_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    board = spaces.Dict({"board": SPACE["board"]})
    ours, its = lanista.load_encoder("connect_four"), fusion_of_words(board, "connect_four", freeze=True)
    assert all(torch.equal(a, b) for a, b in zip(ours.parameters(), its.parameters(), strict=True))
    assert lasting(board, "connect_four") == "connect_four", "a name holds from any folder"
    with pytest.raises(UsageError, match="did you mean 'connect_four'"):
        lanista.load_encoder("conect_four")
    space = board["board"]
    assert isinstance(space, spaces.Box)
    build_encoder("mlp:dim=8", space).save_pretrained(tmp_path / "connect_four")
    assert lanista.load_encoder("connect_four").dim == 8, "what lies here goes first"
    assert lasting(board, "connect_four") == str(tmp_path / "connect_four")


def test_one_pretrained_encoder_reads_what_it_fits(screens: Path) -> None:
    fusion = fusion_of_words(SPACE, str(screens))
    assert [fusion.encoders[name].name for name in ("board", "screen")] == ["board_resnet", "nature_cnn"]
    wanted = lanista.load_encoder(screens).state_dict()
    assert torch.equal(fusion.encoders["screen"].state_dict()["whole.weight"], wanted["whole.weight"])


def test_more_channels_see_the_same_sum(screens: Path) -> None:
    encoder = lanista.load_encoder(screens)
    frame = torch.randint(0, 255, (5, 1, 84, 84), dtype=torch.uint8)
    stacked = adapted(encoder, STACK)  # type: ignore[arg-type]
    torch.testing.assert_close(stacked(frame.expand(-1, 4, -1, -1)), encoder(frame), rtol=1e-4, atol=1e-5)


def test_what_does_not_fit_is_said(screens: Path, boards: Path) -> None:
    with pytest.raises(UsageError, match=r"pretrained on arrays \(1, 84, 84\) and cannot read \(1, 64, 64\)"):
        adapted(lanista.load_encoder(screens), spaces.Box(0, 255, (1, 64, 64), np.uint8))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"cannot read \(5,\)"):
        fusion_of_words(spaces.Dict({"x": spaces.Box(0, 1, (5,))}), str(boards))
    with pytest.raises(UsageError, match="did you mean 'board'"):
        fusion_of_words(SPACE, "bord=mlp")
    with pytest.raises(UsageError, match="should say for which modality"):
        fusion_of_words(SPACE, "mlp board_resnet")
    with pytest.raises(UsageError, match="'freeze' is for pretrained"):
        fusion_of_words(SPACE, "mlp", freeze=True)
    with pytest.raises(UsageError, match="no/such"):
        fusion_of_words(SPACE, "no/such")


def test_words_last(boards: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(boards.parent)
    assert lasting(SPACE, "mlp") == "mlp"
    assert lasting(SPACE, "board=planks") == f"board={boards.resolve()} screen=auto"
    assert lasting(SPACE, "board=gone/away", {"board": "there"}) == "board=there screen=auto"


def test_a_frozen_encoder_stays_as_it_was_and_the_rest_learns(boards: Path, tmp_path: Path) -> None:
    run = lanista.train("connect_four", steps=256, out=tmp_path / "run", encoder=str(boards), freeze=True, **SMALL)
    network, _ = load_network(Path(run.agent))
    kept = lanista.load_encoder(boards).state_dict()
    for name, value in network.fusion.encoders["board"].state_dict().items():
        torch.testing.assert_close(value, kept[name], msg=name)
    assert network.policy.bias.abs().max() > 0
    assert lanista.load_encoder(run.agent).dim == lanista.load_encoder(boards).dim


def test_a_run_goes_on_when_the_pretrained_encoder_is_gone(boards: Path, tmp_path: Path) -> None:
    shutil.copytree(boards, tmp_path / "mine")
    words = str(tmp_path / "mine")
    lanista.train("connect_four", steps=256, out=tmp_path / "run", encoder=words, **SMALL)
    shutil.rmtree(tmp_path / "mine")
    assert lanista.resume(tmp_path / "run", steps=512).progress.steps == 512  # type: ignore[union-attr]
