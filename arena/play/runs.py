"""Runs of training as the page sees them: begun, watched, stopped and gone on with.

Each is a `lanista train` in a process, and a session, of its own: the end of the page does not end it. The page knows
a run by its folder alone, so runs of the command line are shown too, and a server that begins again finds them all.
Every method may be called from any thread, and takes a while: the event loop calls none.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from lanista.agents.contestant import DESCRIPTION, agent_folder
from lanista.agents.run_records import BROKEN, DONE, GrowingRows, Row, RunRecord, read_record, run_folders
from lanista.arena.play.roster import Roster
from lanista.arena.play.training_order import MOST_MINUTES, NAME, Order, Settle, command_of
from lanista.errors import UsageError
from lanista.files import LOCK, holder, is_held, read_json

MOST_AT_ONCE = 2  # runs that go on
MOST_SHOWN = 200
LOG, RESULT = "page.log", "page.json"  # what the run's last process said, and told at its end
LESSER = 5  # by so much a run stands back, that the page answers at once
LAST_BYTES = 8000  # of a log that are read
STARTING, RUNNING, STOPPING, STOPPED, DIED, DAMAGED = "starting", "running", "stopping", "stopped", "died", "damaged"
GOES_ON = (STARTING, RUNNING, STOPPING)


@dataclass(frozen=True)
class RunStatus:
    """How a run stands.

    Attributes:
        name: of its folder.
        record: what its files tell.
        state: one of the names above, or "done".
        words: of one that died or is damaged, what happened.
    """

    name: str
    record: RunRecord
    state: str
    words: str = ""

    @property
    def seconds_left(self) -> float | None:
        """Of training, if it goes on as it did; None where nothing tells."""
        share = self.record.share
        return self.record.seconds * (1 - share) / share if share else None


@dataclass(frozen=True)
class Checkpoint:
    """An agent that a run has kept.

    Attributes:
        steps: after which.
        contestant: the string that seats it.
        seconds: of training, where it says.
        rating: Elo on the anchors' scale with its interval: (elo, low, high); None where it was not measured.
    """

    steps: int
    contestant: str
    seconds: float | None
    rating: tuple[float, float, float] | None


class Runs:
    """The runs below the roster's folder of runs."""

    def __init__(self, roster: Roster, settle: Settle | None = None) -> None:
        """Look after runs.

        Args:
            roster: whose folder of runs it is, and who may be named as an opponent.
            settle: see there; None begins no runs.
        """
        self.roster, self.settle = roster, settle
        self._begun: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping: set[str] = set()
        self._curves: dict[str, GrowingRows] = {}
        self._records: dict[str, tuple[tuple[Any, ...], RunRecord]] = {}
        self._lock = threading.RLock()

    @property
    def folder(self) -> Path:
        """Where the runs lie."""
        return self.roster.runs

    # --- looking

    def overview(self) -> list[RunStatus]:
        """All runs of training, those that wrote last first."""
        with self._lock:
            self._tidy()
            found = [self._status(name) for name in self._names()]
        shown = [each for each in found if each.record.kind == "training"]
        first = {state: place for place, state in enumerate(GOES_ON)}
        shown.sort(key=lambda each: (each.state not in first, -(each.record.written or 0.0)))
        return shown[:MOST_SHOWN]

    def status(self, name: str) -> RunStatus | None:
        """How one run stands; None if there is no such run."""
        with self._lock:
            self._tidy()
            return self._status(name) if name in self._names() else None

    def rows(self, name: str) -> list[Row]:
        """The curve of a run, a row an update.

        Raises:
            UsageError: it is damaged.
        """
        with self._lock:
            return list(self._curve(name).read()) if name in self._names() else []

    def checkpoints(self, name: str) -> list[Checkpoint]:
        """The agents that a run has kept, the newest first."""
        if name not in self._names():
            return []
        folder = self.folder / name / "checkpoints"
        steps = sorted((int(path.name) for path in folder.glob("*") if path.name.isdecimal()), reverse=True)
        return [found for each in steps if (found := _checkpoint(folder / str(each))) is not None]

    def last_words(self, name: str, lines: int = 12) -> list[str]:
        """The last lines that the run's process said, where the page began it."""
        return _last_lines(self.folder / name / LOG, lines) if name in self._names() else []

    def _names(self) -> list[str]:
        return [path.name for path in run_folders(self.folder)] if self.folder.is_dir() else []

    def _curve(self, name: str) -> GrowingRows:
        return self._curves.setdefault(name, GrowingRows(self.folder / name))

    def _status(self, name: str) -> RunStatus:
        folder = self.folder / name
        held = is_held(folder)
        stamp = (held, *(_stamp(folder / each) for each in ("metrics.jsonl", "config.toml", "checkpoints")))
        known = self._records.get(name)
        if known is None or known[0] != stamp:
            known = self._records[name] = (stamp, read_record(folder, self._curve(name)))
        record, process = known[1], self._begun.get(name)
        living = process is not None and process.poll() is None
        if held or living:
            state = STOPPING if name in self._stopping else RUNNING if held else STARTING
            return RunStatus(name, record, state)
        self._stopping.discard(name)
        if record.state == BROKEN:
            return RunStatus(name, record, DAMAGED, record.about)
        if record.state == DONE:
            return RunStatus(name, record, DONE)
        # One that ends in order keeps a checkpoint of its last step and takes its lock away.
        code = process.returncode if process is not None else None
        lost = record.steps > (record.kept or 0) or (folder / LOCK).exists() or code not in (None, 0, 130)
        return RunStatus(name, record, DIED, self._why(name)) if lost else RunStatus(name, record, STOPPED)

    def _why(self, name: str) -> str:
        said = [line for line in _last_lines(self.folder / name / LOG, 3) if line.startswith("lanista: ")]
        return said[-1].removeprefix("lanista: ") if said else "its process was killed"

    def _tidy(self) -> None:
        """Forget processes that are over, and take away what a run that never was has left."""
        for name, process in list(self._begun.items()):
            if process.poll() is not None and not (self.folder / name / "config.toml").exists():
                self._take_away(name)

    # --- acting

    def begin(self, order: Order) -> None:
        """Begin a run; `begun` tells how that went.

        Raises:
            UsageError: it cannot be, is not for a browser to say, or too many go on.
        """
        if self.settle is None:
            raise UsageError("this page begins no runs; use the command line: lanista train GAME --minutes 10")
        if not NAME.fullmatch(order.name):
            raise UsageError("a run's name has 1 to 64 letters, digits, hyphens and underscores, without spaces")
        folder = self.folder / order.name
        words = command_of(order, folder, self.roster, self.settle)
        with self._lock:
            self._check_room()
            if order.name in self._begun and self._begun[order.name].poll() is None:
                raise UsageError(f"the run '{order.name}' is just beginning")
            self._tidy()
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                folder.mkdir()
            except FileExistsError:
                raise UsageError(f"there is a run '{order.name}' already; choose another name") from None
            except OSError as error:
                raise UsageError(f"cannot write to {self.folder}: {error.strerror}") from None
            self._run(order.name, words)

    def begun(self, name: str) -> bool:
        """Whether a run that was begun is there; False while nothing tells.

        Raises:
            UsageError: it was refused, with the sentence that the command line says.
        """
        with self._lock:
            if (self.folder / name / "config.toml").exists():
                return True
            process = self._begun.get(name)
            if process is None:
                raise UsageError("it has ended before it began")
            if process.poll() is None:
                return False
            why = self._why(name)
            self._take_away(name)
        raise UsageError(why)

    def stop(self, name: str) -> None:
        """Let a run finish its update, keep a checkpoint and end.

        Raises:
            UsageError: it does not go on, or its process is none that may be told so.
        """
        with self._lock:
            process = self._begun.get(name)
            if process is not None and process.poll() is None:
                self._stopping.add(name)
                process.send_signal(signal.SIGTERM)
                return
            number = holder(self.folder / name) if name in self._names() else None
            if number is None:
                raise UsageError(f"the run '{name}' does not go on")
            if not _trains(number):
                raise UsageError(f"'{name}' is trained by process {number}, no lanista train: stop it where it began")
            self._stopping.add(name)
            os.kill(number, signal.SIGTERM)

    def resume(self, name: str, more_minutes: float = 0.0) -> None:
        """Go on with a run from its newest checkpoint.

        Args:
            name: of the run.
            more_minutes: train for so long from now; 0 leaves the run's own bound.

        Raises:
            UsageError: it goes on already, has nothing to go on from, or is done and is given no more time.
        """
        with self._lock:
            status = self.status(name)
            if status is None or status.state in (*GOES_ON, DAMAGED):
                raise UsageError(f"the run '{name}' " + ("is not here" if status is None else f"is {status.state}"))
            if status.record.kept is None:
                raise UsageError(f"the run '{name}' has kept no checkpoint to go on from; begin another")
            if not 0 <= more_minutes <= MOST_MINUTES:
                raise UsageError(f"a run takes at most {MOST_MINUTES:,.0f} minutes more")
            if status.record.share == 1.0 and not more_minutes:
                raise UsageError("it has reached its bound: say how many minutes more")
            self._check_room()
            total = status.record.seconds / 60 + more_minutes
            bound = ["--minutes", f"{total:.3f}"] if more_minutes else []
            self._run(name, ["train", "--resume", str(self.folder / name), *bound, "--json"])

    def going_on(self) -> list[str]:
        """The runs that go on."""
        return [each.name for each in self.overview() if each.state in GOES_ON]

    def _check_room(self) -> None:
        others = set(self.going_on()) | {name for name, each in self._begun.items() if each.poll() is None}
        if len(others) >= MOST_AT_ONCE:
            cores = os.cpu_count() or 1
            raise UsageError(
                f"{' and '.join(sorted(others))} go on already, and this machine has {cores} core{'s' * (cores != 1)}: "
                "stop one, or wait for its end"
            )

    def _run(self, name: str, words: Sequence[str]) -> None:
        folder = self.folder / name
        self._stopping.discard(name)
        with (folder / RESULT).open("wb") as result, (folder / LOG).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "lanista", *words],
                stdin=subprocess.DEVNULL, stdout=result, stderr=log, start_new_session=True,
            )  # fmt: skip
        self._begun[name] = process
        try:
            os.setpriority(os.PRIO_PROCESS, process.pid, os.getpriority(os.PRIO_PROCESS, 0) + LESSER)
        except OSError:  # it is over already
            return

    def _take_away(self, name: str) -> None:
        self._begun.pop(name, None)
        self._stopping.discard(name)
        folder = self.folder / name
        for file in (LOG, RESULT):
            (folder / file).unlink(missing_ok=True)
        try:
            folder.rmdir()
        except OSError:  # it holds something after all
            return


def _stamp(path: Path) -> tuple[int, int, int]:
    """What changes when a file or a folder does."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0, 0
    return status.st_ino, status.st_size, status.st_mtime_ns


def _checkpoint(folder: Path) -> Checkpoint | None:
    """What an agent's folder says of itself; None if it is damaged, or just going."""
    if agent_folder(folder) is None:
        return None
    try:
        training = read_json(folder / DESCRIPTION, "an agent").get("training", {})
        found = training.get("rating")
        rating = None if found is None else (float(found["elo"]), float(found["low"]), float(found["high"]))
        seconds = training.get("seconds")
        return Checkpoint(int(folder.name), folder.as_posix(), None if seconds is None else float(seconds), rating)
    except (UsageError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _last_lines(path: Path, count: int) -> list[str]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LAST_BYTES))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-count:]


def _trains(number: int) -> bool:
    """Whether a process is a `lanista train`, which a polite kill does not cut short; False where nothing tells."""
    try:
        words = Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False
    return any(Path(word).name == "lanista" and after == "train" for word, after in pairwise(words))
