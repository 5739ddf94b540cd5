"""Where a run's curves are written: `metrics.jsonl`, TensorBoard's events, and Weights & Biases if a project is named.

Nothing leaves the machine unless the setting `wandb_project` says so.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.files import OF_THE_DISK, read_json, write_json, write_text
from lanista.plugs import one_line, required
from lanista.training.settings import TrainSettings, settings_values

METRICS_FILE = "metrics.jsonl"
WANDB_FILE = "wandb.json"  # which of the project's runs this one is
NO_SCALARS = ("steps", "updates")


class MetricsLog:
    """The curves of one run, a row after each update."""

    def __init__(self, folder: Path, settings: TrainSettings, resumed_at: int | None = None) -> None:
        """Open what the run's folder has, or begin it.

        Args:
            folder: of the run.
            settings: of the run.
            resumed_at: the steps from which the run goes on; rows after them are taken away. None: it is new.

        Raises:
            UsageError: Weights & Biases is asked for and not installed.
        """
        from torch.utils.tensorboard import SummaryWriter

        if resumed_at is not None:
            _forget_later_rows(folder / METRICS_FILE, resumed_at)
        self._curves: _WandbCurves | None = _WandbCurves(folder, settings) if settings.wandb_project else None
        self._events = SummaryWriter(str(folder), purge_step=None if resumed_at is None else resumed_at + 1)
        self._rows = (folder / METRICS_FILE).open("a")

    def write(self, row: Mapping[str, float]) -> None:
        """Write a row; `steps` is in it."""
        self._rows.write(json.dumps(row) + "\n")
        self._rows.flush()
        steps = int(row["steps"])
        for name, value in row.items():
            if name not in NO_SCALARS:
                self._events.add_scalar(name, value, steps)
        if self._curves is not None:
            self._curves.write(row, steps)

    def close(self) -> None:
        """Bring all to its end."""
        with contextlib.ExitStack() as ends:  # each, though another cannot be written
            if self._curves is not None:
                ends.callback(self._curves.close)
            ends.callback(self._rows.close)
            ends.callback(self._events.close)


@contextlib.contextmanager
def writers_are_quiet() -> Iterator[None]:
    """TensorBoard's thread that writes prints no errors of the disk meanwhile: the next `write` raises them."""
    before = threading.excepthook

    def hook(failure: threading.ExceptHookArgs) -> None:
        if not (isinstance(failure.exc_value, OSError) and failure.exc_value.errno in OF_THE_DISK):
            before(failure)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before


class _WandbCurves:
    """The same rows in Weights & Biases; what fails there is said once, and the run goes on without it.

    A run that is resumed goes on in the same curves. After a kill it plays some steps again: those W&B has already, and
    keeps as they were.
    """

    def __init__(self, folder: Path, settings: TrainSettings) -> None:
        check_wandb(settings)
        self._run: Any = None
        try:
            import wandb

            self._run = wandb.init(
                project=settings.wandb_project,
                name=folder.name,
                config=settings_values(settings),
                dir=str(folder),
                id=_run_id(folder),
                resume="allow",
            )
        except Exception as error:
            self._give_up(error)

    def write(self, row: Mapping[str, float], steps: int) -> None:
        if self._run is None:
            return
        try:
            self._run.log(dict(row), step=steps)
        except Exception as error:
            self._give_up(error)

    def close(self) -> None:
        if self._run is None:
            return
        try:
            self._run.finish()
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._run = None
        print(f"Weights & Biases failed ({one_line(error)}); the run goes on without it", file=sys.stderr)


def check_wandb(settings: TrainSettings) -> None:
    """See that Weights & Biases is there if the run wants it.

    Raises:
        UsageError: it is not installed.
    """
    if settings.wandb_project:
        required("wandb", "wandb", f"wandb_project={settings.wandb_project}")


def _run_id(folder: Path) -> str:
    """The id of this run among the project's, kept in its folder."""
    path = folder / WANDB_FILE
    try:
        return str(read_json(path, "run in Weights & Biases")["id"])
    except (UsageError, KeyError):
        name = uuid.uuid4().hex[:12]
        write_json(path, {"id": name})
        return name


def _forget_later_rows(path: Path, steps: int) -> None:
    """Take the curve's rows after a checkpoint away: a killed run wrote them, and they are played again."""
    kept = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            if json.loads(line)["steps"] <= steps:
                kept.append(line + "\n")
        except (ValueError, KeyError, TypeError):
            continue  # the kill cut this line short
    write_text(path, "".join(kept))
