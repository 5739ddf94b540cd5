"""Where things are put when nobody says where."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lanista
from lanista.cli.demo import free_folder


def test_a_second_demo_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    wanted = tmp_path / "demo"
    for name in ("demo", "demo-2", "demo-3"):
        folder = free_folder(wanted)
        assert folder == tmp_path / name
        folder.mkdir()


@pytest.mark.parametrize(
    ("game", "begins"),
    [
        ("connect_four", "connect_four-"),
        ("zoo:classic/go_v5?board_size=9", "zoo_classic_go_v5_board_size_9-"),
        ("../../away", ".._.._away-"),
    ],
)
def test_a_run_is_named_by_its_game_and_the_time(
    game: str, begins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = lanista.new_run_folder(game)
    assert folder.parent == Path("runs")
    assert re.fullmatch(re.escape(begins) + r"\d{8}-\d{6}", folder.name)
    folder.mkdir(parents=True)
    assert lanista.new_run_folder(game) != folder
