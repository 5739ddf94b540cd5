"""The search for settings: its file, what it refuses, trials that are runs, and going on after a kill."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from lanista.agents.artifact import load_network
from lanista.agents.run_records import read_record
from lanista.cli.main import main
from lanista.errors import UsageError
from lanista.files import read_toml
from lanista.training.run import create_run, open_run, train
from lanista.training.settings import read_settings
from lanista.training.tune.picture import draw
from lanista.training.tune.records import Trial, ranked, read_trials, write_best
from lanista.training.tune.space import Plan, read_plan

pytestmark = [pytest.mark.usefixtures("one_ray"), pytest.mark.long]

DOCS = Path(__file__).parents[2] / "docs" / "tune"
HEAD = "samples = 4\nsteps = 2_000\n[space]\nlearning_rate = {log_uniform = [1e-4, 1e-2]}\n"
SMALL = """
[settings]
copies = 64
plies = 8
minibatch_size = 128
encoder = "mlp:dim=16"
precision = "float32"
measurements = 4
anchor_pairs = 8
anchors = "random"
"""


def plan_of(tmp_path: Path, text: str) -> Plan:
    (tmp_path / "space.toml").write_text(text)
    return read_plan(tmp_path / "space.toml")


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_can_be_searched(path: Path) -> None:
    plan = read_plan(path)
    plan.check(path.read_text().split()[3])
    assert plan.scheduler == path.stem and len(plan.draw()) == plan.samples


def test_values_are_drawn_from_the_space_and_by_the_seed(tmp_path: Path) -> None:
    space = """
samples = 400
minutes = 1
[space]
learning_rate = {log_uniform = [1e-4, 1e-2]}
entropy_coefficient = {uniform = [0.01, 0.05]}
epochs = {integer = [1, 3]}
encoder = {choice = ["mlp", "board_resnet"]}
symmetry = {choice = [true, false]}
"""
    plan = plan_of(tmp_path, space)
    drawn = plan.draw()
    assert drawn == plan.draw() != plan_of(tmp_path, "seed = 1\n" + space).draw()
    rates = np.log10([float(values["learning_rate"]) for values in drawn])
    assert rates.min() >= -4 and rates.max() <= -2 and abs(rates.mean() + 3) < 0.1  # even in the logarithm
    assert {values["epochs"] for values in drawn} == {1, 2, 3}
    assert {(values["encoder"], values["symmetry"]) for values in drawn} == {
        (encoder, symmetry) for encoder in ("mlp", "board_resnet") for symmetry in (True, False)
    }
    assert plan.space["epochs"].clipped(7.2) == 3 and plan.space["learning_rate"].clipped(1e-6) == 1e-4
    settings = plan.trial_settings("tictactoe", drawn[0])
    assert settings.threads == 1 and settings.learning_rate == drawn[0]["learning_rate"]
    assert settings.copies == 256, "the game's preset holds where the file says nothing"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("sampels = 4\n" + HEAD, "did you mean 'samples'"),
        (HEAD.replace("learning_rate", "lerning_rate"), "did you mean 'learning_rate'"),
        (HEAD.replace("log_uniform", "loguniform"), "did you mean 'log_uniform'"),
        (HEAD.replace("1e-4", "0.0"), "above 0"),
        (HEAD.replace("1e-4", "1.0"), "the lesser first"),
        (HEAD.replace("{log_uniform = [1e-4, 1e-2]}", "0.1"), "is written as"),
        (HEAD + "epochs = {uniform = [1, 3]}", "'epochs' is a whole number"),
        (HEAD + "gamma = {integer = [0, 1]}", "no whole number"),
        (HEAD + "encoder = {choice = []}", "takes a list"),
        (HEAD + "runners = {integer = [1, 2]}", "a trial is one process"),
        (HEAD + "anchors = {choice = [\"random\", \"\"]}", "alike in all trials"),
        (HEAD + "[settings]\nlearning_rate = 0.1", "both fixed and searched"),
        (HEAD + "[settings]\ncopeis = 3", "did you mean 'copies'"),
        (HEAD + "[settings]\nsteps = 3", "above the tables"),
        ("scheduler = \"ahsa\"\n" + HEAD, "did you mean 'asha'"),
        ("metric = \"elo\"\n" + HEAD, "unknown metric"),
        ("quantile = 0.2\n" + HEAD, "for the scheduler 'pbt'"),
        ("grace = 1.5\n" + HEAD, "'grace' is a share"),
        (HEAD.replace("samples = 4", "samples = 1"), "at least 2"),
        (HEAD.replace("samples = 4", "samples = 4.5"), "must be int"),
        (HEAD.replace("steps = 2_000", ""), "how long"),
        (HEAD.partition("[space]")[0], "searches nothing"),
        ("scheduler = \"pbt\"\n" + HEAD + "encoder = {choice = [\"mlp\", \"auto\"]}", "'encoder' is not searched"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        plan_of(tmp_path, text)


@pytest.mark.parametrize(
    ("game", "text", "said"),
    [
        ("tictactoe", HEAD + "clip_range = {uniform = [-1.0, 0.0]}", "must not be negative"),
        ("tictactoe", HEAD + "encoder = {choice = [\"mlp\", \"mpl\"]}", "did you mean 'mlp'"),
        ("tictactoe", HEAD + "[settings]\nmeasurements = 1", "at least 2"),
        ("tictactoe", "metric = \"nash_conv\"\n" + HEAD, "small games only"),
        ("tictactoe", "metric = \"return\"\n" + HEAD, "games of one player"),
        ("tictactoe", "scheduler = \"pbt\"\n" + HEAD + "[settings]\nleague_size = 4", "leave league_size 0"),
        ("gym:CartPole-v1", HEAD, "needs anchors"),
        ("tictacto", HEAD, "did you mean 'tictactoe'"),
    ],
)  # fmt: skip
def test_trials_that_could_not_begin_are_refused_before_there_is_a_folder(
    game: str, text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "space.toml").write_text(text)
    assert main(["tune", game, "--space", str(tmp_path / "space.toml"), "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_words_that_do_not_go_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["tictactoe"], [], ["tictactoe", "--resume", str(tmp_path)], ["--resume", str(tmp_path)]):
        assert main(["tune", *words]) == 2
    assert "is no search" in capsys.readouterr().err


def rows_of(*scores: float) -> list[dict[str, float]]:
    return [
        {"percent": 100 * n / 3, "score": score, "steps": 10 * n, "seconds": 1.0 * n}
        for n, score in enumerate(scores, 1)
    ]


def test_the_best_trial_is_written_for_config_and_drawn(tmp_path: Path) -> None:
    text = HEAD + 'encoder = {choice = ["mlp:dim=16", "mlp:dim=32"]}\n[settings]\ncopies = 64\n'
    for metric, best in (("points", 1), ("nash_conv", 0)):
        plan = plan_of(tmp_path, f'metric = "{metric}"\n' + text)
        trials = [Trial(number, values, first=values) for number, values in enumerate(plan.draw())]
        trials[0].rows, trials[1].rows, trials[2].rows = rows_of(0.1, 0.2, 0.3), rows_of(0.1, 0.5, 0.9), rows_of(0.8)
        assert [trial.number for trial in ranked(plan, trials)] == ([1, 2, 0, 3] if best else [0, 2, 1, 3])
        assert write_best(tmp_path, "tictactoe", plan, trials) is trials[best]
        settings = read_settings("tictactoe", tmp_path / "best.toml", {"steps": 9})
        assert settings.copies == 64 and settings.encoder == trials[best].values["encoder"]
        draw("tictactoe", plan, trials, tmp_path / "tune.svg")
        assert "<svg" in (tmp_path / "tune.svg").read_text()


@pytest.mark.thorough
def test_a_run_takes_over_anothers_checkpoint_and_goes_on_from_it(tmp_path: Path) -> None:
    """As a trial of a population does: weights, steps and curve are the other's, the settings its own."""
    from lanista.training.tune.trial import ORIGIN_FILE, take_over

    plan = plan_of(tmp_path, 'scheduler = "pbt"\n' + HEAD + SMALL)
    runs = []
    for number, rate in enumerate((1e-3, 2e-3)):
        settings = plan.trial_settings(
            "tictactoe", {"learning_rate": rate, "trainer": "sb3", "algorithm": "maskable_ppo"}
        )
        runs.append(train(create_run(tmp_path / str(number), settings)))
    own, other = runs
    saved = tmp_path / "saved"
    shutil.copytree(other.checkpoints()[-1], saved)
    steps = int(other.checkpoints()[-1].name)
    (saved / ORIGIN_FILE).write_text(json.dumps({"trial": 1, "steps": steps}))
    take_over(own, saved)
    newest = own.checkpoints()[-1]
    assert [path.name for path in own.checkpoints() if (path / "resume").exists()] == [str(steps)]
    theirs = load_network(other.agent)[0].state_dict()
    assert all((value == theirs[name]).all() for name, value in load_network(newest)[0].state_dict().items())
    again = train(open_run(own.folder), resume=True)
    assert again.settings.learning_rate == 1e-3 and again.checkpoints()[-1].name == str(steps)


@pytest.mark.thorough
def test_successive_halving_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "space.toml").write_text(HEAD.replace("samples = 4", "samples = 2") + SMALL)
    out = tmp_path / "out"
    assert main(["tune", "tictactoe", "--space", str(tmp_path / "space.toml"), "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    _, trials = read_trials(out)
    assert [trial["number"] for trial in told["trials"]] == [0, 1]
    assert "done" in {trial.state for trial in trials} <= {"done", "stopped early"}
    for trial in trials:
        record = read_record(out / "trials" / f"{trial.number:03d}")
        assert record.last is not None and record.last["rating"] == trial.score
        assert record.state == ("done" if trial.state == "done" else "stopped, resumable")
        assert load_network(record.folder / "agent")[1]["training"]["settings"]["threads"] == 1
    assert told["best"] == max(trials, key=lambda trial: trial.score or -np.inf).number
    assert read_toml(out / "best.toml")["learning_rate"] == trials[told["best"]].values["learning_rate"]
    assert "<svg" in (out / "tune.svg").read_text()
    before = (out / "trials.json").read_text()
    assert main(["tune", "--resume", str(out)]) == 0  # nothing is left to do, and no Ray is started
    assert (out / "trials.json").read_text() == before


@pytest.mark.slow
def test_a_trial_that_fails_says_why_and_the_others_go_on(tmp_path: Path) -> None:
    from lanista.training.tune.search import create_search, open_search, run_search

    (tmp_path / "space.toml").write_text(HEAD.replace("samples = 4", "samples = 2") + SMALL)
    search = create_search(tmp_path / "out", "tictactoe", tmp_path / "space.toml")
    (tmp_path / "out" / "trials" / "000").touch()  # where its run's folder is to be
    first, second = run_search(search, parallel=1).trials
    assert first.state == "failed" and "Not a directory" in first.error and second.state == "done"
    (tmp_path / "out" / "trials" / "000").unlink()
    first, second = run_search(open_search(tmp_path / "out")).trials
    assert {first.state, second.state} <= {"done", "stopped early"} and not first.error


@pytest.mark.slow
def test_a_population_takes_over_from_its_best(tmp_path: Path) -> None:
    """Two of four learn nothing, by their learning rate; by the end all have weights that did."""
    head = """
scheduler = "pbt"
metric = "points"
samples = 4
steps = 40_000
interval = 0.25
quantile = 0.5
resample = 0.01
[space]
learning_rate = {choice = [1e-9, 1e-3]}
"""
    (tmp_path / "space.toml").write_text(head + SMALL.replace("measurements = 4", "measurements = 8"))
    out = tmp_path / "out"
    assert main(["tune", "tictactoe", "--space", str(tmp_path / "space.toml"), "--out", str(out)]) == 0
    _, trials = read_trials(out)
    assert {trial.state for trial in trials} == {"done"}
    changes = [change for trial in trials for change in trial.changes]
    assert changes and all(change["origin"] in range(4) for change in changes)
    for trial in trials:
        config = read_toml(out / "trials" / f"{trial.number:03d}" / "config.toml")
        assert config["learning_rate"] == trial.values["learning_rate"]
        steps = [
            row["steps"] for row in map(json.loads, (out / "trials" / f"{trial.number:03d}" / "metrics.jsonl").open())
        ]
        assert steps == sorted(set(steps)) and steps[-1] >= 40_000


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["asha", "pbt"])
def test_a_search_that_was_killed_goes_on(scheduler: str, tmp_path: Path) -> None:
    (tmp_path / "space.toml").write_text(f'scheduler = "{scheduler}"\n' + HEAD.replace("2_000", "60_000") + SMALL)
    out = tmp_path / "out"
    words = [sys.executable, "-m", "lanista", "tune"]
    search = subprocess.Popen([*words, "tictactoe", "--space", str(tmp_path / "space.toml"), "--out", str(out)])
    try:
        until = time.monotonic() + 300
        ended: dict[int, list[dict[str, float]]] = {}
        while not ended and time.monotonic() < until and search.poll() is None:
            time.sleep(0.2)
            found = read_trials(out)[1] if (out / "trials.json").exists() else []
            ended = {trial.number: trial.rows for trial in found if trial.state in ("done", "stopped early")}
        assert ended and search.poll() is None
    finally:
        os.kill(search.pid, signal.SIGKILL)
        search.wait()
    written = {number: (out / "trials" / f"{number:03d}" / "metrics.jsonl").stat().st_mtime for number in ended}
    assert subprocess.run([*words, "--resume", str(out)], check=False).returncode == 0
    _, trials = read_trials(out)
    assert {trial.state for trial in trials} <= {"done", "stopped early"}
    for number, rows in ended.items():
        assert trials[number].rows == rows
        assert (out / "trials" / f"{number:03d}" / "metrics.jsonl").stat().st_mtime == written[number], "played again"
    for trial in trials:
        percents = [row["percent"] for row in trial.rows]
        assert percents == sorted(percents) and read_record(out / "trials" / f"{trial.number:03d}").best is not None
