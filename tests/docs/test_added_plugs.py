"""What the manual shows as "one file" is one: put into a checkout, it is found, and passes what every plug must."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("agents", "arena", "envs", "perception", "training")
EXAMPLES = ROOT / "docs" / "examples"
SUITES = {  # file of the tests that every plug of a kind must pass -> which of them are run, and whose they are
    "tests/envs/test_game_contract.py": ("game and nim and not minimax", "nim"),
    "tests/envs/test_native_games.py": ("native and nim", "nim"),
    "tests/perception/test_encoders.py": ("encoders and column_mlp and board", "column_mlp"),
    "tests/agents/test_agent_kinds.py": ("handicapped and (nim or its_name)", "handicapped"),
    "tests/arena/test_formats.py": ("formats and chain", "chain"),
}
TRAINS = """
import lanista
run = lanista.train("nim", steps=12_000, out="run", trainer="a2c", encoder="column_mlp:dim=16", copies=64, threads=1,
    anchors="random handicapped:depth=1", anchor_pairs=8, measurements=1, checkpoints=2)
assert {"policy_loss", "entropy", "games"} <= set(run.progress.metrics)
again = lanista.resume("run", steps=14_000)
assert again.progress.steps >= 14_000 and len(again.progress.scores) == 2, again.progress
table = lanista.tournament("nim", [run.agent, "random", "handicapped:depth=3,random=0"], games=8, format="chain")
assert {row.name: row.games for row in table.rows} == {"run/agent": 8, "random": 16, "handicapped:depth=3,random=0": 8}
try:
    lanista.train("nim", steps=1, out="other", trainer="a2c", memory="gru")
except lanista.UsageError as error:
    assert "knows no 'memory'" in str(error)
else:
    raise AssertionError("a2c has no memory")
"""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the rooms with the manual's files in them; weights that come along are linked.

    What was compiled is shared, kernels of the manual's game too: their names tell all that they were compiled from.
    """
    folder = tmp_path_factory.mktemp("checkout")
    for room in ("lanista", *ROOMS):  # with the links to the rooms in `lanista`
        ignored = shutil.ignore_patterns("shipped", "__pycache__")
        shutil.copytree(ROOT / room, folder / room, symlinks=True, ignore=ignored)
        if (ROOT / room / "shipped").is_dir():
            (folder / room / "shipped").symlink_to(ROOT / room / "shipped")
    for package in [path.parent.relative_to(folder) for room in ROOMS for path in (folder / room).rglob("__init__.py")]:
        (ROOT / package / "__pycache__").mkdir(exist_ok=True)
        (folder / package / "__pycache__").symlink_to(ROOT / package / "__pycache__")
    shutil.copytree(EXAMPLES, folder, dirs_exist_ok=True)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (folder / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    for file in SUITES:
        (folder / file).parent.mkdir(exist_ok=True)
        for part in (file, "tests/envs/random_play.py"):
            shutil.copy(ROOT / part, folder / part)
    return folder


def run(checkout: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    environment.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        [sys.executable, *words], cwd=checkout, env=environment, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


def test_every_file_is_a_plug_of_its_room() -> None:
    files = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.rglob("*.py"))
    assert files == [
        "agents/kinds/handicapped.py",
        "arena/formats/chain.py",
        "envs/games/nim.py",
        "perception/encoders/column_mlp.py",
        "training/trainers/a2c.py",
    ]
    assert not [file for file in files if (ROOT / file).exists()], "they are not in the rooms already"


@pytest.mark.slow  # it runs the suites of five kinds once more
def test_they_pass_what_every_plug_of_their_kind_must(checkout: Path) -> None:
    wanted = " or ".join(f"({which})" for which, _ in SUITES.values())
    told = run(
        checkout, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-o", "addopts=", "-x", "-rA",
        "-k", wanted, *SUITES,
    )  # fmt: skip
    for file, (_, plug) in SUITES.items():
        passed = [line for line in told.splitlines() if line.startswith(f"PASSED {file}") and plug in line]
        assert len(passed) >= 4, f"{file} has too few tests of {plug}:\n{told}"


@pytest.mark.thorough
def test_they_work_together(checkout: Path) -> None:
    run(checkout, "-c", TRAINS)
    listed = run(checkout, "-m", "lanista", "games", "nim")
    assert "who takes the last stone wins" in listed or "Nim" in listed
