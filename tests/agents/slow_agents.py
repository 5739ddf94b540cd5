"""Agents that play the first legal action, each slow in its own way."""

from __future__ import annotations

import subprocess
import sys
import time

from lanista.envs.core import Array, Choice, Turn


class Slow:
    """Is slow at the second move of the game of each copy that it sees, or at none."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.clocks: list[list[float]] = []

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        if turn.clock is not None:
            self.clocks += turn.clock.tolist()
        if turn.plies[0] in (2, 3):
            self.be_slow()
        return Choice(turn.legal.argmax(axis=1))

    def be_slow(self) -> None:
        raise NotImplementedError


class Sleeps(Slow):
    """Waits for nothing."""

    def be_slow(self) -> None:
        time.sleep(self.seconds)


class Computes(Slow):
    """Needs so many seconds of a processor, however long these take."""

    def be_slow(self) -> None:
        until = time.thread_time() + self.seconds
        while time.thread_time() < until:
            pass


class Malformed(Slow):
    """Answers with what is no action, or has each game's memory grow; options name what."""

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        assert turn.legal is not None
        actions = turn.legal.argmax(axis=1)
        if self.seconds == 1:
            return Choice(actions.astype("f4"))
        if self.seconds == 2:
            return Choice(actions[:, None])
        if self.seconds == 3:
            self.size = getattr(self, "size", 0) + 1
            return Choice(actions, memory=actions[:, None].repeat(self.size, axis=1))
        return Choice(actions, waiting=actions >= 0)


class Plans(Slow):
    """Thinks for half of a fixed time."""

    def be_slow(self) -> None:
        time.sleep(self.clocks[-1][0] / 2)


class Swells(Slow):
    """Fills megabytes of memory, or has a child fill them, and thinks on."""

    def __init__(self, megabytes: int, child: bool = False) -> None:
        super().__init__()
        self.megabytes, self.child = megabytes, child

    def be_slow(self) -> None:
        code = f"import time; x = bytearray({self.megabytes} << 20); time.sleep(60)"
        if self.child:
            subprocess.run([sys.executable, "-S", "-c", code], check=False)
        held = bytearray(self.megabytes << 20)
        time.sleep(60)
        del held
