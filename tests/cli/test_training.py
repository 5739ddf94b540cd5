"""The main job through the command line, as a user does it: train, match, tournament, standings, play, go on."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import lanista
from lanista.cli.main import main
from lanista.perception.encoder import Encoder

LANISTA = [sys.executable, "-m", "lanista"]
SMALL = ["--set", "copies=64", "plies=8", "minibatch_size=256", "encoder=mlp", "threads=1", "anchor_pairs=8"]
BATCH = 64 * 8
LONGEST = 120.0  # seconds that anything here may take on a busy machine


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of four updates."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    words = ["train", "tictactoe", "--steps", str(4 * BATCH), "--out", str(folder), "--json", *SMALL]
    done = subprocess.run([*LANISTA, *words], capture_output=True, text=True, timeout=LONGEST)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["steps"] == 4 * BATCH
    assert told["agent"] == str(folder / "agent")
    assert set(told["scores"]) == {"random", "minimax:depth=1"}
    assert not told["interrupted"]
    assert "100%" in done.stderr.splitlines()[-1]
    assert "against random" in done.stderr
    return folder


def test_a_run_holds_what_the_readme_says(trained: Path) -> None:
    assert {"agent", "checkpoints", "config.toml", "metrics.jsonl"} <= {path.name for path in trained.iterdir()}
    assert list(trained.glob("events.out.tfevents.*"))
    rows = [json.loads(line) for line in (trained / "metrics.jsonl").read_text().splitlines()]
    assert [row["steps"] for row in rows] == [BATCH, 2 * BATCH, 3 * BATCH, 4 * BATCH]


def test_a_match_says_how_sure_it_is(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["match", str(trained), "random", "--game", "tictactoe", "--games", "20", "--seed", "3"]
    assert main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["wins"] + told["draws"] + told["losses"] == 20
    assert sum(told["pairs"].values()) == 10
    assert told["score"] == pytest.approx((told["wins"] + told["draws"] / 2) / 20)
    assert told["low"] <= told["score"] <= told["high"]
    assert told["high"] - told["low"] > 0.1, "ten pairs are few"
    assert told["faults"] == []
    assert main(words) == 0
    out = capsys.readouterr().out
    assert f"{told['wins']} won, {told['draws']} drawn, {told['losses']} lost" in out
    assert f"{told['score']:.1%} for {trained}" in out


def test_a_tournament_is_kept_goes_on_and_is_reported(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, report = tmp_path / "t.sqlite", tmp_path / "t.html"
    words = ["tournament", "--game", "tictactoe", "--games", "4", "--db", str(store)]
    assert main([*words, "--json", str(trained), "random"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert first["games"] == 4
    assert main([*words, "--report", str(report), str(trained), "random", "first-legal"]) == 0
    out = capsys.readouterr().out
    assert f"report: {report}" in out
    assert str(trained) in out
    assert report.read_text().lower().startswith("<!doctype html>")
    assert str(trained) in report.read_text()
    assert main(["standings", str(store), "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["games"] == 12
    assert {row["name"] for row in table["rows"]} == {str(trained), "random", "first-legal"}
    assert all(row["low"] < row["elo"] < row["high"] for row in table["rows"])
    assert main(["standings", str(store)]) == 0
    assert "95 % interval" in capsys.readouterr().out


def test_a_person_plays_the_trained_agent(
    trained: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert main(["play", "--terminal", "--against", str(trained), "--seat", "second"]) == 0
    out = capsys.readouterr().out
    assert f"tictactoe: you are player 2 of 2 against {trained}" in out
    assert re.search(r"plays [abc][123]  \(expects [+-]\d\.\d\d\)  policy: [abc][123] \d+%", out)


def test_a_second_run_does_not_overwrite_the_first(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (trained / "config.toml").read_bytes()
    assert main(["train", "tictactoe", "--steps", "64", "--out", str(trained)]) == 2
    assert "already holds a run; go on with --resume" in capsys.readouterr().err
    assert (trained / "config.toml").read_bytes() == before


def test_the_encoder_of_a_trained_agent_is_reused(trained: Path, tmp_path: Path) -> None:
    import torch

    encoder = lanista.load_encoder(trained)
    assert isinstance(encoder, Encoder)
    boards = torch.rand(5, 2, 3, 3)
    assert encoder(boards).shape == (5, encoder.dim)
    encoder.save_pretrained(tmp_path / "encoder")
    assert torch.equal(lanista.load_encoder(tmp_path / "encoder")(boards), encoder(boards))


def test_ctrl_c_saves_a_checkpoint_and_says_how_to_go_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run with a space"
    code, shown = interrupted(["train", "tictactoe", "--minutes", "30", "--out", str(folder), *SMALL])
    assert code == 130, shown
    assert "steps/s" in shown
    assert " left" in shown
    assert "Traceback" not in shown
    go_on = re.search(r"stopped after ([\d,]+) steps.*Go on with:\s+\S.* train --resume '(.*)'", shown, re.DOTALL)
    assert go_on is not None, shown
    steps = int(go_on[1].replace(",", ""))
    assert go_on[2] == str(folder)
    assert (folder / "checkpoints" / str(steps) / "resume" / "state.json").is_file()
    assert main(["train", "--resume", str(folder), "--steps", str(steps + BATCH), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == steps + BATCH
    rows = [json.loads(line)["steps"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert rows == list(range(BATCH, steps + 2 * BATCH, BATCH)), "nothing is lost, nothing is done twice"


def interrupted(words: list[str]) -> tuple[int, str]:
    """Run `lanista` on a terminal of its own, press Ctrl-C when it has learned something; give exit code and screen."""
    ours, theirs = pty.openpty()
    surroundings = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen(
        [*LANISTA, *words], stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True, env=surroundings
    )
    os.close(theirs)
    screen, pressed, began = b"", False, time.monotonic()
    try:
        while time.monotonic() - began < LONGEST:
            try:
                screen += os.read(ours, 65536)
            except OSError:  # the other end is closed: the program is over
                break
            if not pressed and b" steps/s" in screen:
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all of its processes
                pressed = True
        code = process.wait(timeout=LONGEST)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        os.close(ours)
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", screen).decode()
    return code, text.replace("\r", "")
