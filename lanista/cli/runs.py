"""List runs: what they train on, whether they go on, how far they are and how good they got.

Example:
    lanista runs
    lanista runs runs/first experiments --json

A run is running while a process holds its lock, which no death leaves behind.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.table import Table
from rich.text import Text
from tyro.conf import Positional, arg

from lanista.agents.run_records import BROKEN, RunRecord, read_record, run_folders
from lanista.cli._printing import console, print_json
from lanista.errors import UsageError

COLOURS = {"running": "green", "done": "blue", BROKEN: "red"}


@dataclass(frozen=True)
class Options:
    """Which folders."""

    folders: Annotated[Positional[tuple[Path, ...]], arg(metavar="FOLDER")] = ()
    """Runs, or folders of runs; without any, runs/."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Read the folders and list their runs, those that wrote last at the end."""
    found: dict[Path, None] = {}
    for folder in options.folders or (Path("runs"),):
        if not folder.is_dir():
            raise UsageError(f"there is no folder {folder}; name a run, or a folder of runs")
        found |= dict.fromkeys(run_folders(folder))
    records = sorted((read_record(folder) for folder in found), key=lambda record: record.written or 0.0)
    if options.json:
        print_json([record_json(record) for record in records])
    elif not records:
        print("no runs here; lanista train GAME --minutes 10 begins one")
    else:
        console().print(table(records, time.time()))
    return 0


def table(records: list[RunRecord], now: float) -> Table:
    """The runs for people; `now` is in seconds since 1970."""
    shown = Table(box=None, pad_edge=False)
    for heading in ("run", "game or task", "state"):
        shown.add_column(heading, overflow="fold")
    for heading in ("steps", "done", "minutes", "steps/s"):
        shown.add_column(heading, justify="right", no_wrap=True)
    shown.add_column("best (last)", overflow="fold")
    shown.add_column("last wrote", justify="right", no_wrap=True)
    for record in records:
        row = [str(record.folder), record.about, record.state]
        if record.state != BROKEN:
            unit = " epochs" if record.kind == "pretraining" else ""
            row += [
                f"{record.steps:,}{unit}",
                "" if record.share is None else f"{record.share:.0%}",
                f"{record.seconds / 60:.1f}",
                f"{record.steps_a_second:,.0f}" if record.steps_a_second else "",
                best_words(record),
                ago(now - record.written) if record.written is not None else "",
            ]
        # Folders' names are no markup, whatever brackets they hold.
        cells = [Text(cell, COLOURS.get(record.state, "") if number == 2 else "") for number, cell in enumerate(row)]
        shown.add_row(*cells)
    return shown


def best_words(record: RunRecord) -> str:
    """The measures as `+610 (+580) Elo, 98.0% (97.1%) random`: points in per cent, other measures as they are."""
    words = []
    for name, best in sorted((record.best or {}).items(), key=lambda item: item[0] != "rating"):
        last = (record.last or {})[name]
        if name == "rating":
            words.append(f"{best:+.0f} ({last:+.0f}) Elo")
            continue
        of = name.removeprefix("score/")
        words.append(f"{best:.1%} ({last:.1%}) {of}" if of != name else f"{best:.4f} ({last:.4f}) {of}")
    return ", ".join(words)


def ago(seconds: float) -> str:
    """How long ago, in the largest unit that fits."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


def record_json(record: RunRecord) -> dict[str, Any]:
    """A run for a script."""
    plain: dict[str, Any] = vars(record) | {"folder": str(record.folder)}
    plain["error" if record.state == BROKEN else "game" if record.kind == "training" else "task"] = plain.pop("about")
    return plain
