"""Runs that cannot go on: weights that are no numbers, batches there is no memory for, memory that runs out."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from lanista.agents.contestant import load_agent
from lanista.cli.main import main
from lanista.envs import make
from lanista.errors import UsageError
from lanista.training.breakdowns import TrainingError, check_room, free_bytes
from lanista.training.run import create_run, open_run, train
from lanista.training.settings import read_settings, settings_values

SMALL = {
    "copies": 32, "plies": 8, "minibatch_size": 128, "encoder": "mlp:dim=16", "precision": "float32", "threads": 1,
    "measurements": 0, "checkpoints": 1,
}  # fmt: skip
BATCH = 32 * 8


def test_weights_that_are_no_numbers_stop_a_run_and_its_last_checkpoint_stays(tmp_path: Path) -> None:
    settings = read_settings("tictactoe", changes=SMALL | {"steps": 2 * BATCH})
    run = train(create_run(tmp_path / "run", settings))
    wild = replace(settings, steps=6 * BATCH, learning_rate=1e38, learning_rate_end=1e38)
    (run.folder / "config.toml").write_text(tomli_w.dumps(settings_values(wild)))
    with pytest.raises(TrainingError, match=rf"checkpoint .*{2 * BATCH} is good and stays.* lower learning_rate"):
        train(open_run(run.folder), resume=True)
    assert [int(path.name) for path in run.checkpoints()] == [2 * BATCH]
    load_agent(run.agent)
    (run.folder / "config.toml").write_text(tomli_w.dumps(settings_values(replace(settings, steps=4 * BATCH))))
    again = train(open_run(run.folder), resume=True)
    assert again.progress is not None and again.progress.steps == 4 * BATCH, "a better setting goes on from there"


def test_a_run_that_breaks_before_its_first_checkpoint_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"{name}={value}" for name, value in (SMALL | {"learning_rate": 1e38, "learning_rate_end": 1e38}).items()]
    assert main(["train", "tictactoe", "--steps", "2000", "--out", str(tmp_path / "run"), "--set", *words]) == 1
    said = capsys.readouterr().err
    assert "no checkpoint had been kept yet" in said and "Traceback" not in said


def test_batches_larger_than_the_memory_are_refused_and_leave_no_folder(tmp_path: Path) -> None:
    settings = read_settings("connect_four", changes={"copies": 10**9})
    with pytest.raises(UsageError, match=r"copies=1000000000 times plies=16 need about .* GB .* lower copies"):
        create_run(tmp_path / "run", settings)
    assert not (tmp_path / "run").exists()
    free = free_bytes()
    assert free is not None and free > 2**26
    check_room(make("connect_four").spec, replace(settings, copies=1024))


LIMITED = """
import resource, sys
from pathlib import Path
from lanista.training.breakdowns import TrainingError
from lanista.training.run import create_run, train
from lanista.training.settings import read_settings

small = {"anchors": "random", "precision": "float32", "threads": 1, "measurements": 0, "symmetry": False}
train(create_run(Path(sys.argv[1]) / "small", read_settings("connect_four", None, small | {"copies": 8, "steps": 10})))
pages = int(Path("/proc/self/statm").read_text().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + 2**27,) * 2)
try:
    large = read_settings("connect_four", None, small | {"copies": 2**15, "plies": 64, "steps": 10})
    train(create_run(Path(sys.argv[1]) / "large", large))
except TrainingError as error:
    print(error)
"""


@pytest.mark.faults  # it takes a quarter of a minute; what is too large from the start is refused by default
def test_memory_that_runs_out_names_what_to_lower(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LIMITED, str(tmp_path)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "memory ran out" in done.stdout and "lower copies (now 32768) or plies (64)" in done.stdout
