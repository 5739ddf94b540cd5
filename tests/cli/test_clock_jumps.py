"""A wall clock that jumps years ahead and back while Lanista works: nothing waits for it or is decided by it."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from killing import Launcher
from test_kills_of_runs import PICTURES, SMALL, TRAINING, UPDATE, weights

from lanista.arena.play.keeping import Keeper
from lanista.arena.store import Store
from lanista.cli.main import main

# Each call of `time.time` is some of these years off: what takes a difference of two is wrong by far.
JUMPS = """
import itertools, time
true, years = time.time, itertools.cycle((0, 10, -10, 3, -25))
time.time = lambda: true() + next(years) * 31_557_600
time.time_ns = lambda: int(time.time() * 1e9)
"""
TOURNAMENT = ["tournament", "--game", "tictactoe", "random", "minimax:depth=1", "--games", "6", "--seed", "4"]
TOURNAMENT += ["--time-control", "60+1"]
OF_THEIR_TIME = ("stored_at", "session", "values", "seconds")


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    folder = tmp_path_factory.mktemp("clock")
    (folder / "sitecustomize.py").write_text(JUMPS)
    path = {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)])}
    with Launcher(folder, *TRAINING, "lanista.cli.tournament", environment=path) as found:
        yield found


def told(path: Path) -> list[tuple[object, ...]]:
    with Store(path, write=False) as store:
        return [tuple(v for k, v in vars(game).items() if k not in OF_THEIR_TIME) for game in store.games()]


@pytest.mark.faults  # as training, which is tried by default
def test_a_tournament_with_clocks(launcher: Launcher, tmp_path: Path) -> None:
    jumped, steady = tmp_path / "jumped.sqlite", tmp_path / "steady.sqlite"
    done = launcher.run(*TOURNAMENT, "--db", jumped)
    assert done.code == 0, done.said
    assert main([*TOURNAMENT, "--db", str(steady)]) == 0
    assert told(jumped) == told(steady), "no clock has run out"
    with Store(jumped, write=False) as store:
        games = store.games()
        years = {time.gmtime(game.stored_at).tm_year - time.gmtime().tm_year for game in games}
        assert all(0 <= each < 10 for game in games for each in game.seconds)
        assert years - {0}, "the clock has jumped"
    assert main(["verify", str(jumped)]) == 0
    assert main(["export-games", str(jumped), "--out", str(tmp_path / "games.jsonl")]) == 0
    resumed = launcher.run(*TOURNAMENT, "--db", jumped)
    assert resumed.code == 0, resumed.said


@pytest.mark.thorough
def test_training_and_its_bound_of_time(launcher: Launcher, tmp_path: Path) -> None:
    run, began = tmp_path / "run", time.monotonic()
    done = launcher.run("train", "tictactoe", "--minutes", "0.03", "--out", run, "--set", *SMALL, "checkpoints=3")
    took = time.monotonic() - began
    assert done.code == 0, done.said
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds) and min(seconds) > 0 and 1.8 <= max(seconds) <= took
    assert all(row["steps_a_second"] > 0 for row in rows)
    resumed = launcher.run("train", "--resume", run, "--steps", str(rows[-1]["steps"] + 2 * UPDATE))
    assert resumed.code == 0, resumed.said
    shown = launcher.run("runs", tmp_path)
    assert shown.code == 0 and "-" not in shown.said.split("ago")[0][-6:], shown.said


@pytest.mark.faults  # as training, which is tried by default; it takes 20 seconds
def test_pretraining(launcher: Launcher, tmp_path: Path) -> None:
    words = ["pretrain", *PICTURES, "--epochs", "2", "--minutes", "5", "--out"]
    for name in ("one", "other"):
        done = launcher.run(*words, tmp_path / name)
        assert done.code == 0 and "all epochs done" in done.said, done.said
    assert weights(tmp_path / "one") == weights(tmp_path / "other")
    about = json.loads((tmp_path / "one" / "encoder.json").read_text())["training"]
    assert 0 <= about["seconds"] < 600


def test_open_games_of_the_page_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper, now = Keeper(tmp_path), time.time()
    for number in range(3):
        keeper.keep({"number": f"game-{number}"})
    os.utime(tmp_path / "open" / "game-0.json", (now - 40 * 86400,) * 2)  # which nobody touched for long
    monkeypatch.setattr(time, "time", lambda: now + 10 * 31_557_600)
    keeper.forget_old()
    assert sorted(path.stem for path in (tmp_path / "open").iterdir()) == ["game-1", "game-2"]
