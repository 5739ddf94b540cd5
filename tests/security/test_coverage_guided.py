"""Each parser of strangers' texts a minute under atheris; see `coverage_guided.py`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_game_records import BOOKS, PASTED

PROGRAM = Path(__file__).with_name("coverage_guided.py")
SECONDS = 60
TARGETS = (
    "agent.json", "encoder.json", "settings.toml", "uci-go", "uci-info", *BOOKS,
    *(f"pasted-{game.partition(':')[0]}" for game in PASTED),
)  # fmt: skip


@pytest.mark.faults
@pytest.mark.parametrize("target", TARGETS)
def test_nothing_that_the_fuzzer_finds_ends_a_parser_otherwise_than_by_a_sentence(target: str) -> None:
    pytest.importorskip("atheris", reason="the package atheris is not installed")
    done = subprocess.run(
        [sys.executable, str(PROGRAM), target, str(SECONDS)], capture_output=True, text=True, timeout=20 * SECONDS
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "DONE" in done.stderr
