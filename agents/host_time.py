"""Whose time it was: what a process used itself, and what the machine kept from it.

A player's clock must not run while the machine stands still. Two things tell: a thread of this process that only
sleeps oversleeps when this process or the whole machine was stopped; and Linux counts for every thread how long it was
ready to run and had no processor (`/proc/PID/schedstat`). Whoever sleeps or computes waits for none, so what is left is
the player's own. Elsewhere than on Linux only the first is known.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BEAT = 0.02  # seconds between two beats
LATE = 0.02  # by so much a beat may be late on a machine that does not stand still
FIRST_LOOK = 0.25  # seconds after which a process that has not answered is looked at; most answer sooner
LOOK = 0.1  # seconds between two looks
MOST_STALL = 60.0  # seconds after its time that a process is waited for, however busy the machine is


class HostStalled(str):
    """The reason of a failure that is nobody's: the machine kept the player from answering in time."""


STALLED = HostStalled("stalled host")
VOID = ("broken", STALLED)  # reasons of games that count for nobody


class Heartbeat:
    """A thread that sleeps, and notes when it overslept."""

    def __init__(self) -> None:
        """Begin to beat, for as long as this process lives."""
        self._gaps: deque[tuple[float, float]] = deque(maxlen=4096)
        self._last = time.monotonic()
        threading.Thread(target=self._run, name="heartbeat", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(BEAT)
            now = time.monotonic()
            if now - self._last > BEAT + LATE:
                self._gaps.append((self._last + BEAT, now))
            self._last = now

    def stalled(self, since: float, until: float) -> float:
        """Seconds between two moments of `time.monotonic` in which it should have beaten and did not."""
        last = self._last
        gaps = list(self._gaps)
        if until - last > BEAT + LATE:  # it oversleeps now
            gaps.append((last + BEAT, until))
        return sum(max(0.0, min(end, until) - max(begin, since)) for begin, end in gaps)


@functools.cache
def heartbeat() -> Heartbeat:
    """That of this process, begun when it is first needed."""
    return Heartbeat()


@dataclass(frozen=True)
class Use:
    """What a process and its children have used so far.

    Attributes:
        at: when, by `time.monotonic`.
        processor: seconds of processors, of all threads, also those that have ended.
        memory: bytes resident.
        waited: thread -> seconds that it was ready to run and had no processor.
        ran: thread -> seconds that it had one.
        ready: threads that are ready now.
    """

    at: float
    processor: float = 0.0
    memory: int = 0
    waited: Mapping[int, float] = field(default_factory=dict)
    ran: Mapping[int, float] = field(default_factory=dict)
    ready: frozenset[int] = frozenset()

    def kept_waiting_since(self, before: Use) -> float:
        """Seconds that the machine kept its thread that waited longest from running."""
        longest = 0.0
        for thread, waited in self.waited.items():
            more = waited - before.waited.get(thread, 0.0)
            if thread in self.ready and self.ran[thread] == before.ran.get(thread) and not more:
                more = self.at - before.at  # Linux counts a wait when it ends, and this one has not
            longest = max(longest, more)
        return longest


def use_of(process: int) -> Use:
    """What a process and its children have used; nothing where there is no such process, or no `/proc`."""
    now = time.monotonic()
    processor, memory = 0.0, 0
    waited: dict[int, float] = {}
    ran: dict[int, float] = {}
    ready = set()
    for one in family(process):
        processor += _processor_seconds(one)
        memory += resident(one)
        for thread in _threads(one):
            with contextlib.suppress(OSError, ValueError, IndexError):
                had, lacked = _read(f"/proc/{one}/task/{thread}/schedstat").split()[:2]
                ran[thread], waited[thread] = int(had) / 1e9, int(lacked) / 1e9
                if _after_name(f"/proc/{one}/task/{thread}/stat")[0] == "R":
                    ready.add(thread)
    return Use(now, processor, memory, waited, ran, frozenset(ready))


def family(process: int) -> list[int]:
    """A process, its children, theirs, and so on."""
    found = [process]
    for one in found:
        for thread in _threads(one):
            with contextlib.suppress(OSError, ValueError):
                found += map(int, _read(f"/proc/{one}/task/{thread}/children").split())
    return found


def resident(process: int) -> int:
    """Bytes of a process that are in memory; 0 if there is none."""
    try:
        return int(_read(f"/proc/{process}/statm").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return 0


def _processor_seconds(process: int) -> float:
    """Of all its threads, and of its children that have ended."""
    try:
        own = time.clock_gettime((~process << 3) | 2)  # Linux's number of the clock of another process
        ended = sum(map(int, _after_name(f"/proc/{process}/stat")[13:15]))  # in the ticks of `stat`
    except (OSError, ValueError, IndexError):
        return 0.0
    return own + ended / os.sysconf("SC_CLK_TCK")


def _threads(process: int) -> Iterator[int]:
    with contextlib.suppress(OSError):
        yield from map(int, os.listdir(f"/proc/{process}/task"))


def _after_name(path: str) -> list[str]:
    """The fields of a `stat` from the third on; a process's name may have spaces."""
    return _read(path).rpartition(")")[2].split()


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


class Watch:
    """Measures one answer of a process, from when it was asked."""

    def __init__(self, process: int, seconds: float, memory: int = 0) -> None:
        """Begin.

        Args:
            process: who is asked.
            seconds: of its own in which it must answer.
            memory: bytes that it and its children may have resident; 0 is no limit.
        """
        self.seconds, self.memory = seconds, memory
        self._process = process
        self._heart = heartbeat()
        self.began = time.monotonic()
        self._first: Use | None = None
        self._look_at = self.began + min(FIRST_LOOK, seconds / 8)

    def left(self) -> float:
        """Seconds until it wants to look again."""
        return max(0.0, self._look_at - time.monotonic())

    def elapsed(self) -> float:
        """Seconds of the clock since it was asked."""
        return time.monotonic() - self.began

    def own(self) -> float:
        """Seconds since it was asked, without those that the machine kept from it; at least what it computed.

        The latter also tells a process that keeps itself waiting, with more threads than there are processors.
        """
        use = None if self._first is None else use_of(self._process)
        now = time.monotonic()
        elapsed, kept = now - self.began, self._heart.stalled(self.began, now)
        if use is None or self._first is None:
            return max(0.0, elapsed - kept)
        kept = max(kept, use.kept_waiting_since(self._first))
        return min(elapsed, max(use.processor - self._first.processor, elapsed - kept))

    def look(self) -> str | None:
        """Look at it, when it is time to.

        Returns:
            "late" when its time is over, "stalled" when the machine keeps it from answering, "swollen" when it has too
            much memory; None if it may go on.
        """
        now = time.monotonic()
        if now < self._look_at:
            return None
        if self._first is None:
            self._first = use_of(self._process)
            memory = self._first.memory
        else:
            memory = sum(map(resident, family(self._process))) if self.memory else 0
        if self.memory and memory > self.memory:
            return "swollen"
        left = self.seconds - (now - self.began)
        if left <= 0:
            left = self.seconds - self.own()
            if left <= 0:
                return "late"
            if now - self.began > self.seconds + MOST_STALL:
                return "stalled"
        # What it may have of its own cannot pass sooner than so; memory may fill up at any time.
        self._look_at = now + (min(left, LOOK) if self.memory else left)
        return None


class OwnWatch:
    """Measures what this process itself does, in the thread that asks."""

    def __init__(self) -> None:
        """Begin."""
        self._heart = heartbeat()
        self._waited = _waited_here()
        self._processor = time.process_time()
        self.began = time.monotonic()

    def elapsed(self) -> float:
        """Seconds of the clock."""
        return time.monotonic() - self.began

    def own(self) -> float:
        """Seconds without those that the machine kept from it; at least what it computed."""
        now = time.monotonic()
        elapsed = now - self.began
        kept = max(self._heart.stalled(self.began, now), _waited_here() - self._waited)
        return min(elapsed, max(time.process_time() - self._processor, elapsed - kept))


def _waited_here() -> float:
    """Seconds that this thread was ready to run and had no processor."""
    try:
        return int(_read("/proc/thread-self/schedstat").split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
