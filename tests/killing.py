"""Command lines that are killed at instants which a seed decides, and what they leave: for the tests of faults.

As a program, `killing.py MODULE...`, it is the warm stove of `Launcher`: it imports modules once and begins each
command line as a fork of itself, since Python and PyTorch take far longer to start than the work between two kills.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

KIN = "LANISTA_TESTS_KIN"  # a variable that a process hands down to all that it begins
PATIENCE = 600.0  # seconds, on a machine that does much else


class Command:
    """A command line of Lanista in a process of its own, with all that it begins."""

    def __init__(self, process: int, log: Path, poll: Callable[[], int | None], mark: str, stove: int = 0) -> None:
        """Know it. `Launcher` makes these."""
        self.process, self.log, self._poll, self._mark, self._stove = process, log, poll, mark, stove

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self._poll()

    @property
    def said(self) -> str:
        """Standard output and error."""
        return self.log.read_text(errors="replace")

    def kill(self) -> int:
        """`kill -9` it, and give how it ended: it may have been quicker."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        return self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Its exit code, once it has ended; nothing may hang."""
        until = time.monotonic() + seconds
        while (code := self._poll()) is None:
            if time.monotonic() > until:
                os.kill(self.process, signal.SIGKILL)
                raise AssertionError(f"it hangs: {self.said[-2000:]}")
            time.sleep(0.002)
        return code

    def kin(self) -> list[int]:
        """The living processes that it has begun, or they in turn, whoever is their parent now."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                alive = (folder / "stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
                number = int(folder.name)
                mine = f"{KIN}={self._mark}\0".encode() in (folder / "environ").read_bytes()
                if alive and mine and number not in (self.process, self._stove):
                    found.append(number)
        return found

    def leaves_nobody(self, seconds: float = 20.0) -> None:
        """Fail if an orphan stays; the kernel takes a moment to end those that are bound to it."""
        until = time.monotonic() + seconds
        while (left := self.kin()) and time.monotonic() < until:
            time.sleep(0.01)
        assert not left, [Path(f"/proc/{number}/cmdline").read_bytes() for number in left]


class Launcher:
    """Begins command lines, each killable: cold, as a user does, or warm, as forks of a process that has imported all.

    Use it as a context manager.
    """

    def __init__(self, folder: Path, *modules: str, environment: dict[str, str] | None = None) -> None:
        """Begin the stove.

        Args:
            folder: for what the command lines say.
            modules: that it imports.
            environment: more variables of the processes.
        """
        self.folder, self.mark, self.count = folder, uuid.uuid4().hex, 0
        # NiceGUI must not take itself for a part of this test.
        surroundings = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
        self.surroundings = surroundings | {KIN: self.mark, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.surroundings |= {"OMP_NUM_THREADS": "1", **(environment or {})}
        self.stove: subprocess.Popen[str] | None = None
        if modules:
            self.stove = subprocess.Popen(
                [sys.executable, __file__, *modules], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                env=self.surroundings,
            )  # fmt: skip

    def __enter__(self) -> Launcher:
        return self

    def __exit__(self, *error: object) -> None:
        if self.stove is not None:
            self.stove.kill()
            self.stove.communicate()

    def cold(self, *words: str | Path) -> Command:
        """Begin `lanista WORDS`."""
        log = self._log()
        command = [sys.executable, "-m", "lanista", *map(str, words)]
        with log.open("wb") as out:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=self.surroundings
            )
        stove = 0 if self.stove is None else self.stove.pid
        return Command(process.pid, log, process.poll, self.mark, stove)

    def warm(self, *words: str | Path) -> Command:
        """Begin `lanista WORDS` as a fork of the stove. One at a time: the one before must have ended."""
        assert self.stove is not None and self.stove.stdin is not None and self.stove.stdout is not None
        log = self._log()
        self.stove.stdin.write(json.dumps({"words": list(map(str, words)), "log": str(log)}) + "\n")
        self.stove.stdin.flush()
        process = int(self.stove.stdout.readline())
        answers, ended = self.stove.stdout, log.with_suffix(".code")
        told: list[int] = []

        def poll() -> int | None:
            if not told and ended.exists():  # the stove writes it before the line
                told.append(int(answers.readline()))
            return told[0] if told else None

        return Command(process, log, poll, self.mark, self.stove.pid)

    def run(self, *words: str | Path) -> Command:
        """Do `lanista WORDS` to its end, warm if there is a stove."""
        command = self.cold(*words) if self.stove is None else self.warm(*words)
        command.wait()
        return command

    def _log(self) -> Path:
        self.count += 1
        log = self.folder / f"said-{self.count}.txt"
        log.touch()  # it may be killed before it has opened it
        return log


def instants(
    chance: random.Random, begin: Callable[[int], Command], stands: Callable[[], Any], kills: int, longest: float
) -> Iterator[tuple[int, Command, int]]:
    """Kill command lines, and give each time the number of the kill, the command, and how it ended.

    Every other one is killed at any instant from its start on, when files are made and opened; the others within some
    hundredths of a second after something was finished, when files change places.

    Args:
        chance: decides the instants.
        begin: begins the command of a number.
        stands: what has been finished so far.
        kills: how many.
        longest: seconds from the start in which the first kind is killed.
    """
    for number in range(kills):
        before, wanted = stands(), 1 + chance.randrange(3)
        command = begin(number)
        until = time.monotonic() + (chance.random() * longest if number % 2 else PATIENCE)
        while command.code is None and time.monotonic() < until:
            now = stands()
            if not number % 2 and now != before:
                before, wanted = now, wanted - 1
                if not wanted:
                    time.sleep(chance.random() * 0.08)
                    break
            time.sleep(0.001)
        code = command.kill()
        assert code in (-signal.SIGKILL, 0), command.said
        command.leaves_nobody()
        yield number, command, code


def drafts(folder: Path) -> list[Path]:
    """What is half written in a folder, at any depth."""
    return [path for path in folder.rglob("*") if path.name.startswith((".draft.", "tmp"))]


def work(modules: Sequence[str]) -> None:
    """Be the stove."""
    for name in modules:
        importlib.import_module(name)
    from lanista.cli.main import main

    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            nothing = os.open(os.devnull, os.O_RDONLY)
            for number, file in ((0, nothing), (1, log), (2, log)):
                os.dup2(file, number)
            sys.argv = ["lanista", *asked["words"]]
            sys.exit(main())
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        Path(asked["log"]).with_suffix(".code").touch()
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    work(sys.argv[1:])
