"""All agents that the page asks: one loaded copy of each, off the event loop, its questions gathered into batches.

Networks answer in a thread: a call takes milliseconds. Searches, engines and strangers answer in a process of their
own, which is killed when it takes too long; the next question begins another.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import queue
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Literal

from lanista.agents.contestant import DESCRIPTION, agent_folder, shipped
from lanista.arena.play.mind import Mind, Position, Thought
from lanista.arena.play.table import Start
from lanista.errors import UsageError
from lanista.files import written_path

PATIENCE = 60.0  # seconds for an answer, where no clock says less
LOADING = 60.0  # seconds more for the first one: an agent is loaded, rules are compiled
MOST_TOGETHER = 64  # questions of one call
MOST_PROCESSES = 6  # that are kept; the one that was asked longest ago ends
QUICK = ("random", "first-legal")
FIRST_CALLS = 6  # before anybody waits: a network is brought into a quicker form after some calls

Kind = Literal["answer", "explain"]


@dataclass
class _Question:
    kind: Kind
    positions: list[Position]
    seconds: float
    answer: Future[list[Thought]] = field(default_factory=Future)


class Minds:
    """Ask agents by their strings; every method may be called from any thread."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, str], _Worker] = {}
        self._lock = threading.Lock()

    def answer(
        self, contestant: str, positions: Sequence[Position], seconds: float = PATIENCE
    ) -> Future[list[Thought]]:
        """What an agent plays in positions of one game; asked together with whatever else waits for it."""
        return self._ask(contestant, _Question("answer", list(positions), seconds))

    def explain(self, contestant: str, position: Position, seconds: float = PATIENCE) -> Future[list[Thought]]:
        """What an agent thinks of a position, with the lines of its search."""
        return self._ask(contestant, _Question("explain", [position], seconds))

    def warm_up(self, contestant: str, game: str) -> None:
        """Begin to load an agent, so that its first move need not wait."""
        with self._lock:
            self._worker(contestant, game)

    def close(self) -> None:
        """End all processes and threads."""
        with self._lock:
            workers, self._workers = list(self._workers.values()), {}
        for worker in workers:
            worker.close()

    def _ask(self, contestant: str, question: _Question) -> Future[list[Thought]]:
        if not question.positions:
            question.answer.set_result([])
            return question.answer
        with self._lock:
            worker = self._worker(contestant, question.positions[0].start.game)
            worker.asked_at = time.monotonic()
            worker.questions.put(question)
        return question.answer

    def _worker(self, contestant: str, game: str) -> _Worker:
        key = contestant, game
        worker = self._workers.get(key)
        if worker is not None and worker.written != written(contestant):  # a run has trained on since
            worker.retire()
        if worker is None or worker.dead:
            worker = self._workers[key] = _Worker(contestant, game, alone=not is_quick(contestant))
            worker.begin()
            busy = [each for each in self._workers.items() if each[1].alone and each[0] != key]
            if len(busy) >= MOST_PROCESSES:
                oldest, idle = min(busy, key=lambda each: each[1].asked_at)
                if idle.questions.empty() and not idle.busy:
                    del self._workers[oldest]
                    idle.close()
        return worker


def written(contestant: str) -> int:
    """When the files of a trained agent were written, by the file system's clock in ns; 0 for all others."""
    folder = agent_folder(written_path(contestant.partition("?")[0]))
    try:
        return 0 if folder is None else (folder / DESCRIPTION).stat().st_mtime_ns
    except OSError:
        return 0


def is_quick(contestant: str) -> bool:
    """Whether an agent answers at once, in milliseconds: it need not have a process of its own."""
    head, _, options = contestant.partition("?")
    trained = head in shipped() or agent_folder(written_path(head)) is not None
    return contestant in QUICK or (trained and "simulations" not in options)


class _Worker:
    """A thread that asks one agent; `alone`, an agent in a process of its own."""

    def __init__(self, contestant: str, game: str, alone: bool) -> None:
        self.contestant, self.game, self.alone = contestant, game, alone
        self.questions: queue.SimpleQueue[_Question | None] = queue.SimpleQueue()
        self.asked_at = time.monotonic()
        self.written = written(contestant)
        self.busy = self.dead = False
        self._mind: _Child | Mind | None = None

    def begin(self) -> None:
        """Start the thread; it loads the agent first."""
        threading.Thread(target=self._work, name=f"mind of {self.contestant}", daemon=True).start()

    def close(self) -> None:
        """Let it end after what it does now."""
        self.dead = True
        self.questions.put(None)
        if isinstance(self._mind, _Child):
            self._mind.kill()

    def retire(self) -> None:
        """Let it end after all that it was asked."""
        self.dead = True
        self.questions.put(None)

    def _work(self) -> None:
        trouble = self._load()
        while True:
            first = self.questions.get()
            if first is None:
                if isinstance(self._mind, _Child):
                    self._mind.kill()
                return
            self.busy = True
            together = self._with_others(first)
            try:
                if trouble:
                    trouble = self._load()
                answers = [Thought(failed=trouble)] * _size(together) if trouble else self._answers(together)
            except Exception as error:  # whatever it is, nobody may wait for ever
                answers = [Thought(failed=f"crashed: {type(error).__name__}: {error}"[:200])] * _size(together)
            for question in together:
                mine, answers = answers[: len(question.positions)], answers[len(question.positions) :]
                with contextlib.suppress(Exception):  # nobody waits any more
                    question.answer.set_result(mine)
            self.busy = False

    def _with_others(self, first: _Question) -> list[_Question]:
        """Questions that can be answered in one call."""
        together = [first]
        while first.kind == "answer" and _size(together) < MOST_TOGETHER:
            try:
                other = self.questions.get_nowait()
            except queue.Empty:
                break
            if other is None or other.kind != "answer":
                self.questions.put(other)
                break
            together.append(other)
        return together

    def _load(self) -> str:
        """Make the agent ready; why it cannot be."""
        try:
            if self.alone:
                self._mind = _Child(self.contestant, self.game)
            else:
                self._mind = Mind(self.contestant, self.game)
                for _ in range(FIRST_CALLS):
                    self._mind.answer([Position(Start(self.game, 0), ())])
        except UsageError as error:
            return str(error)
        except Exception as error:
            return f"cannot be loaded: {type(error).__name__}: {error}"[:200]
        return ""

    def _answers(self, together: list[_Question]) -> list[Thought]:
        positions = [position for question in together for position in question.positions]
        kind, seconds = together[0].kind, max(question.seconds for question in together)
        if isinstance(self._mind, Mind):
            return self._mind.answer(positions) if kind == "answer" else [self._mind.explain(positions[0])]
        if self._mind is None or not self._mind.alive():
            self._mind = _Child(self.contestant, self.game)
        return self._mind.ask(kind, positions, seconds)


def _size(questions: Sequence[_Question]) -> int:
    return sum(len(question.positions) for question in questions)


class _Child:
    """A mind in a process of its own."""

    def __init__(self, contestant: str, game: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, contestant, game), daemon=True)
        self._process.start()
        other.close()
        self._fresh = True
        self._closing = threading.Lock()

    def alive(self) -> bool:
        return self._process.is_alive()

    def ask(self, kind: Kind, positions: list[Position], seconds: float) -> list[Thought]:
        """Answers; if it takes too long or dies, what is said of that."""
        limit = seconds * (len(positions) if kind == "answer" else 1) + (LOADING if self._fresh else 0.0)
        try:
            self._pipe.send((kind, positions))
            if not self._pipe.poll(limit):
                self.kill()
                return [Thought(failed=f"did not answer in {limit:.0f} seconds")] * len(positions)
            answers: list[Thought] | str = self._pipe.recv()
        except (EOFError, OSError):
            self.kill()
            return [Thought(failed="crashed: its process ended")] * len(positions)
        self._fresh = False
        return [Thought(failed=answers)] * len(positions) if isinstance(answers, str) else answers

    def kill(self) -> None:
        """End the process at once."""
        self._process.kill()
        self._process.join(5)
        with self._closing:  # whoever waits for an answer ends it too, in another thread
            if not self._pipe.closed:
                self._pipe.close()


def _serve(pipe: Connection, contestant: str, game: str) -> None:
    """In the process: load the agent, and answer until the other end is closed."""
    trouble, mind = "", None
    try:
        mind = Mind(contestant, game)
    except Exception as error:
        trouble = str(error) if isinstance(error, UsageError) else f"cannot be loaded: {type(error).__name__}: {error}"
    while True:
        try:
            kind, positions = pipe.recv()
        except (EOFError, OSError, KeyboardInterrupt):
            return
        try:
            answers: Any = trouble
            if mind is not None:
                answers = mind.answer(positions) if kind == "answer" else [mind.explain(positions[0])]
        except Exception as error:
            answers = f"crashed: {type(error).__name__}: {error}"[:200]
        pipe.send(answers)
