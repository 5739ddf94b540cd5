"""Agents that play the first legal action, but do something wrong in some game: each class its own."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

import numpy as np

from lanista.envs.core import Array, Choice, Turn


def private_pipes() -> list[int]:
    """The file numbers of this process that are pipes, but for the standard ones."""
    numbers = [int(name) for name in os.listdir("/proc/self/fd")]
    return [
        n
        for n in numbers
        if n > 2 and os.path.exists(f"/proc/self/fd/{n}") and "pipe" in os.readlink(f"/proc/self/fd/{n}")
    ]


class Sound:
    """Does nothing wrong, and tells all that it can."""

    def __init__(self, bias: int = 0) -> None:
        self.bias = bias
        self.games_over = 0

    def start(self, spec: Any, seed: int) -> None:
        self.spec = spec

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        print("an agent may print")
        assert turn.legal is not None
        seen = np.zeros(len(turn)) if memory is None else memory
        policy = turn.legal / turn.legal.sum(1, keepdims=True)
        return Choice(turn.legal.argmax(axis=1), policy=policy, value=np.full(len(turn), 0.5), memory=seen + 1)

    def finish(self, games: Array) -> None:
        self.games_over += len(games)


class Looks:
    """Answers from `Turn.public`: a forced move by the number of moves that were made."""

    def act(self, turn: Turn) -> Choice:
        assert turn.public is not None and turn.legal is not None
        assert turn.public.rules.spec.name == "tictactoe" and len(turn.public.positions()) == len(turn)
        counted = [len(turn.public.moves(row)) for row in range(len(turn))]
        assert counted == turn.plies.tolist()
        return Choice(turn.legal.argmax(axis=1))


class Faulty:
    """Plays on, but for what `go_wrong` does or answers in the game of copy 1."""

    copy = 1

    def act(self, turn: Turn, memory: Array | None = None) -> Any:
        assert turn.legal is not None
        actions = turn.legal.argmax(axis=1)
        self.mine = turn.copies == self.copy
        if self.mine.any():
            answer = self.go_wrong(actions)
            if answer is not None:
                return answer
        return Choice(actions)

    def go_wrong(self, actions: Array) -> Any:
        raise NotImplementedError


class Raises(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        raise ValueError("no\nidea")


class Hangs(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        time.sleep(600)


class Exits(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        raise SystemExit(5)


class Aborts(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        os.abort()


class Swallows(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(np.zeros(1 << 33, np.uint8))


class Illegal(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(np.where(self.mine, 10_000, actions))


class Objects(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(np.array([object()] * len(actions)))


class Short(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(np.zeros(0, np.int64))


class Nothing(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return "left"


class BadPolicy(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(actions, policy=np.zeros((len(actions), 3), np.float32))


class BadValue(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        return Choice(actions, value=np.zeros((len(actions), 2), np.float32))


class Scribbles(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        for number in private_pipes():
            with contextlib.suppress(OSError):
                os.write(number, b"\x05\x00\x00\x00\xff\xff\xff\xff\xff")
        time.sleep(600)


class Declares(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        for number in private_pipes():
            with contextlib.suppress(OSError):
                os.write(number, b"\xff\xff\xff\xff")
        time.sleep(600)


class Forks(Faulty):
    def go_wrong(self, actions: Array) -> Any:
        os.fork()  # both answer


class Unstartable:
    def __init__(self) -> None:
        raise RuntimeError("not today")

    def act(self, turn: Turn) -> Choice:
        raise NotImplementedError


class NoAgent:
    pass


class Everything(Faulty):
    """Goes wrong in each game in another way; where it is not told how, not at all."""

    def __init__(self, faults: str) -> None:
        self.kinds: list[type[Faulty] | None] = [globals().get(name) for name in faults.split("-")]

    def act(self, turn: Turn, memory: Array | None = None) -> Any:
        assert turn.legal is not None
        for copy in turn.copies.tolist():
            kind = self.kinds[copy]
            if kind is not None:
                faulty = kind()
                faulty.copy = copy
                return faulty.act(turn, memory)
        return Choice(turn.legal.argmax(axis=1))
