"""What engines of any protocol have in common: their words in a contestant's string, their processes and failures."""

from __future__ import annotations

import os
import re
import shlex
from collections import deque
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from lanista.agents.host_time import STALLED
from lanista.agents.line_process import Dialogue, LineProcess, converse, quoted
from lanista.agents.processes import ProcessError, StalledError, check_seconds, find_program, reason_of
from lanista.agents.time_control import KILLED_AFTER, TimeControl
from lanista.agents.told_games import ToldGame, ToldGames
from lanista.envs.core import Array, Choice, GameSpec, Ints, Turn
from lanista.errors import UsageError, unknown
from lanista.plugs import Value, parse_value

PACKAGES = ("stockfish", "fairy-stockfish", "gnuchess", "gnugo")  # engines whose Debian package has their name
STARTING = 20.0  # seconds in which an engine is ready
MOST_STARTS = 3  # so often in a row a start may fail; then the engine is given up


@dataclass(frozen=True)
class Limits:
    """What every engine may be given beside its own options; 0 leaves it out, but of `seconds` and `processes`.

    Attributes:
        seconds: within which a move must come, or it is a failure and the process is killed.
        milliseconds: that it is told to think for a move.
        processes: that play at a time, each one game.
        memory: megabytes that a process and its children may have resident.
    """

    seconds: float = 30.0
    milliseconds: int = 0
    processes: int = 1
    memory: int = 8192


def parse_engine(written: str, source: str, limits: type[Limits]) -> tuple[tuple[str, ...], Limits, dict[str, Value]]:
    """Read `PROGRAM WORD...?key=value&key=value`.

    Args:
        written: the string without the kind.
        source: the whole string, for errors.
        limits: which keys are Lanista's; the others are the engine's own options.

    Returns:
        The program with its words; the limits; the engine's options.

    Raises:
        UsageError: there is no program, it is not installed, a limit is wrong.
    """
    kind = source.partition(":")[0]
    head, _, options = written.partition("?")
    try:
        words = shlex.split(head)
    except ValueError as error:
        raise UsageError(f"'{source}': {error}") from None
    if not words:
        raise UsageError(f"'{source}' names no program; write it as in '{kind}:{PACKAGES[kind == 'gtp' and 3]}'")
    program = find_program(words[0])
    if program is None:
        name = Path(words[0]).name
        package = name if name in PACKAGES else f"its package (Lanista was tried with {', '.join(PACKAGES)})"
        install = f"apt-get install {name}" if name in PACKAGES else f"install {package}"
        raise UsageError(f"'{source}' needs the program '{words[0]}', which is not here: {install}")
    known = {each.name: each.type for each in fields(limits)}
    mine: dict[str, Any] = {}
    theirs: dict[str, Value] = {}
    for part in filter(None, re.split("[&,]", options)):
        key, equals, value = (word.strip() for word in part.partition("="))
        if not equals or not key:
            raise UsageError(f"'{source}': '{part}' is no option; write key=value, as in '{kind}:engine?seconds=10'")
        (mine if key in known else theirs)[key] = parse_value(value) if value else ""
    for key, value in mine.items():
        least = 1 if key == "processes" else 0
        whole = known[key] == "int"
        if isinstance(value, bool | str) or (whole and not isinstance(value, int)) or value < least:
            raise UsageError(f"'{source}': {key} is a {'whole ' * whole}number of at least {least}, not '{value}'")
        if key == "seconds":
            check_seconds(source, value)
    return (str(program), *words[1:]), limits(**mine), theirs


@dataclass
class Answer:
    """A turn, the games of its rows, and what is known of the answer so far."""

    turn: Turn
    told: list[ToldGame]

    def __post_init__(self) -> None:
        self.actions = np.zeros(len(self.turn), np.int64)  # (k,)
        self.values = np.full(len(self.turn), np.nan, np.float32)  # (k,)
        self.failed: dict[int, str] = {}
        self.seconds = np.zeros(len(self.turn))  # (k,) that each row took
        self.games: list[int] = self.turn.games.tolist()


class EngineAgent:
    """An outside engine in processes of its own. A protocol says how it is set up and asked for a move.

    Its moves depend on nothing but the game so far, as far as the engine plays so: each process serves one row after
    the other. What goes wrong with a row is that row's failure, and the process is begun anew.
    """

    protocol: ClassVar[str]
    measures_time = True  # see `Choice.seconds`

    def __init__(self, name: str, command: Sequence[str], limits: Limits) -> None:
        """Know the engine; it is begun by `start`."""
        self.name = name
        self.command = tuple(command)
        self.limits = limits
        self.files = tuple(path for word in command if os.path.isfile(path := Path(word)))  # what decides its moves
        self.processes = limits.processes
        self.control: TimeControl | None = None
        self._told: ToldGames | None = None
        memory = limits.memory << 20
        self._processes = [LineProcess(self.command, memory=memory) for _ in range(limits.processes)]
        self._failed_starts = 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Begin a process, and check that the engine can play the game.

        Raises:
            UsageError: the game is not for this protocol, the engine does not speak it, or has no such option.
        """
        self._told = self._games(spec)
        self._failed_starts = 0
        self._fit(spec)
        problem: list[str] = []

        def dialogue(process: LineProcess) -> Dialogue[None]:
            try:
                yield from self._ready(process)
            except ProcessError as failure:
                process.end()
                problem.append(str(failure))

        converse({process: dialogue(process) for process in self._processes[:1]})
        if problem:
            raise UsageError(f"'{self.name}' does not speak {self.protocol.upper()}: it {problem[0]}")

    def play_under(self, control: TimeControl | None) -> None:
        """Play by a time control from the next game on, or without one."""
        self.control = control

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The engine's move for each row, and the value it tells."""
        if self._told is None:
            raise UsageError(f"the agent '{self.name}' was not started: call start(spec, seed) before act")
        if turn.public is None or turn.legal is None:
            raise UsageError(f"{self.name} needs to be told the moves of the game, and this game hides them")
        answer = Answer(turn, self._told.of(turn))
        queue = deque(range(len(turn)))
        processes = self._processes[: len(turn)]
        converse({process: self._serve(process, queue, answer) for process in processes})
        value = None if np.isnan(answer.values).all() else answer.values
        return Choice(answer.actions, value=value, failed=answer.failed, seconds=answer.seconds)

    def finish(self, games: Ints) -> None:
        """Forget games that are over."""
        if self._told is not None:
            self._told.forget(games)

    def close(self) -> None:
        """End its processes; it may be asked again, and begins new ones."""
        for process in self._processes:
            process.end()

    def _serve(self, process: LineProcess, queue: deque[int], answer: Answer) -> Dialogue[None]:
        """Answer rows of the queue until it is empty."""
        assert self._told is not None
        while queue:
            row = self._next_row(process, queue, answer)
            try:
                yield from self._ready(process)
                told = answer.told[row]
                word, value = yield from self._move(process, told, answer.turn, row)
                self._stop_clock(process, answer, row)
                action = self._told.action_of(told.position, answer.turn.legal[row], word)  # type: ignore[index]
                if action is None:
                    raise ProcessError(f"illegal move {quoted(word)}")
                answer.actions[row], answer.values[row] = action, value
            except ProcessError as failure:
                answer.failed[row] = reason_of(failure, f"{self.protocol} engine: ")
                answer.seconds[row] = answer.seconds[row] or process.own_seconds()
                process.end()

    def _time_for(self, turn: Turn, row: int) -> float:
        """Seconds in which the move must be there."""
        if turn.clock is None or self.control is None:
            return self.limits.seconds
        return float(turn.clock[row, 0]) + self.control.margin + KILLED_AFTER  # the clock is the limit, and no other

    def _stop_clock(self, process: LineProcess, answer: Answer, row: int) -> None:
        """Note what a move took.

        Raises:
            StalledError: more than there was, but not of the engine's own.
        """
        if answer.turn.clock is None or self.control is None:
            return
        answer.seconds[row] = own = process.own_seconds()
        if own <= float(answer.turn.clock[row, 0]) + self.control.margin < process.elapsed():
            raise StalledError(STALLED)

    def _ready(self, process: LineProcess) -> Dialogue[None]:
        """Begin a process that does not run, and set it up."""
        if process.running:
            return
        if self._failed_starts >= MOST_STARTS:
            raise ProcessError("does not start any more")
        try:
            process.begin()
            yield from self._set_up(process)
        except ProcessError:
            self._failed_starts += 1  # counted when it has failed: many processes begin at the same time
            raise
        self._failed_starts = 0

    def _games(self, spec: GameSpec) -> ToldGames:
        """The record of games of this kind."""
        raise NotImplementedError

    def _fit(self, spec: GameSpec) -> None:
        """Note what the protocol must know of the game; a process of another game is ended."""

    def _next_row(self, process: LineProcess, queue: deque[int], answer: Answer) -> int:
        """Take the row from the queue that this process serves next."""
        return queue.popleft()

    def _set_up(self, process: LineProcess) -> Dialogue[None]:
        """Make a process that was just begun ready for the first question."""
        raise NotImplementedError

    def _move(
        self, process: LineProcess, told: ToldGame, turn: Turn, row: int
    ) -> Generator[None, str, tuple[str, float]]:
        """Ask for a move: its word, and the return that its player expects, NaN if that is not told."""
        raise NotImplementedError


def check_options(name: str, theirs: Iterable[str], known: Mapping[str, str], limits: Limits) -> None:
    """Raise UsageError for an option that neither the engine has nor Lanista; `known` has its names by lower case."""
    for key in theirs:
        if key.lower() not in known:
            raise unknown(f"option of '{name}'", key, [*known.values(), *(each.name for each in fields(limits))])
