"""Processes that end when we do: how engines and isolated agents are begun and ended."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import signal
import subprocess
import sys
import threading
import uuid
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from lanista.agents.host_time import STALLED
from lanista.errors import UsageError

BOUND = Path(__file__).with_name("_bound_process.py")
GAMES_FOLDER = "/usr/games"  # where Debian puts engines; not on the PATH of root
MOST_SECONDS = 1e7  # of a limit: the system's clocks take no endless ones
PATIENCE = 5.0  # seconds in which a killed process is gone
SECONDS_TO_END = 3.0  # until who closed its output is taken for one that goes on; ending takes long on a busy machine
KIN = "LANISTA_KIN"  # a variable that a process hands down to all that it begins, also to those that leave its group
ROUNDS = 20  # in which who begins others while it is being ended is ended too
_marks: weakref.WeakKeyDictionary[subprocess.Popen[bytes], str] = weakref.WeakKeyDictionary()


class ProcessError(Exception):
    """What went wrong with a process that we speak with: a player's failure, in one line."""


class LateError(ProcessError):
    """It did not answer in its time."""


class StalledError(ProcessError):
    """It did not answer in its time because the machine kept it from running."""


def reason_of(failure: Exception, before: str = "") -> str:
    """The words of a failure for `Choice.failed`, with some before them; where the machine stalled, only that."""
    return STALLED if isinstance(failure, StalledError) else f"{before}{failure}"


def check_seconds(name: str, seconds: float) -> None:
    """Whether a limit of time is one.

    Raises:
        UsageError: it is not.
    """
    if not 0 < seconds <= MOST_SECONDS:
        raise UsageError(f"'{name}' needs seconds above 0, at most {MOST_SECONDS:.0f}, not {seconds:g}")


def find_program(word: str) -> Path | None:
    """The program that a word names: a path, or a name on the PATH or in Debian's folder of games."""
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), GAMES_FOLDER))
    found = shutil.which(os.path.expanduser(word), path=places)
    return None if found is None else Path(found).absolute()


def begin(
    command: Sequence[str], *, memory: int = 0, errors: int | None = subprocess.DEVNULL, **settings: Any
) -> subprocess.Popen[bytes]:
    """Start a program with pipes to its standard input and output, neither of which is waited for.

    It is killed when this process dies.

    Args:
        command: the program's path and its words.
        memory: the most address space it may have, in bytes; 0 sets no limit.
        errors: where its standard error goes; None is ours.
        settings: more of `subprocess.Popen`'s own.

    Raises:
        ProcessError: the system has no room for it.
    """
    mark = uuid.uuid4().hex
    surroundings = {**(settings.pop("env", None) or os.environ), KIN: mark}
    bound = [sys.executable, "-I", "-S", str(BOUND), str(os.getpid()), str(memory), *command]

    def start() -> subprocess.Popen[bytes]:
        # A group of its own, so that what it started can be ended with it.
        return subprocess.Popen(
            bound, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            env=surroundings, **settings,
        )  # fmt: skip

    try:
        # Linux takes the end of the thread that started a process for the end of its parent.
        here = threading.current_thread() is threading.main_thread()
        process = start() if here else _starter().submit(start).result()
    except OSError as error:
        raise ProcessError(f"could not be started: {error.strerror}") from None
    _marks[process] = mark
    assert process.stdin is not None and process.stdout is not None
    os.set_blocking(process.stdin.fileno(), False)
    os.set_blocking(process.stdout.fileno(), False)
    return process


@functools.cache
def _starter() -> ThreadPoolExecutor:
    """A thread that lives as long as this process."""
    return ThreadPoolExecutor(1, "starts processes")


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and all that it has begun, and leave no zombie; one that has ended is cleared away."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _end_kin(_marks.pop(process, ""))
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)


def _end_kin(mark: str) -> None:
    """Kill the processes that have a mark in their environment: who made a session of its own is in no group of ours.

    Who has emptied its environment is not found; Linux alone tells of environments.
    """
    for _ in range(ROUNDS if mark else 0):
        numbers = [int(name) for name in os.listdir("/proc") if name.isdecimal()] if os.path.isdir("/proc") else []
        found = [number for number in numbers if f"{KIN}={mark}\0".encode() in _environment(number)]
        for number in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(number, signal.SIGKILL)
        if not found:
            return


def _environment(number: int) -> bytes:
    """A process's environment as its program began with it; empty where that is not told, as of others' or zombies."""
    try:
        return Path(f"/proc/{number}/environ").read_bytes()
    except OSError:
        return b""


def how_it_ended(process: subprocess.Popen[bytes]) -> str:
    """`exited with code 3`, or `was killed by SIGSEGV`, of a process whose output is at its end."""
    try:
        code = process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        return "closed its output"
    if code >= 0:
        return f"exited with code {code}"
    with contextlib.suppress(ValueError):
        return f"was killed by {signal.Signals(-code).name}"
    return f"was killed by signal {-code}"
