"""A search by Ray Tune: its schedulers decide which trials go on; every trial is a run's folder under `trials/`.

What is known lies in `trials.json` and the runs' own folders, not in Tune's state: a search that was killed is begun
anew with the trials that are not over, and its scheduler is told again what the others reached.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from lanista.cores import usable_cores
from lanista.errors import UsageError
from lanista.files import check_unused, claim_folder, held_folder, write_text
from lanista.training.tune.picture import draw
from lanista.training.tune.records import (
    DONE,
    ENDED,
    FAILED,
    PICTURE_FILE,
    RUNNING,
    SPACE_FILE,
    STOPPED,
    TRIALS_FILE,
    TRIALS_FOLDER,
    WAITING,
    Trial,
    folder_of,
    ranked,
    read_trials,
    write_best,
    write_trials,
)  # fmt: skip
from lanista.training.tune.space import Dimension, Plan, Value, Values, read_plan

NEEDED_MEGABYTES = 500
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing reaches outside
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new one prints a table even when it is to be silent
    "RAY_CHDIR_TO_TRIAL_DIR": "0",  # settings name files from where the user is
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the runs write their curves
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_FUNCTION_THREAD_TIMEOUT_S": "60",  # a run that is stopped first writes its checkpoint
    "OMP_NUM_THREADS": "1",
}


@dataclass(frozen=True)
class SearchProgress:
    """How a search stands.

    Attributes:
        share: of all trials that is done, in [0, 1].
        trials: how they stand.
        best: the one with the best last score; None before all measurements.
        ended: the trial that has just ended, if one has.
    """

    share: float
    trials: Sequence[Trial]
    best: Trial | None
    ended: Trial | None = None


@dataclass(frozen=True)
class Search:
    """A search's folder and what it found.

    Attributes:
        folder: where it lies.
        game, plan: what was searched.
        trials: in the order of their numbers.
        interrupted: it was stopped by Ctrl-C and can be resumed.
    """

    folder: Path
    game: str
    plan: Plan
    trials: list[Trial]
    interrupted: bool = False

    @property
    def ranking(self) -> list[Trial]:
        """The trials from the best to the worst."""
        return ranked(self.plan, self.trials)

    def run_folder(self, trial: Trial) -> Path:
        """The folder of a trial's run."""
        return folder_of(self.folder, trial.number)


def create_search(folder: Path, game: str, space: Path) -> Search:
    """Begin a search's folder.

    Args:
        folder: a new one.
        game: the game's string.
        space: a TOML file, see `space.Plan`.

    Raises:
        UsageError: the file is wrong, the trials cannot begin, the folder cannot be written or holds a search.
    """
    plan = read_plan(space)
    if (folder / TRIALS_FILE).exists():
        raise UsageError(f"{folder} already holds a search; go on with --resume {folder}, or choose another --out")
    check_unused(folder)
    plan.check(game)
    claim_folder(folder / TRIALS_FOLDER, NEEDED_MEGABYTES)
    write_text(folder / SPACE_FILE, space.read_text())
    trials = [Trial(number, values, first=dict(values)) for number, values in enumerate(plan.draw())]
    write_trials(folder, game, plan, trials)
    return Search(folder, game, plan, trials)


def open_search(folder: Path) -> Search:
    """Open a search's folder to go on with it.

    Raises:
        UsageError: it holds none.
    """
    game, trials = read_trials(folder)
    return Search(folder, game, read_plan(folder / SPACE_FILE), trials)


def run_search(search: Search, *, parallel: int = 0, report: Callable[[SearchProgress], None] | None = None) -> Search:
    """Train the trials that are not over yet, then write `best.toml` and the picture.

    Args:
        search: from `create_search` or `open_search`.
        parallel: so many trials at once, each on a core; 0 is all cores that this process may use.
        report: called after each measurement of a trial.

    Returns:
        The search as it stands then.

    Raises:
        UsageError: another process goes on with it.
    """
    with held_folder(search.folder, "search"):
        ledger = _Ledger(search, report)
        if any(trial.state not in ENDED for trial in search.trials):
            _fit(search, ledger, parallel or usable_cores())
        for trial in search.trials:
            trial.state = WAITING if trial.state == RUNNING else trial.state
        interrupted = any(trial.state == WAITING for trial in search.trials)
        write_trials(search.folder, search.game, search.plan, search.trials)
        if write_best(search.folder, search.game, search.plan, search.trials) is not None:
            draw(search.game, search.plan, search.trials, search.folder / PICTURE_FILE)
    return replace(search, interrupted=interrupted)


def _fit(search: Search, ledger: _Ledger, parallel: int) -> None:
    """Hand the trials to Tune."""
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    from ray import tune
    from ray.tune.search import BasicVariantGenerator

    from lanista.training.tune.trial import Task, run_trial

    # Asha is told again what all trials reached; of a population those that are over have nothing to say.
    given = [trial for trial in search.trials if search.plan.scheduler == "asha" or trial.state not in ENDED]
    ledger.given = given
    points = [dict(trial.values) for trial in given]
    choices = {name: tune.choice([point[name] for point in points]) for name in search.plan.space}
    scale = _shared_scale(search)
    with _quiet_ray(parallel), tempfile.TemporaryDirectory(prefix="lanista-tune-") as state:
        task = Task(search.folder.resolve(), search.game, search.plan, _copies(given), scale)
        trainable = tune.with_resources(partial(run_trial, task=task), {"cpu": 1})
        tuner = tune.Tuner(
            trainable,
            param_space=choices,
            tune_config=tune.TuneConfig(
                num_samples=len(points),
                search_alg=BasicVariantGenerator(points_to_evaluate=points),
                scheduler=_scheduler(search.plan),
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="search",
                storage_path=state,
                verbose=0,
                callbacks=[ledger.callback(tune.Callback)],
                checkpoint_config=tune.CheckpointConfig(num_to_keep=4),
            ),
        )
        for trial, result in zip(given, tuner.fit(), strict=False):
            if result.error is not None and trial.state not in ENDED:
                ledger.fail(trial, result.error)


def _copies(trials: Sequence[Trial]) -> list[Trial]:
    """The trials as they stand now, for other processes."""
    return [replace(trial, rows=list(trial.rows), changes=[]) for trial in trials]


def _scheduler(plan: Plan) -> Any:
    """Tune's scheduler; its time is the percentage of a trial that is done, whatever bounds it."""
    from ray.tune.schedulers import ASHAScheduler

    from lanista.training.tune.population import Population

    judged = {"time_attr": "percent", "metric": "score", "mode": plan.mode}
    if plan.scheduler == "asha":
        return ASHAScheduler(**judged, max_t=100, grace_period=100 * plan.grace, reduction_factor=plan.reduction_factor)
    return Population(
        **judged,
        perturbation_interval=100 * plan.interval,
        hyperparam_mutations={name: _mutation(one, plan.seed) for name, one in plan.space.items()},
        quantile_fraction=plan.quantile,
        resample_probability=plan.resample,
        custom_explore_fn=partial(_within, plan.space),
        synch=False,
        log_config=False,
    )


def _mutation(dimension: Dimension, seed: int) -> list[Value] | Callable[[], Value]:
    """What PBT draws from: choices have neighbours, of other values there is a function."""
    import numpy as np

    if dimension.kind == "choice":
        return list(dimension.values)
    return partial(dimension.sample, np.random.default_rng([seed, 1]))


def _within(space: Mapping[str, Dimension], values: Values) -> Values:
    """Changed values brought back into the space."""
    return {name: space[name].clipped(value) if name in space else value for name, value in values.items()}


def _shared_scale(search: Search) -> Path | None:
    """The anchors' ratings, measured once for all trials."""
    from lanista.training.anchor_rating import SCALE_FILE, anchor_scale, anchors_of

    settings = search.plan.trial_settings(search.game, search.trials[0].first)
    anchors = anchors_of(settings)
    if not anchors or not settings.anchor_pairs:
        return None
    anchor_scale(search.folder, search.game, list(anchors))
    return (search.folder / SCALE_FILE).resolve()


@contextlib.contextmanager
def _quiet_ray(parallel: int) -> Iterator[None]:
    """A Ray of this process alone that says nothing."""
    import ray

    for name in ("ray", "ray.tune", "ray.train", "ray.rllib"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield
        return
    ray.init(
        address="local", include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR,
        configure_logging=False, num_cpus=parallel, object_store_memory=200 * 2**20,
    )  # fmt: skip
    try:
        yield
    finally:
        ray.shutdown()


class _Ledger:
    """Keeps `trials.json` as Tune tells how trials go."""

    def __init__(self, search: Search, report: Callable[[SearchProgress], None] | None) -> None:
        self.search, self.report = search, report
        self.given: list[Trial] = []

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune saves its callbacks for a way to go on that is not ours."""
        return {}

    def callback(self, base: type) -> Any:
        """A callback of Tune that tells this ledger."""
        from lanista.training.tune.trial import trial_index

        ledger = self

        class Callback(base):  # type: ignore[misc]  # Tune's own class is Any
            def on_trial_result(self, iteration: int, trials: Any, trial: Any, result: Any, **info: Any) -> None:
                ledger.hear(ledger.given[trial_index(trial.trial_id)], result)

            def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
                ledger.close(ledger.given[trial_index(trial.trial_id)], trial.last_result)

            def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
                ledger.fail(ledger.given[trial_index(trial.trial_id)], None)  # why is known at the end

        return Callback()

    def hear(self, trial: Trial, result: dict[str, Any]) -> None:
        """A trial was measured."""
        if result.get("replayed") or trial.state in ENDED:
            return
        trial.state, trial.error = RUNNING, ""
        row = {name: result[name] for name in ("percent", "score", "steps", "seconds")}
        if result["origin"] is not None:
            since = trial.rows[-1]["percent"] if trial.rows else 0.0
            trial.values = dict(result["values"])
            trial.changes.append({"percent": since, "origin": result["origin"], "values": trial.values})
        trial.rows.append(row)
        self._tell(None)

    def close(self, trial: Trial, result: dict[str, Any]) -> None:
        """A trial is over."""
        if trial.state in ENDED:
            return
        whole = bool(trial.rows) and trial.rows[-1]["percent"] >= 100
        trial.state = DONE if whole else STOPPED if trial.rows else FAILED
        trial.error = "" if trial.rows else "it was never measured"
        self._tell(trial)

    def fail(self, trial: Trial, error: BaseException | None) -> None:
        """A trial raised, or its process ended."""
        lines = str(error or "").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "")
        # Of a traceback from another process the last line, "lanista.errors.UsageError: ...", says what was wrong.
        trial.state, trial.error = FAILED, re.sub(r"^[\w.]+\.(?=\w+: )", "", said.strip())
        self._tell(trial)

    def _tell(self, ended: Trial | None) -> None:
        search = self.search
        write_trials(search.folder, search.game, search.plan, search.trials)
        if self.report is not None:
            best = search.ranking[0]
            share = sum(trial.share for trial in search.trials) / len(search.trials)
            self.report(SearchProgress(share, search.trials, best if best.score is not None else None, ended))
