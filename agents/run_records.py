"""What a run's folder tells of it, read while it trains or after: state, curves, best scores."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lanista.envs.core import Array
from lanista.errors import UsageError
from lanista.files import is_held, read_json, read_toml

RUNNING, STOPPED, DONE, BROKEN = "running", "stopped, resumable", "done", "broken"
EMPTY = "stopped, nothing kept"
OF_GAMES = ("success", "first_player_return", "game_length")  # means over the games that ended in an update
LAST_GAMES = 100  # as Stable-Baselines3 and RLlib tell returns
Row = dict[str, float]


@dataclass(frozen=True)
class RunRecord:
    """How a run stands.

    Attributes:
        folder: where it lies.
        kind: "training" or "pretraining".
        state: one of the names above.
        about: the game's or task's string; of a broken folder what is wrong with it.
        steps: moves learned from; epochs of pretraining.
        share: of the run that is done, in [0, 1]; None where nothing tells.
        seconds: of training.
        steps_a_second: at the end.
        best, last: measure -> value: `score/ANCHOR` shares of points, `rating` in Elo, and `nash_conv` (of which the
            least is best); of pretraining that is done its measure on validation.
        written: when it last wrote, in seconds since 1970; None if never.
        kept: the steps of the newest checkpoint that a run in training can be resumed from; None if there is none.
    """

    folder: Path
    kind: str
    state: str
    about: str
    steps: int = 0
    share: float | None = None
    seconds: float = 0.0
    steps_a_second: float = 0.0
    best: Mapping[str, float] | None = None
    last: Mapping[str, float] | None = None
    written: float | None = None
    kept: int | None = None


def run_folders(folder: Path) -> list[Path]:
    """The runs at and directly below a folder; a hidden or other folder is none."""

    def is_run(path: Path) -> bool:
        return any((path / name).exists() for name in ("config.toml", "metrics.jsonl", "pretrain.json", "checkpoints"))

    if is_run(folder):
        return [folder]
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))


class GrowingRows:
    """The rows of a run's `metrics.jsonl`, of which each reading takes only what has come since."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "metrics.jsonl"
        self._rows: list[Row] = []
        self._file, self._place, self._lines = 0, 0, 0

    def read(self) -> list[Row]:
        """The rows, numbers only, oldest first; a last line that is being written is left out.

        Raises:
            UsageError: another line is damaged.
        """
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            self._rows, self._place, self._lines = [], 0, 0
            return []
        with file:
            status = os.fstat(file.fileno())
            if status.st_ino != self._file or status.st_size < self._place:  # a resumed run has written it anew
                self._rows, self._place, self._lines, self._file = [], 0, 0, status.st_ino
            file.seek(self._place)
            lines = file.read().splitlines(keepends=True)
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                break
            try:
                self._rows.append(_row(line))
            except (ValueError, AttributeError, OverflowError, RecursionError) as error:
                if number == len(lines):
                    break
                raise UsageError(f"line {self._lines + 1} of {self.path} is damaged ({error})") from None
            self._place += len(line)
            self._lines += 1
        return self._rows


def _row(line: bytes) -> Row:
    row = {str(key): float(value) for key, value in json.loads(line).items() if isinstance(value, int | float)}
    if not {"steps", "seconds"} <= row.keys():
        raise ValueError("no steps or seconds")
    return row


def values_of(rows: Sequence[Row], metric: str) -> Array:
    """A curve's values, (rows,): what an update's games tell is the mean over the last `LAST_GAMES` games.

    Such a mean is of whole rows, and at first of all that there are.

    Args:
        rows: which all have the metric.
        metric: its name.
    """
    values = np.array([row[metric] for row in rows])
    if metric not in OF_GAMES:
        return values
    games = np.array([row.get("games", 1.0) for row in rows])
    count = np.concatenate([[0.0], np.cumsum(games)])
    total = np.concatenate([[0.0], np.cumsum(games * values)])
    last = np.arange(1, len(count))
    first = np.clip(np.searchsorted(count, count[last] - LAST_GAMES, side="right") - 1, 0, last - 1)
    mean: Array = (total[last] - total[first]) / (count[last] - count[first])
    return mean


def read_rows(folder: Path) -> list[Row]:
    """As `GrowingRows.read`, for once."""
    return GrowingRows(folder).read()


def read_record(folder: Path, rows: GrowingRows | None = None) -> RunRecord:
    """How the run in a folder stands; a damaged one is a record that says so.

    Args:
        folder: of the run.
        rows: its curve, where somebody reads it again and again.
    """
    try:
        if (folder / "pretrain.json").exists():
            return _pretraining(folder)
        return _training(folder, rows or GrowingRows(folder))
    except (OSError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        words = str(error) if isinstance(error, UsageError | OSError) else f"its files do not fit together ({error!r})"
        return RunRecord(folder, "training", BROKEN, " ".join(words.split()))


def is_score(name: str) -> bool:
    """Whether a metric is a measurement of strength."""
    return name.startswith("score/") or name in ("rating", "nash_conv")


def _training(folder: Path, curve: GrowingRows) -> RunRecord:
    if not (folder / "config.toml").exists():
        raise UsageError(f"{folder} holds no config.toml")
    config = read_toml(folder / "config.toml")
    if not isinstance(config.get("game"), str):
        raise UsageError(f"{folder / 'config.toml'} names no game")
    held = is_held(folder)  # before the rows: what was written last is then read
    rows = curve.read()
    last = rows[-1] if rows else {"steps": 0.0, "seconds": 0.0}
    bounds = [
        last[name] / bound
        for name, bound in (("steps", float(config.get("steps", 0))), ("seconds", 60 * float(config.get("minutes", 0))))
        if bound
    ]
    share = min(max(bounds), 1.0) if bounds else None
    resumable = (path.parts[-3] for path in folder.glob("checkpoints/*/resume/state.json"))
    whole = [int(name) for name in resumable if name.isdecimal()]
    state = RUNNING if held else DONE if share == 1.0 and whole else STOPPED if whole else EMPTY
    names = {name for row in rows for name in row if is_score(name)}
    curves = {name: [row[name] for row in rows if name in row] for name in sorted(names)}
    written = folder / "metrics.jsonl"
    return RunRecord(
        folder, "training", state, config["game"], int(last["steps"]), share, last["seconds"],
        last.get("steps_a_second", 0.0),
        {name: min(curve) if name == "nash_conv" else max(curve) for name, curve in curves.items()},
        {name: curve[-1] for name, curve in curves.items()},
        (written if written.exists() else folder / "config.toml").stat().st_mtime, max(whole, default=None),
    )  # fmt: skip


def _pretraining(folder: Path) -> RunRecord:
    about = read_json(folder / "pretrain.json", "run of lanista pretrain")
    done, checkpoint = folder / "encoder.json", folder / "checkpoint.safetensors"
    held = is_held(folder)
    found: dict[str, Any] = {}
    scores: dict[str, float] = {}
    if done.exists():
        found = read_json(done, "encoder")["training"]
        scores = {str(found["measure"]): float(found["valid"])}
    elif checkpoint.exists():
        found = _checkpoint_state(checkpoint)
    state = RUNNING if held else DONE if done.exists() else STOPPED if checkpoint.exists() else EMPTY
    newest = next(path for path in (done, checkpoint, folder / "pretrain.json") if path.exists())
    epochs = found.get("epochs", found.get("epoch", 0))
    return RunRecord(
        folder, "pretraining", state, str(about["task"]), int(epochs), 1.0 if state == DONE else None,
        float(found.get("seconds", 0.0)), 0.0, scores, scores, newest.stat().st_mtime,
    )  # fmt: skip


def _checkpoint_state(path: Path) -> dict[str, Any]:
    """The state in the header of a safetensors file: eight bytes of its length, then JSON."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > path.stat().st_size:
            raise UsageError(f"{path} is damaged: it is shorter than it says")
        header = json.loads(file.read(size))
    state: dict[str, Any] = json.loads(header["__metadata__"]["state"])
    return state
