"""A run's folder, and how the run in it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import tomli_w

from lanista.agents.levels import Return
from lanista.errors import UsageError
from lanista.files import read_toml, write_text
from lanista.training.anchor_rating import Rating
from lanista.training.settings import TrainSettings, settings_from, settings_values


@dataclass(frozen=True)
class Progress:
    """How a run stands, told after every update.

    Attributes:
        steps: moves learned from so far.
        seconds: of training so far.
        share: of the run that is done, in [0, 1].
        steps_a_second: over the last updates.
        scores: anchor -> share of points against it, at the last measurement.
        metrics: of the last update, by name.
        nash_conv: what best responses would gain, both together, at the last measurement; None where it is not exact.
        returns: "training" and "held-out" -> mean return on such levels, at the last measurement.
        rating: on the anchors' scale, `random` at 0, at the last measurement; None where there are no anchors.
        measured_at: the steps of the last measurement; 0 before the first of this process.
    """

    steps: int
    seconds: float
    share: float
    steps_a_second: float
    scores: Mapping[str, float]
    metrics: Mapping[str, float]
    nash_conv: float | None = None
    returns: Mapping[str, Return] = field(default_factory=dict)
    rating: Rating | None = None
    measured_at: int = 0


@dataclass
class Run:
    """A run's folder.

    Attributes:
        folder: where it lies.
        settings: what it does.
        interrupted: it was stopped by Ctrl-C and can be resumed.
    """

    folder: Path
    settings: TrainSettings
    interrupted: bool = False
    progress: Progress | None = field(default=None, repr=False)

    @property
    def agent(self) -> str:
        """The newest agent's folder, a contestant string."""
        return str(self.folder / "agent")

    def checkpoints(self) -> list[Path]:
        """Checkpoints, oldest first; each is an agent folder."""
        folder = self.folder / "checkpoints"
        return sorted((path for path in folder.glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))


def open_run(folder: str | Path) -> Run:
    """Open a run's folder to go on with it or to read it.

    Raises:
        UsageError: it is no run.
    """
    path = Path(folder)
    if not (path / "config.toml").is_file():
        raise UsageError(f"{path} is no run: it holds no config.toml")
    return Run(path, settings_from(read_toml(path / "config.toml")))


def prolonged(run: Run, steps: int, minutes: float) -> Run:
    """The same run with new bounds, kept in its `config.toml`; they take the place of both old ones."""
    if not steps and not minutes:
        return run
    settings = replace(run.settings, steps=steps, minutes=float(minutes))
    write_text(run.folder / "config.toml", tomli_w.dumps(settings_values(settings)))
    return replace(run, settings=settings)
