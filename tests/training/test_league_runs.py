"""Runs with a league: what they keep, how they go on after a kill, what is drawn of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from small_league import LEAGUE, SMALL

from lanista.agents.artifact import load_network
from lanista.agents.contestant import load_agent
from lanista.agents.match import score
from lanista.cli.main import main
from lanista.envs import make
from lanista.errors import UsageError
from lanista.training.exploiter import exploiters_of
from lanista.training.league import (
    Member,
    payoffs_from,
)
from lanista.training.run import Progress, Run, create_run, open_run, train
from lanista.training.settings import new_network, read_settings, settings_values


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[int]]:
    heard: list[int] = []
    run = create_run(tmp_path_factory.mktemp("league"), settings_of_a_run())
    train(run, report=lambda progress: heard.append(progress.steps))
    return run, heard


def settings_of_a_run() -> Any:
    # The bound is in steps, of which each update has as many as rows were the learner's: about ten updates.
    openings = {"random_share": 0.5, "random_plies": 4}
    return read_settings("tictactoe", changes=SMALL | LEAGUE | openings | {"steps": 3600, "checkpoints": 3})


def league_in(run: Run) -> dict[str, Any]:
    state: dict[str, Any] = json.loads((run.checkpoints()[-1] / "league.json").read_text())
    return state


def test_a_run_keeps_its_league(unbroken: tuple[Run, list[int]]) -> None:
    run, heard = unbroken
    assert all(step - before < 64 * 8 for before, step in pairwise(heard[1:])), "members move too"
    members, games, points = payoffs_from(league_in(run))
    assert members[0] == Member("random", False) and 2 <= sum(member.frozen for member in members) <= 3
    assert any(member.past_self for member in members)
    assert any((run.folder / "league").glob("*-exploiter-1")), "its time was up twice"
    assert games[0, 1:].max() > 20 and (points + points.T == games).all()
    for member in members[1:]:
        assert 0 <= score("tictactoe", load_agent(run.folder / "league" / member.name), load_agent("random"), 4, 0) <= 1
    row = json.loads((run.folder / "metrics.jsonl").read_text().splitlines()[-1])
    assert row["league_members"] == len(members) and 0 < row["league_least_score"] <= row["league_score"] < 1


def test_an_exploiter_learns_to_beat_the_current_network(tmp_path: Path) -> None:
    settings = read_settings("tictactoe", changes=SMALL | {"league_size": 2, "exploiters": 1, "copies": 256})
    torch.manual_seed(0)
    learner = new_network(make("tictactoe").spec, settings)
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    (exploiter,) = exploiters_of(settings, learner)
    assert exploiter.score == 0.5 and not exploiter.done
    for number in range(40):
        exploiter.update(learner, number, 0.0)
    assert exploiter.score > 0.65, "a random network is easy to beat"
    exploiter.save(tmp_path)
    (again,) = exploiters_of(settings, learner)
    again.load(tmp_path)
    for one in (exploiter, again):
        one.update(learner, 40, 0.0)
    assert again.score == exploiter.score and again.age == 41
    for name, value in again.network.state_dict().items():
        torch.testing.assert_close(value, exploiter.network.state_dict()[name], rtol=0, atol=1e-6)
        assert torch.equal(learner.state_dict()[name], before[name]), "the current network learns nothing of it"
    exploiter.begin(learner)
    assert exploiter.age == 0 and exploiter.score == 0.5


def test_a_resumed_run_with_a_league_equals_an_unbroken_one(unbroken: tuple[Run, list[int]], tmp_path: Path) -> None:
    """Stopped between two redraws, with games against members in hand: the same weights, members and payoffs."""
    whole, heard = unbroken

    def interrupt(progress: Progress) -> None:
        if progress.steps == heard[4]:
            os.kill(os.getpid(), signal.SIGINT)

    first = train(create_run(tmp_path / "run", settings_of_a_run()), report=interrupt)
    assert first.interrupted and first.progress is not None and first.progress.steps == heard[4]
    again = train(open_run(tmp_path / "run"), resume=True)
    assert again.progress is not None and again.progress.steps == heard[-1]
    assert league_in(again) == league_in(whole)
    wanted = load_network(whole.agent)[0].state_dict()
    for name, value in load_network(again.agent)[0].state_dict().items():
        torch.testing.assert_close(value, wanted[name], rtol=0, atol=1e-6, msg=name)


KILLED = """
import json, os, signal, sys
from pathlib import Path
from lanista.training.run import create_run, train
from lanista.training.settings import settings_from

def kill(progress):
    if progress.steps >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

train(create_run(Path(sys.argv[1]), settings_from(json.loads(sys.argv[2]))), report=kill)
"""


@pytest.mark.thorough
def test_a_run_with_a_league_that_was_killed_goes_on_as_if_unbroken(
    unbroken: tuple[Run, list[int]], tmp_path: Path
) -> None:
    """From its last checkpoint: the same weights, optimiser, members, payoffs and random streams at the end."""
    whole, heard = unbroken
    kept = int(whole.checkpoints()[0].name)
    at = heard[heard.index(kept) + 2]  # after a checkpoint, and after updates that are lost
    words = [str(tmp_path / "run"), json.dumps(settings_values(settings_of_a_run())), str(at)]
    done = subprocess.run([sys.executable, "-c", KILLED, *words], capture_output=True, text=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    killed = open_run(tmp_path / "run")
    assert [int(path.name) for path in killed.checkpoints()] == [kept]
    again = train(killed, resume=True)
    rows = [json.loads(line)["steps"] for line in (again.folder / "metrics.jsonl").read_text().splitlines()]
    assert rows == heard, "no update is lost, none is counted twice"
    assert league_in(again) == league_in(whole)
    for file in ("network", "optimizer"):
        wanted = load_file(whole.checkpoints()[-1] / "resume" / f"{file}.safetensors")
        for name, value in load_file(again.checkpoints()[-1] / "resume" / f"{file}.safetensors").items():
            torch.testing.assert_close(value, wanted[name], rtol=0, atol=1e-6, msg=name)


def test_a_damaged_league_is_named(tmp_path: Path) -> None:
    run = train(create_run(tmp_path / "run", read_settings("tictactoe", changes=SMALL | LEAGUE | {"steps": 400})))
    (run.checkpoints()[-1] / "league.json").write_text('{"format": 1, "members": [{"name": "7", "frozen": true}]}')
    with pytest.raises(UsageError, match="is damaged"):
        train(open_run(tmp_path / "run"), resume=True)


def test_the_payoff_matrix_is_drawn(
    unbroken: tuple[Run, list[int]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run, _ = unbroken
    out = tmp_path / "payoff.svg"
    for folder in (run.folder, run.checkpoints()[-1]):
        assert main(["plot", str(folder), "--payoff", "--out", str(out)]) == 0
        text = out.read_text()
        assert text.startswith("<?xml")
        for name in ("learner", "random", "steps"):
            assert f"<!-- {name}" in text or f"{name} -->" in text
    (tmp_path / "plain").mkdir()
    assert main(["plot", str(tmp_path / "plain"), "--payoff", "--out", str(out)]) == 2
    assert main(["plot", str(run.folder), "--payoff", "--by", "minutes", "--out", str(out)]) == 2
    assert "one run, without --metrics and --by" in capsys.readouterr().err
