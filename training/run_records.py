"""What a run's folder tells of it, read while it trains or after: state, curves, best scores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanista.errors import UsageError
from lanista.files import is_held, read_json
from lanista.training.settings import read_toml

RUNNING, STOPPED, DONE, BROKEN = "running", "stopped, resumable", "done", "broken"
EMPTY = "stopped, nothing kept"
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


def run_folders(folder: Path) -> list[Path]:
    """The runs at and directly below a folder; a hidden or other folder is none."""

    def is_run(path: Path) -> bool:
        return any((path / name).exists() for name in ("config.toml", "metrics.jsonl", "pretrain.json", "checkpoints"))

    if is_run(folder):
        return [folder]
    return sorted(path for path in folder.iterdir() if path.is_dir() and is_run(path))


def read_record(folder: Path) -> RunRecord:
    """How the run in a folder stands; a damaged one is a record that says so."""
    try:
        if (folder / "pretrain.json").exists():
            return _pretraining(folder)
        return _training(folder)
    except (UsageError, OSError, TypeError, ValueError, KeyError) as error:
        words = str(error) if isinstance(error, UsageError | OSError) else f"its files do not fit together ({error!r})"
        return RunRecord(folder, "training", BROKEN, " ".join(words.split()))


def read_rows(folder: Path) -> list[Row]:
    """The rows of `metrics.jsonl`, numbers only; a last line that is being written is left out.

    Raises:
        UsageError: another line is damaged.
    """
    path = folder / "metrics.jsonl"
    if not path.exists():
        return []
    rows: list[Row] = []
    lines = path.read_bytes().splitlines()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            found = {str(k): float(v) for k, v in row.items() if isinstance(v, int | float)}
            if not {"steps", "seconds"} <= found.keys():
                raise ValueError("no steps or seconds")
        except (ValueError, AttributeError) as error:
            if number == len(lines):
                break
            raise UsageError(f"line {number} of {path} is damaged ({error})") from None
        rows.append(found)
    return rows


def is_score(name: str) -> bool:
    """Whether a metric is a measurement of strength."""
    return name.startswith("score/") or name in ("rating", "nash_conv")


def _training(folder: Path) -> RunRecord:
    if not (folder / "config.toml").exists():
        raise UsageError(f"{folder} holds no config.toml")
    config = read_toml(folder / "config.toml")
    if not isinstance(config.get("game"), str):
        raise UsageError(f"{folder / 'config.toml'} names no game")
    held = is_held(folder)  # before the rows: what was written last is then read
    rows = read_rows(folder)
    last = rows[-1] if rows else {"steps": 0.0, "seconds": 0.0}
    bounds = [
        last[name] / bound
        for name, bound in (("steps", float(config.get("steps", 0))), ("seconds", 60 * float(config.get("minutes", 0))))
        if bound
    ]
    share = min(max(bounds), 1.0) if bounds else None
    kept = any(folder.glob("checkpoints/[0-9]*/resume/state.json"))
    state = RUNNING if held else DONE if share == 1.0 and kept else STOPPED if kept else EMPTY
    names = {name for row in rows for name in row if is_score(name)}
    curves = {name: [row[name] for row in rows if name in row] for name in sorted(names)}
    written = folder / "metrics.jsonl"
    return RunRecord(
        folder, "training", state, config["game"], int(last["steps"]), share, last["seconds"],
        last.get("steps_a_second", 0.0),
        {name: min(curve) if name == "nash_conv" else max(curve) for name, curve in curves.items()},
        {name: curve[-1] for name, curve in curves.items()},
        (written if written.exists() else folder / "config.toml").stat().st_mtime,
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
