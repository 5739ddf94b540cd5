"""The same seed on the same machine gives the same bytes: `docs/determinism.md` says where, and where not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from seeded_work import made, trained

WORK = Path(__file__).with_name("seeded_work.py")
PARTS = ("native game", "game of a door", "tournament", "pretraining")


def done(folder: Path, seed: int, hash_seed: int) -> dict[str, str]:
    """What a process of its own makes of a seed. Python's own order of sets differs from process to process."""
    folder.mkdir()
    environment = os.environ | {"PYTHONHASHSEED": str(hash_seed), "OMP_NUM_THREADS": "1"}
    words = [sys.executable, str(WORK), str(folder), str(seed)]
    finished = subprocess.run(words, capture_output=True, text=True, env=environment)
    assert finished.returncode == 0, finished.stderr
    found: dict[str, str] = json.loads(finished.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    """One seed in two processes, the other of them this one."""
    folder = tmp_path_factory.mktemp("seeded")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return done(folder / "first", 3, 1), made(3)


@pytest.mark.parametrize("part", PARTS)
def test_the_same_seed_gives_the_same_bytes_in_another_process(
    twice: tuple[dict[str, str], dict[str, str]], part: str
) -> None:
    assert twice[0][part] == twice[1][part]


def test_another_seed_gives_others(twice: tuple[dict[str, str], dict[str, str]], tmp_path: Path) -> None:
    """Else the test above would pass for what no seed decides."""
    assert trained(str(tmp_path / "other"), "tictactoe", 4) != twice[0]["native game"]
    assert trained(str(tmp_path / "same"), "tictactoe", 3) == twice[0]["native game"], "nor does the process matter"


@pytest.mark.slow
def test_the_same_seed_with_as_many_runners_gives_the_same_bytes(tmp_path: Path) -> None:
    """Each runner plays games of its own, so that their number is a part of the run like its seed."""
    import ray

    found = {}
    try:
        for name, runners in (("one", 1), ("one again", 1), ("two", 2), ("two again", 2)):
            found[name] = trained(str(tmp_path / name), "tictactoe", 3, runners=runners)
    finally:
        ray.shutdown()
    assert found["one"] == found["one again"] and found["two"] == found["two again"]
    assert found["one"] != found["two"]
