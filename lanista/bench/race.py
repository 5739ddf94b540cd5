"""Sides that work in turn on one core, a slice each, so that whatever else the machine does hits all alike."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import IO, Any

from lanista.bench.environments import NotInstalledError, python_of
from lanista.bench.processes import kill_tree, tree_seconds

START_SECONDS = 900.0
SLICE_SECONDS = 900.0
LOOK_SECONDS = 0.5  # between two looks at whether an answer is still wanted
LEAST_CPU_SECONDS = 1e-3  # a slice cannot be told to be shorter than the clock's tick
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"), "1"
)


@dataclass(frozen=True)
class Side:
    """Who works.

    Attributes:
        name: what it is called in the tables.
        module: the module whose `begin` makes it ready; see `lanista.bench.worker`.
        options: for `begin`.
        environment: one of `environments.REQUIREMENTS`, or None for our own.
        packages: whose versions are told.
        cores: on how many cores it works: the plan's, or so many of those that this process may use.
    """

    name: str
    module: str
    options: Mapping[str, Any] = field(default_factory=dict)
    environment: str | None = None
    packages: tuple[str, ...] = ()
    cores: int = 1

    @property
    def ours(self) -> bool:
        """Whether it is we who are measured, and no peer."""
        return self.module.startswith("lanista.bench.ours.")


@dataclass(frozen=True)
class Plan:
    """How long to measure.

    Attributes:
        rounds: slices of each side.
        seconds: of CPU a slice, at least; sides that work in larger pieces take one piece.
        core: the number of the core on which all sides work.
        quick: rows that have more to choose choose less.
        report: told what goes on.
        agent: whom the row strength measures.
        encoders: where the runs of the rows perception and transfer lie.
        levels, ways: those that the row transfer measures; none is all.
        steps: after which it gives a run up; 0 is its own number.
        ended: set once nothing more is wanted, as after Ctrl-C: who waits for a side ends it.
    """

    rounds: int
    seconds: float
    core: int
    quick: bool
    report: Callable[[str], None]
    agent: str = ""
    encoders: Path | None = None
    levels: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    steps: int = 0
    ended: Event = field(default_factory=Event)


@dataclass(frozen=True)
class Slice:
    """One piece of work.

    Attributes:
        steps: how many were done.
        cpu_seconds: of the process and all that it started.
        wall_seconds: by the clock.
        told: what else the side had to tell.
    """

    steps: float
    cpu_seconds: float
    wall_seconds: float
    told: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Steps a CPU second."""
        return self.steps / self.cpu_seconds


@dataclass
class Lane:
    """A side and what it did: a slice each round, or the trouble that ended it."""

    side: Side
    slices: list[Slice] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    trouble: str | None = None


class SideError(RuntimeError):
    """A side could not begin or go on; the message says why."""


class Running:
    """A side's process."""

    def __init__(self, side: Side, plan: Plan) -> None:
        """Start the process, and wait until it has begun.

        Raises:
            SideError: it cannot begin; the process has ended.
        """
        self.side = side
        self._ended = plan.ended
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        worker = Path(__file__).with_name("worker.py")
        surroundings = {**os.environ, **ONE_THREAD}
        if side.environment is None:
            command = [sys.executable, "-m", "lanista.bench.worker"]
        else:
            try:
                command = [str(python_of(side.environment, plan.report)), "-P", str(worker)]
            except NotInstalledError as error:
                raise SideError(str(error)) from None
            for name in ("PYTHONPATH", "PYTHONHOME"):  # they would show it our own packages
                surroundings.pop(name, None)
        command += [side.module, json.dumps(dict(side.options)), json.dumps(side.packages)]
        # Bound before it starts, so that whatever it starts is bound too; this thread is put back at once.
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {plan.core} if side.cores == 1 else set(sorted(before)[: side.cores]))
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=surroundings,
                start_new_session=True,  # Ctrl-C is for the bench, which ends its sides itself
            )
        finally:
            os.sched_setaffinity(0, before)
        try:
            self.versions: dict[str, str] = self._answer(START_SECONDS)["versions"]
        except BaseException:
            self.stop()
            raise

    def run(self, seconds: float, patience: float = SLICE_SECONDS) -> Slice:
        """Let it work for a slice.

        Args:
            seconds: what the side is told, as a rule how long to work.
            patience: seconds after which its answer is no longer waited for.

        Raises:
            SideError: it failed, or took far too long.
        """
        assert self._process.stdin is not None
        cpu, wall = tree_seconds(self._process.pid), time.perf_counter()
        try:
            self._process.stdin.write(json.dumps({"run": seconds}).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SideError(self._last_words()) from None
        told = self._answer(patience)
        wall, cpu = time.perf_counter() - wall, tree_seconds(self._process.pid) - cpu
        return Slice(told.pop("steps"), max(cpu, LEAST_CPU_SECONDS), wall, told)

    def dismiss(self) -> None:
        """Tell the process that nothing more is wanted, and wait for nothing."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()

    def stop(self) -> None:
        """End the process and all that it started."""
        assert self._process.stdout is not None
        self.dismiss()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            kill_tree(self._process.pid)
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The next line of the process."""
        assert self._process.stdout is not None
        # The worker writes one line for each that it reads, so nothing is ever left in the reader's buffer.
        until = time.monotonic() + seconds
        came = False
        while not came:
            came = bool(select.select([self._process.stdout], [], [], LOOK_SECONDS)[0])
            if self._ended.is_set():
                kill_tree(self._process.pid)
                raise KeyboardInterrupt
            if not came and time.monotonic() > until:
                kill_tree(self._process.pid)
                raise SideError(f"no answer within {seconds:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            raise SideError(self._last_words())
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SideError(answer["error"])
        return answer

    def _last_words(self) -> str:
        """Why a process is gone, as far as it said so."""
        code = self._process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        return f"it ended with code {code}: {lines[-1] if lines else 'it said nothing'}"


def start(side: Side, plan: Plan) -> Running:
    """Start a side; one that cannot begin is tried once more, since Ray's start can time out on a busy machine.

    Raises:
        SideError: it cannot begin.
    """
    try:
        return Running(side, plan)
    except SideError as error:
        plan.report(f"{side.name} did not begin ({error}); once more")
        return Running(side, plan)


def race(sides: Sequence[Side], plan: Plan) -> list[Lane]:
    """Let the sides work in turn, `plan.rounds` slices each; one that fails drops out, and its lane says why."""
    lanes = [Lane(side) for side in sides]
    running: dict[int, Running] = {}
    try:
        for number, lane in enumerate(lanes):
            plan.report(f"starting {lane.side.name}")
            try:
                running[number] = start(lane.side, plan)
                lane.versions = running[number].versions
                running[number].run(plan.seconds / 4)  # compiled, allocated, in cache: not counted
            except SideError as error:
                _drop(lane, running.pop(number, None), error, plan)
        for turn in range(plan.rounds):
            plan.report(f"round {turn + 1} of {plan.rounds}")
            # Each round begins one side later, so that none always follows the same.
            for number in [*range(turn % len(lanes), len(lanes)), *range(turn % len(lanes))]:
                if number in running:
                    try:
                        lanes[number].slices.append(running[number].run(plan.seconds))
                    except SideError as error:
                        _drop(lanes[number], running.pop(number), error, plan)
    finally:
        for process in running.values():
            process.dismiss()  # all, before the first is waited for
        for process in running.values():
            process.stop()
    return lanes


def _drop(lane: Lane, process: Running | None, error: SideError, plan: Plan) -> None:
    lane.trouble = str(error)
    plan.report(f"{lane.side.name} is not measured: {error}")
    if process is not None:
        process.stop()
