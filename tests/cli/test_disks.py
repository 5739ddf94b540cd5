"""A full disk and a read-only one, under real file systems: one sentence, nothing finished is lost, and it goes on."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Launcher, drafts
from test_kills_of_runs import PICTURES, SMALL, TRAINING, UPDATE, finished, weights

from lanista.agents.artifact import load_network
from lanista.bench.race import Plan
from lanista.bench.results import Row
from lanista.cli.main import main
from lanista.errors import DiskError, FolderError
from lanista.files import disk_failures

UPDATES = 400  # more than are made before the disk is filled
TRAIN = ["train", "tictactoe", "--steps", str(UPDATES * UPDATE), "--set", *SMALL, f"checkpoints={UPDATES}"]
TOURNAMENTS = ["lanista.cli.tournament", "lanista.arena.tournament", "lanista.cli.standings", "lanista.arena.report"]
TOURNAMENT = ["tournament", "--game", "tictactoe", "random", "first-legal", "--games", "2"]


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with Launcher(tmp_path_factory.mktemp("said"), *TRAINING, *TOURNAMENTS) as found:
        yield found


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of a little more than the 200 MB that a run asks for."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=208m", "tmpfs", folder], capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk: Path) -> Path:
    """Leave no room, nor any file's place for more bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(2**20)):
                pass
        except OSError:
            pass
    return filler


def remounted(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)


def is_one_sentence(said: str, *parts: str) -> None:
    """What was said at the end is one line without a traceback, and has these parts."""
    assert "Traceback" not in said and "Exception" not in said, said
    (line,) = [line for line in said.splitlines() if line.startswith("lanista: ")]
    for part in parts:
        assert part in line, line


@pytest.mark.thorough
def test_training_on_a_disk_that_fills_up(disk: Path, launcher: Launcher) -> None:
    run = disk / "run"
    command = launcher.warm(*TRAIN, "--out", run)
    while len(finished(run)) < 2 and command.code is None:
        time.sleep(0.005)
    filler = fill(disk)
    assert command.wait() == 1
    is_one_sentence(command.said, f"cannot write to {run}", "No space left", f"'lanista train --resume {run}' goes on")
    kept = finished(run)
    for steps in kept:
        load_network(run / "checkpoints" / str(steps))
    load_network(run / "agent")
    again = launcher.run("train", "--resume", run)
    assert again.code == 2
    is_one_sentence(again.said, f"cannot write to {run}", "No space left")
    filler.unlink()
    steps = kept[-1] + 4 * UPDATE
    resumed = launcher.run("train", "--resume", run, "--steps", str(steps))
    assert resumed.code == 0, resumed.said
    assert set(kept) <= set(finished(run)) and finished(run)[-1] == steps and not drafts(run)


def test_a_folder_that_a_full_disk_does_not_make_while_work_goes_on_is_the_disks_failure(tmp_path: Path) -> None:
    """Not the user's mistake, as where work is to begin: a run that saves is told what is safe."""
    safe = "its checkpoints are safe"
    with pytest.raises(DiskError, match=rf"No space left.*; {safe}"), disk_failures(tmp_path, safe):
        raise FolderError(f"cannot write to {tmp_path}: {os.strerror(errno.ENOSPC)}", errno.ENOSPC)
    with pytest.raises(FolderError, match="Permission denied"), disk_failures(tmp_path, safe):
        raise FolderError(f"cannot write to {tmp_path}: {os.strerror(errno.EACCES)}", errno.EACCES)


@pytest.mark.faults  # as training, which is tried by default; it takes half a minute
def test_pretraining_on_a_disk_that_fills_up(disk: Path, launcher: Launcher, tmp_path: Path) -> None:
    words = ["pretrain", *PICTURES, "--epochs", "12", "--out"]
    assert launcher.run(*words, tmp_path / "unbroken").code == 0
    run = disk / "run"
    command = launcher.warm(*words, run)
    while not (run / "checkpoint.safetensors").exists() and command.code is None:
        time.sleep(0.005)
    filler = fill(disk)
    assert command.wait() == 1, command.said
    is_one_sentence(command.said, f"cannot write to {run}", "No space left", f"pretrain --resume {run}' goes on")
    again = launcher.run("pretrain", "--resume", run)
    assert again.code == 2
    is_one_sentence(again.said, f"cannot write to {run}", "No space left")
    filler.unlink()
    resumed = launcher.run("pretrain", "--resume", run)
    assert resumed.code == 0, resumed.said
    assert weights(run) == weights(tmp_path / "unbroken") and not drafts(run)


def test_files_that_a_full_disk_does_not_take(disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reports, exports, merged stores: the old file stays, and the sentence says so."""
    db, other = tmp_path / "t.sqlite", tmp_path / "other.sqlite"
    for path in (db, other):
        assert main([*TOURNAMENT, "--db", str(path)]) == 0
    report = disk / "report.html"
    report.write_text("the old one")
    filler = fill(disk)
    commands = {
        report: ["standings", str(db), "--report", str(report)],
        disk / "games.jsonl": ["export-games", str(db), "--out", str(disk / "games.jsonl")],
        disk / "both.sqlite": ["merge", str(db), str(other), "--out", str(disk / "both.sqlite")],
    }
    for target, words in commands.items():
        capsys.readouterr()
        assert main(words) in (1, 2)
        is_one_sentence(capsys.readouterr().err, "cannot write to", str(disk))
        assert target == report or not target.exists()
    assert report.read_text() == "the old one" and sorted(disk.iterdir()) == [filler, report]
    filler.unlink()
    for target, words in commands.items():
        assert main(words) == 0 and target.stat().st_size > 20


def test_a_read_only_disk(disk: Path, launcher: Launcher, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    db, run = tmp_path / "t.sqlite", disk / "run"
    assert main([*TOURNAMENT, "--db", str(db)]) == 0
    assert launcher.run(*TRAIN, "--steps", str(4 * UPDATE), "--out", run).code == 0
    remounted(disk, "ro")
    commands: list[tuple[int, list[str | Path]]] = [
        (2, ["train", "tictactoe", "--steps", "100", "--out", disk / "new"]),
        (1, ["train", "--resume", run, "--steps", "100000"]),  # a run that is there has begun: the disk broke meanwhile
        (2, ["pretrain", *PICTURES, "--out", disk / "new"]),
        (2, ["tournament", *TOURNAMENT[1:], "--db", disk / "t.sqlite"]),
        (2, ["standings", db, "--report", disk / "report.html"]),
        (2, ["export-games", db, "--out", disk / "games.jsonl"]),
    ]
    for code, words in commands:
        refused = launcher.run(*words)
        assert refused.code == code, (words, refused.said)
        is_one_sentence(refused.said, "cannot write to", str(disk))
    read = launcher.run(
        "tournament", "--game", "tictactoe", run, "random", "--games", "2", "--db", tmp_path / "r.sqlite"
    )
    assert read.code == 0, read.said
    remounted(disk, "rw")
    going_on = launcher.run("train", "--resume", run, "--steps", str(6 * UPDATE))
    assert going_on.code == 0 and finished(run)[-1] == 6 * UPDATE, going_on.said


def test_what_was_measured_is_shown_if_the_disk_has_filled_up_meanwhile(
    disk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lanista.bench.rows import ratings

    def measure(plan: Plan) -> Row:
        fill(disk)
        return Row("ratings", "How fast games are rated.", "games", [], [], ["Twice as fast as before."])

    monkeypatch.setattr(ratings, "measure", measure)
    assert main(["bench", "ratings", "--quick", "--json", str(disk / "bench.json")]) == 1
    told = capsys.readouterr()
    is_one_sentence(told.err.replace("lanista bench: ", ""), "cannot write to", str(disk))
    assert "Twice as fast as before." in told.out and not (disk / "bench.json").exists()
