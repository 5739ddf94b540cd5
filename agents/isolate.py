"""An agent in a process of its own: what it does there, its loop sees only as an answer or a failure.

Any contestant's string can be put there with `isolate`. Turns and choices go through a pipe as plain arrays; the child
may be told anything, but nothing that it says is executed or trusted. It is killed when its time for a turn is over, it
may have only so much memory, and it is begun anew when it has died.
"""

from __future__ import annotations

import base64
import json
import pickle
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from lanista.agents.host_time import STALLED, Watch
from lanista.agents.message_pipe import CrashError, MessagePipe
from lanista.agents.processes import (
    ProcessError,
    check_seconds,
    reason_of,
)
from lanista.agents.time_control import KILLED_AFTER, TimeControl
from lanista.agents.wire import Message, choice_from, pack, turn_arrays
from lanista.envs.core import Array, Choice, GameSpec, Ints, Turn
from lanista.envs.joined_choices import joined
from lanista.errors import UsageError

STARTING = 120.0  # seconds in which an agent is loaded and started; it may import torch
LOADED, STARTED, ANSWERS = ("loaded",), ("started",), ("choice", "positions", "moves")  # kinds of messages
DEADLY = 3  # so many rows in a row that cost the process, and the others of the turn are not asked


def isolate(contestant: str, *, seconds: float = 10.0, memory: int = 8192) -> IsolatedAgent:
    """Any contestant in a process of its own.

    Args:
        contestant: its string.
        seconds: in which it must answer a turn.
        memory: megabytes that it may have; 0 sets no limit.
    """
    return IsolatedAgent(contestant, {"contestant": contestant}, seconds=seconds, memory=memory)


class IsolatedAgent:
    """An agent whose `act` runs in another process. A turn is one message, and its answer another."""

    def __init__(self, name: str, loading: Mapping[str, Any], *, seconds: float = 10.0, memory: int = 8192) -> None:
        """Know how to make it; nothing is started.

        Args:
            name: what it is called.
            loading: for the child: `contestant`, a string; `file`, `class` and `options` of a user's own class; or
                `module`, `class` and `options` of one of Lanista's.
            seconds: in which it must answer a turn. A batch that is not answered is asked row by row, each row with
                as much time. What the machine keeps from it does not count.
            memory: megabytes of address space that it may have, and that it and its children may have resident; 0 sets
                no limit.

        Raises:
            UsageError: a limit is no limit.
        """
        check_seconds(name, seconds)
        if memory < 0:
            raise UsageError(f"'{name}' needs memory of at least 0, not {memory}")
        self.name = name
        self.seconds = seconds
        self.measures_time = True  # see `Choice.seconds`
        self.control: TimeControl | None = None
        self._loading = dict(loading)
        self._pipe = MessagePipe(memory << 20)
        self._spec: GameSpec | None = None
        self._seed = 0
        self._loaded: dict[str, Any] | None = None  # what the process has
        self._took = (0.0, 0.0)  # seconds of the last answer, of the clock and of its own
        self._asked = 0  # questions so far: an answer names its own
        self._busy = False

    def start(self, spec: GameSpec, seed: int) -> None:
        """Load it there, and tell it which game is played.

        Raises:
            UsageError: it cannot be loaded, or cannot play this game.
        """
        self._spec, self._seed = spec, seed
        try:
            self._begin()
        except ProcessError as failure:
            self._pipe.end()
            raise UsageError(f"'{self.name}' could not be started: it {failure}") from None

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """Its answer to each row, with what it did wrong in `failed`."""
        if self._spec is None:
            raise UsageError(f"the agent '{self.name}' was not started: call start(spec, seed) before act")
        if turn.clock is not None and self.control is not None:
            return self._act_by_clock(turn, memory)
        try:
            return self._ask(turn, memory)
        except (ProcessError, CrashError) as failure:
            if len(turn) == 1:
                return Choice(np.zeros(1, np.int64), failed={0: reason_of(failure)})
        answers, deadly = [], 0
        for row in range(len(turn)):
            one = np.array([row])
            answer = Choice(np.zeros(1, np.int64), failed={0: f"not asked: the {DEADLY} rows before cost the process"})
            if deadly < DEADLY:
                try:
                    answer, deadly = self._ask(turn.take(one), None if memory is None else memory[one]), 0
                except CrashError as failure:
                    answer, deadly = replace(answer, failed={0: str(failure)}), 0
                except ProcessError as failure:
                    answer, deadly = replace(answer, failed={0: reason_of(failure)}), deadly + 1
            answers.append(answer)
        return joined(answers)

    def play_under(self, control: TimeControl | None) -> None:
        """Play by a time control from the next game on, or without one."""
        self.control = control

    def _act_by_clock(self, turn: Turn, memory: Array | None) -> Choice:
        """Ask row by row, each by its own clock, and tell what each took."""
        assert turn.clock is not None and self.control is not None
        answers, seconds = [], np.zeros(len(turn))
        for row in range(len(turn)):
            one = np.array([row])
            left = float(turn.clock[row, 0]) + self.control.margin
            try:
                # The clock is the limit, and no other.
                answer = self._ask(turn.take(one), None if memory is None else memory[one], left + KILLED_AFTER)
                if self._took[1] <= left < self._took[0]:
                    answer = replace(answer, failed={0: STALLED})
            except (ProcessError, CrashError) as failure:
                answer = Choice(np.zeros(1, np.int64), failed={0: reason_of(failure)})
            seconds[row] = self._took[1]
            answers.append(answer)
        return replace(answers[0] if len(answers) == 1 else joined(answers), seconds=seconds)

    def finish(self, games: Ints) -> None:
        """Tell it which games are over."""
        if self._pipe.running:
            self._pipe.send(pack(Message("finish", {"games": games})))

    def become(self, loading: Mapping[str, Any]) -> None:
        """Be another agent, of the kind of `loading`, from the next question on; the process stays."""
        if loading != self._loading:
            self._loading = dict(loading)

    def interrupt(self, grace: float = 0.0) -> None:
        """From another thread: kill the process if the answer to the present question takes longer than this.

        Args:
            grace: seconds that it may still take.
        """
        until = time.monotonic() + grace
        while self._busy and time.monotonic() < until:
            time.sleep(0.002)
        if self._busy:
            self._pipe.kill()

    def close(self) -> None:
        """End its process; it may be asked again, and is begun anew."""
        self._pipe.end()

    def _begin(self) -> None:
        """Bring it to where it can be asked."""
        if not self._pipe.running:
            self._loaded = None
            self._pipe.begin()
        if self._loaded is not self._loading:
            self._pipe.send(pack(Message("load", text=json.dumps(self._loading))))
            self._pipe.answer(LOADED, self._pipe.watch(STARTING))
            self._loaded = self._loading
        told = {"spec": base64.b64encode(pickle.dumps(self._spec)).decode(), "seed": self._seed}
        self._pipe.send(pack(Message("start", text=json.dumps(told))))
        self._pipe.answer(STARTED, self._pipe.watch(STARTING))

    def _ask(self, turn: Turn, memory: Array | None, seconds: float | None = None) -> Choice:
        """Ask once; `_took` has the seconds that it took, of the clock and of its own.

        Args:
            turn, memory: as `act` is given them.
            seconds: in which it must answer; None is its own limit.

        Raises:
            CrashError: the agent raised.
            ProcessError: it did not answer as it should; its process was ended.
        """
        self._took = (0.0, 0.0)
        watch = None
        try:
            self._busy = True
            if not self._pipe.running or self._loaded is not self._loading:
                try:
                    self._begin()
                except UsageError as mistake:
                    raise ProcessError(f"could not be started again: {mistake}") from None
            self._asked += 1
            kind = "act" if turn.public is None else "act openly"
            question = pack(Message(kind, turn_arrays(turn, memory), question=self._asked))
            watch = self._pipe.watch(self.seconds if seconds is None else seconds)
            self._pipe.send(question)
            while (message := self._pipe.answer(ANSWERS, watch, self._asked)).kind != "choice":
                self._pipe.send(pack(_shown(turn, message)))
            return self._read(message, turn)
        except ProcessError as failure:
            self._note(watch)  # while it is there
            self._pipe.end()
            raise failure
        finally:
            self._note(watch)
            self._busy = False

    def _note(self, watch: Watch | None) -> None:
        """Note what an answer took, once, where a clock asks for it."""
        if watch is not None and self.control is not None and not self._took[0]:
            self._took = (watch.elapsed(), watch.own())

    def _read(self, message: Message, turn: Turn) -> Choice:
        """The choice that a message tells.

        Raises:
            CrashError: it tells none.
        """
        try:
            reasons = json.loads(message.text) if message.text else []
            if not isinstance(reasons, list) or not all(isinstance(reason, str) for reason in reasons):
                raise ValueError("told no list of reasons")
            return choice_from(message.arrays, reasons, turn)
        except (ValueError, TypeError, RecursionError) as error:
            raise CrashError(f"malformed answer: {error}") from None


def _shown(turn: Turn, question: Message) -> Message:
    """What the child asks of `Turn.public`, which is sent only then."""
    assert turn.public is not None
    if question.kind == "positions":
        positions = np.ascontiguousarray(turn.public.positions())
        return Message("positions", {"bytes": positions.view(np.uint8).reshape(len(turn), -1)})
    row = int(question.text) if question.text.isdecimal() and len(question.text) < 10 else len(turn)
    moves = turn.public.moves(row) if row < len(turn) else []
    return Message("moves", {"actions": np.array(moves, np.int64)})
