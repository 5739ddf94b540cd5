"""What a search found: `trials.json`, `best.toml`, and the trials from the best to the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from lanista.errors import UsageError
from lanista.files import read_json, write_json, write_text
from lanista.training.tune.space import Plan, Values

SPACE_FILE, TRIALS_FILE, BEST_FILE, PICTURE_FILE, TRIALS_FOLDER = (
    "space.toml", "trials.json", "best.toml", "tune.svg", "trials",
)  # fmt: skip
WAITING, RUNNING, DONE, STOPPED, FAILED = "waiting", "running", "done", "stopped early", "failed"
ENDED = (DONE, STOPPED)  # these are not repeated


@dataclass
class Trial:
    """One trial of a search.

    Attributes:
        number: of its run's folder.
        values: the searched settings, as they are now.
        state: one of the words above.
        rows: of each measurement: `percent` of the trial that is done, `score`, `steps`, `seconds`.
        changes: of pbt: at which `percent` it took over from the trial `origin` and went on with which `values`.
        first: the values with which it began.
        error: why it failed.
    """

    number: int
    values: Values
    state: str = WAITING
    rows: list[dict[str, float]] = field(default_factory=list)
    changes: list[dict[str, Any]] = field(default_factory=list)
    first: Values = field(default_factory=dict)
    error: str = ""

    @property
    def score(self) -> float | None:
        """At its last measurement, of the weights that its run's folder holds."""
        return self.rows[-1]["score"] if self.rows else None

    @property
    def share(self) -> float:
        """How much of it is done or need not be done, in [0, 1]."""
        if self.state in (*ENDED, FAILED):
            return 1.0
        return self.rows[-1]["percent"] / 100 if self.rows else 0.0


def folder_of(root: Path, number: int) -> Path:
    """The run's folder of a trial."""
    return root / TRIALS_FOLDER / f"{number:03d}"


def ranked(plan: Plan, trials: Sequence[Trial]) -> list[Trial]:
    """The trials from the best to the worst; those that were never measured last."""
    sign = -1.0 if plan.mode == "max" else 1.0
    return sorted(trials, key=lambda one: (one.score is None, sign * (one.score or 0.0), one.number))


def write_trials(root: Path, game: str, plan: Plan, trials: Sequence[Trial]) -> None:
    """Write how all trials stand."""
    about = {"game": game, "scheduler": plan.scheduler, "metric": plan.metric}
    write_json(root / TRIALS_FILE, about | {"trials": [asdict(trial) for trial in trials]})


def read_trials(root: Path) -> tuple[str, list[Trial]]:
    """The game of a search, and its trials as they stood last.

    Raises:
        UsageError: the folder holds no search, or a damaged one.
    """
    found = read_json(root / TRIALS_FILE, "search of lanista tune")
    try:
        return str(found["game"]), [Trial(**trial) for trial in found["trials"]]
    except (KeyError, TypeError) as error:
        raise UsageError(f"{root / TRIALS_FILE} is damaged ({error})") from None


def write_best(root: Path, game: str, plan: Plan, trials: Sequence[Trial]) -> Trial | None:
    """Write the best trial's settings, as `lanista train GAME --config FILE` takes them.

    Returns:
        The best trial; None if none was measured, and then nothing is written.
    """
    best = ranked(plan, trials)[0]
    if best.score is None:
        return None
    lines = [f"# {game}: trial {best.number:03d} of {len(trials)}, {plan.metric} {best.score:.4g}"]
    if best.changes:
        lines.append("# Of a population: they changed as it trained, and these are the last (see trials.json).")
    write_text(root / BEST_FILE, "\n".join([*lines, tomli_w.dumps({**plan.settings, **best.values})]))
    return best
