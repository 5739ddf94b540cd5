"""A process that speaks lines, such as an engine: bounded, patient for so long and no longer, and begun anew at need.

What is said with a process is a *dialogue*: a generator that sends with `LineProcess.send` and yields for each line of
the answer. `converse` holds many dialogues at a time, one a process, without threads. What goes wrong is thrown into
the dialogue as a `ProcessError`, so that no dialogue waits for ever.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import subprocess
import time
import weakref
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

from lanista.agents.host_time import STALLED, Watch
from lanista.agents.processes import LateError, ProcessError, StalledError, begin, end, how_it_ended

Result = TypeVar("Result")
Dialogue = Generator[None, str, Result]

LONGEST_LINE = 1 << 16  # bytes
LONGEST_ANSWER = 1 << 22  # bytes said until the next question; an hour of a verbose engine is some hundred KB
AT_ONCE = 1 << 16  # bytes read at a time


class LineProcess:
    """A process, its unread lines, and until when it may answer."""

    def __init__(self, command: Sequence[str], *, memory: int = 0) -> None:
        """Know how to start it; nothing is started.

        Args:
            command: the program's path and its words.
            memory: bytes that it and its children may have resident, looked at while they answer; 0 sets no limit.
                Engines reserve far more addresses than they use, so that these tell nothing.
        """
        self.command = tuple(command)
        self.memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._closing: weakref.finalize[[subprocess.Popen[bytes]], LineProcess] | None = None
        self._lines: deque[str] = deque()
        self._part = b""  # of a line whose end was not read yet
        self._unsent = b""
        self._said = 0  # bytes since the last question
        self._at_end = False
        self._watch: Watch | None = None  # of the answer that is waited for
        self._for_what = ""

    @property
    def running(self) -> bool:
        """Whether it was begun and not ended; it may have died by itself."""
        return self._process is not None

    def begin(self) -> None:
        """Start it.

        Raises:
            ProcessError: it cannot be started.
        """
        self.end()
        self._process = begin(self.command, bufsize=0)
        self._closing = weakref.finalize(self, end, self._process)

    def end(self) -> None:
        """Kill it, and forget what it said."""
        if self._closing is not None:
            self._closing()
        self._process, self._closing, self._watch = None, None, None
        self._lines.clear()
        self._part = self._unsent = b""
        self._said, self._at_end = 0, False

    def send(self, *lines: str, seconds: float, what: str) -> None:
        """Ask: send lines, and give it so many seconds to answer.

        Args:
            lines: without their ends.
            seconds: from now, for all of the answer; those that the machine keeps from it do not count.
            what: what it is asked for, in words, for the failure.
        """
        self._unsent += "".join(f"{line}\n" for line in lines).encode()
        self._said = 0
        self._for_what = what
        self._watch = None if self._process is None else Watch(self._process.pid, seconds, self.memory)
        self._write()

    def own_seconds(self) -> float:
        """Of its own since it was asked. See `host_time.Watch`."""
        return 0.0 if self._watch is None else self._watch.own()

    def elapsed(self) -> float:
        """Seconds of the clock since it was asked."""
        return 0.0 if self._watch is None else self._watch.elapsed()

    def event(self) -> str | ProcessError | None:
        """The next line; or what went wrong; or nothing yet."""
        if self._lines:
            return self._lines.popleft()
        if self._process is None:
            return ProcessError("is not running")
        if len(self._part) > LONGEST_LINE:
            return ProcessError(f"flooded its output with a line of more than {LONGEST_LINE} bytes")
        if self._said > LONGEST_ANSWER:
            return ProcessError(f"flooded its output with more than {LONGEST_ANSWER} bytes")
        if self._at_end:
            return ProcessError(how_it_ended(self._process))
        if self._watch is None:
            return ProcessError("was asked nothing")
        verdict = self._watch.look()
        return None if verdict is None else self._failure(verdict)

    def _failure(self, verdict: str) -> ProcessError:
        """What a look at it has found, as its failure."""
        assert self._watch is not None
        if verdict == "swollen":
            return ProcessError(f"used more than {self.memory >> 20} MB of memory")
        if verdict == "stalled":
            return StalledError(STALLED)
        return LateError(f"gave no {self._for_what} within {self._watch.seconds:g} seconds")

    def watched(self) -> list[tuple[int, int]]:
        """File numbers to poll, each with the events of `select.poll` that it waits for."""
        assert self._process is not None and self._process.stdin is not None and self._process.stdout is not None
        files = [(self._process.stdout.fileno(), select.POLLIN)]
        if self._unsent:
            files.append((self._process.stdin.fileno(), select.POLLOUT))
        return files

    def left(self) -> float:
        """Seconds until it is to be looked at, because its time may be over."""
        return 0.0 if self._watch is None else self._watch.left()

    def pump(self) -> None:
        """Read and write what can be without waiting, at most `AT_ONCE` bytes."""
        if self._unsent:
            self._write()
        assert self._process is not None and self._process.stdout is not None
        try:
            read = os.read(self._process.stdout.fileno(), AT_ONCE)
        except BlockingIOError:
            return
        except OSError:
            read = b""
        if not read:
            self._at_end = True
            return
        self._said += len(read)
        if self._said > LONGEST_ANSWER:
            self._lines.clear()
            return
        *whole, self._part = (self._part + read).split(b"\n")
        self._lines.extend(line.rstrip(b"\r").decode("utf-8", "replace") for line in whole)

    def _write(self) -> None:
        if self._process is None or not self._unsent:
            return
        assert self._process.stdin is not None
        try:
            self._unsent = self._unsent[os.write(self._process.stdin.fileno(), self._unsent) :]
        except BlockingIOError:
            pass
        except OSError:  # it has closed its input; what it said before may still be read
            self._unsent = b""


def quoted(text: str, longest: int = 40) -> str:
    """What a process said, for a failure: short, in quotes, without what cannot be printed."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text[:longest])
    return f"'{shown}'" + "..." * (len(text) > longest)


def converse(dialogues: Mapping[LineProcess, Dialogue[None]]) -> None:
    """Hold dialogues, one a process, all at a time, until each is over."""
    going = {process: dialogue for process, dialogue in dialogues.items() if _goes_on(None, dialogue)}
    ears, due = _Ears(), 0.0
    heard = set(going)
    while going:
        for process in heard:
            if _heard(process, going[process]):
                ears.follow(process)
                due = min(due, time.monotonic() + process.left())  # it may have been asked anew
            else:
                ears.leave(process)
                del going[process]
        if not going:
            return
        now = time.monotonic()
        # A millisecond more: rounded down, the last one would be spent asking again and again.
        heard = ears.wait(int(max(0.0, due - now) * 1000) + 1)
        for process in heard:
            process.pump()
        if time.monotonic() >= due:  # somebody's time may be over
            heard, due = set(going), math.inf


class _Ears:
    """Waits for many processes, of which each is registered once and not at every wait."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._files: dict[LineProcess, list[tuple[int, int]]] = {}  # as of `LineProcess.watched`
        self._whose: dict[int, LineProcess] = {}

    def follow(self, process: LineProcess) -> None:
        """Wait for what this process waits for now; it may have been begun anew."""
        files = process.watched()
        if files != self._files.get(process):
            self.leave(process)
            self._files[process] = files
            for file, events in files:
                self._poll.register(file, events)
                self._whose[file] = process

    def leave(self, process: LineProcess) -> None:
        """Wait for it no longer."""
        for file, _ in self._files.pop(process, []):
            if self._whose.get(file) is process:  # a number may have been given to another's pipe since
                self._poll.unregister(file)
                del self._whose[file]

    def wait(self, milliseconds: int) -> set[LineProcess]:
        """The processes with which something can be done."""
        return {self._whose[file] for file, _ in self._poll.poll(milliseconds)}


def _heard(process: LineProcess, dialogue: Dialogue[None]) -> bool:
    """Tell a dialogue what its process said; whether it goes on."""
    while (event := process.event()) is not None:
        if not _goes_on(event, dialogue):
            return False
    return True


def _goes_on(event: str | ProcessError | None, dialogue: Dialogue[None]) -> bool:
    with contextlib.suppress(StopIteration):
        if isinstance(event, ProcessError):
            dialogue.throw(event)
        else:
            dialogue.send(event)  # type: ignore[arg-type]  # None begins it
        return True
    return False
