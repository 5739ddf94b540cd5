"""One trial: what Ray Tune runs in a process of its own, an ordinary training run that reports as it goes."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import tomli_w
from ray import tune

from lanista.files import drafted_folder, is_held, read_json, write_json, write_text
from lanista.training.run import Progress, Run, create_run, open_run, train
from lanista.training.settings import TrainSettings, settings_values
from lanista.training.tune.records import ENDED, Trial, folder_of
from lanista.training.tune.space import Plan, Values

ORIGIN_FILE = "origin.json"  # which trial a checkpoint is of
PATIENCE = 60.0  # seconds in which a trial's process of before must have ended


@dataclass(frozen=True)
class Task:
    """What the process of a trial is told beside its values.

    Attributes:
        root: the search's folder.
        game, plan: what is searched.
        trials: those that Tune was given, in its order, as they stood then.
        scale: the file of the anchors' ratings that all trials share, or None.
    """

    root: Path
    game: str
    plan: Plan
    trials: Sequence[Trial]
    scale: Path | None = None


def run_trial(values: Values, task: Task) -> None:
    """Train a trial, or go on with it, and report each measurement to Tune; its own stop ends this by SystemExit."""
    trial = task.trials[trial_index(tune.get_context().get_trial_id())]
    checkpoint = tune.get_checkpoint()
    if task.plan.scheduler == "asha":
        for row in trial.rows:  # the scheduler of before is gone; so it knows again what it knew
            tune.report({**row, "replayed": True})
        if trial.state in ENDED:
            return
    folder = folder_of(task.root, trial.number)
    _await_end(folder)
    settings = task.plan.trial_settings(task.game, values)
    origin = None
    if checkpoint is not None:
        with checkpoint.as_directory() as place:
            run = _run_with(folder, settings)
            saved = int(read_json(Path(place) / ORIGIN_FILE, "checkpoint of a trial")["trial"])
            if saved != trial.number:
                take_over(run, Path(place))
                origin = saved
    else:
        run = _run_with(folder, settings)
    if task.scale is not None and not (folder / task.scale.name).exists():
        shutil.copyfile(task.scale, folder / task.scale.name)
    reporter = _Reporter(task.plan, run, trial.number, dict(values), origin)
    train(run, resume=bool(run.checkpoints()), report=reporter)
    if reporter.stopped:
        sys.exit(0)  # as Tune's own report does: a mere return would be one report more, which nobody takes
    if reporter.last is not None:
        tune.report({**reporter.last, "done": True})


def trial_index(trial_id: str) -> int:
    """Which of Tune's trials this is: it numbers them from 0."""
    return int(trial_id.rpartition("_")[2])


def _await_end(folder: Path) -> None:
    """Wait until no process holds the run any more: that of a trial that was paused or killed may still be ending."""
    until = time.monotonic() + PATIENCE
    while folder.exists() and is_held(folder) and time.monotonic() < until:
        time.sleep(0.1)


def _run_with(folder: Path, settings: TrainSettings) -> Run:
    """The run of a trial, begun if it is not there, with these settings."""
    if not (folder / "config.toml").exists():
        return create_run(folder, settings)
    before = open_run(folder)
    if before.settings == settings:
        return before
    settings = replace(settings, encoder=before.settings.encoder)  # there it is written so that it lasts
    write_text(folder / "config.toml", tomli_w.dumps(settings_values(settings)))
    return Run(folder, settings)


def take_over(run: Run, checkpoint: Path) -> None:
    """Put another run's checkpoint into a run, so that it goes on from there.

    Args:
        run: whose later checkpoints are removed.
        checkpoint: an agent's folder with `resume` in it, named by its `origin.json`.
    """
    steps = int(read_json(checkpoint / ORIGIN_FILE, "checkpoint of a trial")["steps"])
    final = run.folder / "checkpoints" / str(steps)
    with drafted_folder(final) as draft:
        shutil.copytree(checkpoint, draft, dirs_exist_ok=True)
        for path in draft.rglob("*"):
            if path.is_file():
                with path.open("rb") as file:
                    os.fsync(file.fileno())
    for path in run.checkpoints():
        if int(path.name) > steps:
            shutil.rmtree(path)
        elif path != final:
            shutil.rmtree(path / "resume", ignore_errors=True)


@dataclass
class _Reporter:
    """Tells Tune of each measurement of a run.

    Attributes:
        values: of the searched settings.
        origin: the trial whose weights this one took over just before; None once that was told.
        last: what was told last, or is to be told when the run has ended.
        stopped: Tune wants this process to end.
    """

    plan: Plan
    run: Run
    number: int
    values: Values
    origin: int | None
    last: dict[str, Any] | None = None
    stopped: bool = False
    told_at: int = 0
    returns: list[float] = field(default_factory=list)

    def __call__(self, progress: Progress) -> None:
        name = next((name for name in ("first_player_return", "ep_rew_mean") if name in progress.metrics), None)
        if name is not None:
            self.returns.append(progress.metrics[name])
        if progress.measured_at == self.told_at:
            return
        self.told_at = progress.measured_at
        score = score_of(self.plan.metric, progress, self.returns)
        self.returns = []
        if score is None:
            return
        self.last = {
            "percent": round(100 * progress.share, 3), "score": score, "steps": progress.steps,
            "seconds": round(progress.seconds, 3), "origin": self.origin, "values": self.values,
        }  # fmt: skip
        self.origin = None
        if progress.share >= 1.0:
            return  # told once the last checkpoint is written
        try:
            self._tell(self.last)
        except SystemExit:
            self.stopped = True
            raise KeyboardInterrupt from None  # the run's own way to stop: it keeps what it has

    def _tell(self, row: Mapping[str, Any]) -> None:
        if self.plan.scheduler == "asha":
            tune.report(dict(row))
            return
        with tempfile.TemporaryDirectory() as place:
            newest = self.run.checkpoints()[-1]
            shutil.copytree(newest, place, dirs_exist_ok=True)
            write_json(Path(place) / ORIGIN_FILE, {"trial": self.number, "steps": int(newest.name)})
            tune.report(dict(row), checkpoint=tune.Checkpoint.from_directory(place))


def score_of(metric: str, progress: Progress, returns: Sequence[float]) -> float | None:
    """What a trial is judged by, at a measurement; None if it could not be measured.

    Args:
        metric: a key of `space.METRICS`.
        progress: of the run.
        returns: mean returns of the training games of each update since the last measurement.
    """
    if metric == "rating":
        return None if progress.rating is None else progress.rating.elo
    if metric == "points":
        return sum(progress.scores.values()) / len(progress.scores) if progress.scores else None
    if metric == "nash_conv":
        return progress.nash_conv
    if "held-out" in progress.returns:
        return progress.returns["held-out"].mean
    return sum(returns) / len(returns) if returns else None
