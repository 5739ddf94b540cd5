"""Messages to and from a process in which an agent plays: `isolate` asks by them, `isolated_player` answers."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import weakref

from lanista.agents.host_time import STALLED, Watch
from lanista.agents.processes import LateError, ProcessError, StalledError, begin, end, how_it_ended
from lanista.agents.wire import LENGTH, Message, unpack
from lanista.errors import UsageError

CHILD = "lanista.agents.isolated_player"
MOST_BYTES = 1 << 26  # of a message of the child
AT_ONCE = 1 << 16  # bytes read at a time, and what a pipe holds
FOREIGN = 2_000_000  # a mistake's sentence is at most so long


class CrashError(Exception):
    """The agent raised; its process goes on."""


class MessagePipe:
    """Messages to and from a child process; whatever waits has an end."""

    def __init__(self, memory: int) -> None:
        """Start nothing yet.

        Args:
            memory: bytes that the child may have; 0 sets no limit.
        """
        self._memory = memory
        self._process: subprocess.Popen[bytes] | None = None
        self._closing: weakref.finalize[[subprocess.Popen[bytes]], MessagePipe] | None = None
        self._unsent: list[bytes] = []
        self._read = bytearray()
        self._input = self._output = -1  # file numbers of the child's
        self._poll = select.poll()

    @property
    def running(self) -> bool:
        """Whether there is a child."""
        return self._process is not None

    def begin(self) -> None:
        """Start the child; it imports what we do."""
        self.end()
        paths = os.pathsep.join(dict.fromkeys(os.path.abspath(path) for path in sys.path))
        words = [sys.executable, "-m", CHILD]
        environment = {**os.environ, "PYTHONPATH": paths}
        self._process = begin(words, memory=self._memory, errors=None, bufsize=0, env=environment)
        self._closing = weakref.finalize(self, end, self._process)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._input, self._output = self._process.stdin.fileno(), self._process.stdout.fileno()
        self._poll = select.poll()
        self._poll.register(self._output, select.POLLIN)

    def end(self) -> None:
        """End the child, and forget what it was sent and said."""
        if self._closing is not None:
            self._closing()
        self._process, self._closing = None, None
        self._unsent.clear()
        self._read.clear()

    def kill(self) -> None:
        """From another thread: have the child end; whoever reads from it will see that."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def send(self, message: bytes) -> None:
        """Send, as far as it can be without waiting; `answer` sends the rest."""
        self._unsent.append(message)
        self._write()

    def watch(self, seconds: float) -> Watch:
        """Begin to measure an answer, for which it has so many seconds of its own."""
        assert self._process is not None
        return Watch(self._process.pid, seconds, self._memory)

    def answer(self, kinds: tuple[str, ...], watch: Watch, question: int = 0) -> Message:
        """The next message.

        Args:
            kinds: of which it may be.
            watch: begun when it was asked for.
            question: that it must answer.

        Raises:
            CrashError: it says that the agent raised.
            UsageError: it says that the user made a mistake.
            ProcessError: it does not come in time, is none, of no kind that was asked for, or answers another question,
                as that of a process that was forked may.
        """
        while (body := self._message()) is None:
            self._wait(watch)
        try:
            message = unpack(body)
        except ValueError as error:
            raise ProcessError(f"answered with {error}") from None
        if message.question != question:
            raise ProcessError("said more than it was asked for")
        if message.kind == "crashed":
            raise CrashError(f"crashed: {' '.join(message.text.split())[:200]}")
        if message.kind == "mistake" and "choice" not in kinds:
            raise UsageError(" ".join(message.text[:FOREIGN].split()))
        if message.kind not in kinds:
            raise ProcessError(f"answered with a message of the kind {message.kind[:20]!r}")
        return message

    def _wait(self, watch: Watch) -> None:
        """Read what the child says next, and write what it has room for."""
        verdict = watch.look()
        if verdict == "late":
            raise LateError(f"gave no answer within {watch.seconds:g} seconds")
        if verdict == "stalled":
            raise StalledError(STALLED)
        if verdict == "swollen":
            raise ProcessError(f"used more than {self._memory >> 20} MB of memory")
        if self._unsent:
            self._poll.register(self._input, select.POLLOUT)
        self._poll.poll(int(watch.left() * 1000) + 1)
        if self._unsent:
            self._poll.unregister(self._input)
            self._write()
        if not self._fill():
            assert self._process is not None
            raise ProcessError(how_it_ended(self._process))

    def _fill(self) -> bool:
        """Read what is there; False at the end."""
        try:
            read = os.read(self._output, AT_ONCE)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._read += read
        return bool(read)

    def _message(self) -> memoryview | None:
        """The body of a message that has come whole."""
        have = len(self._read)
        if have < LENGTH.size:
            return None
        (length,) = LENGTH.unpack_from(self._read)
        if length > MOST_BYTES:
            raise ProcessError(f"answered with a message of {length} bytes, of at most {MOST_BYTES}")
        whole = LENGTH.size + length
        if have < whole:
            return None
        read, self._read = self._read, bytearray()
        if have > whole:
            self._read += read[whole:]
        return memoryview(read)[LENGTH.size : whole]

    def _write(self) -> None:
        while self._unsent:
            try:
                written = os.write(self._input, self._unsent[0])
            except BlockingIOError:
                return
            except OSError:  # it has gone; what it said before may still be read
                self._unsent.clear()
                return
            if written < len(self._unsent[0]):
                self._unsent[0] = self._unsent[0][written:]
            else:
                self._unsent.pop(0)
