"""The other end of `agents.isolate`: run as a program, it makes an agent and answers for it.

Messages come by the standard input and go by the standard output, which the agent's own code does not see: what it
prints goes to the standard error.
"""

from __future__ import annotations

import base64
import importlib
import importlib.util
import json
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from lanista.agents._bound_process import bind
from lanista.agents.wire import LENGTH, Message, choice_arrays, pack, turn_from, unpack
from lanista.envs.core import Agent, Array, start_agent
from lanista.errors import UsageError, unknown
from lanista.plugs import call, one_line


def main() -> None:
    """Answer until there is nothing more to read."""
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    # Whoever forks must not outlive us either: Linux forgets the bond at a fork.
    os.register_at_fork(after_in_child=lambda: bind(os.getppid()))
    Player(os.fdopen(source, "rb"), os.fdopen(sink, "wb")).serve()


class Player:
    """An agent and the pipe on which it is asked."""

    def __init__(self, source: Any, sink: Any) -> None:
        """Read from and write to binary files."""
        self._source, self._sink = source, sink
        self._agent: Agent | None = None
        self._game = ""

    def serve(self) -> None:
        """Answer message after message."""
        doing: dict[str, Callable[[Message], Message | None]] = {
            "load": self._load,
            "start": self._start,
            "act": self._act,
            "act openly": self._act,
            "finish": self._finish,
        }
        while (message := self._read()) is not None:
            try:
                answer = doing[message.kind](message)
                said = None if answer is None else pack(answer)
            except UsageError as error:
                said = pack(_failed(message, str(error)))
            except Exception as error:
                said = pack(_failed(message, f"{type(error).__name__}: {one_line(error)}"))
            if said is not None:
                self._write(said)

    def ask(self, question: Message) -> Message:
        """Ask the parent for something of the turn that is being answered."""
        self._write(pack(question))
        answer = self._read()
        if answer is None:
            sys.exit(0)
        return answer

    def _load(self, message: Message) -> Message:
        self._agent = loaded(json.loads(message.text))
        return Message("loaded")

    def _start(self, message: Message) -> Message:
        told = json.loads(message.text)
        spec = pickle.loads(base64.b64decode(told["spec"]))  # from the parent, which began us
        self._game = spec.name
        assert self._agent is not None
        start_agent(self._agent, spec, told["seed"])
        return Message("started")

    def _act(self, message: Message) -> Message:
        assert self._agent is not None
        public = None
        if message.kind == "act openly":
            public = AskedPublic(self, self._game, len(message.arrays["copies"]), message.question)
        turn, memory = turn_from(message.arrays, public)
        # An agent with nothing to remember may leave the argument out.
        choice = self._agent.act(turn) if memory is None else self._agent.act(turn, memory)
        reasons = [str(choice.failed[row]) for row in sorted(choice.failed)]
        return Message("choice", choice_arrays(choice), json.dumps(reasons) if reasons else "", message.question)

    def _finish(self, message: Message) -> None:
        finish = getattr(self._agent, "finish", None)
        if finish is not None:
            finish(message.arrays["games"])

    def _read(self) -> Message | None:
        head = self._source.read(LENGTH.size)
        if len(head) < LENGTH.size:
            return None
        # With room for the head, so that arrays are aligned; they may be written to, as those of any turn.
        body = memoryview(bytearray(len(head) + LENGTH.unpack(head)[0]))[len(head) :]
        self._source.readinto(body)
        return unpack(body)

    def _write(self, said: bytes) -> None:
        self._sink.write(said)
        self._sink.flush()


def _failed(message: Message, words: str) -> Message:
    """What is answered to a message that could not be."""
    return Message("crashed" if message.kind.startswith("act") else "mistake", text=words, question=message.question)


class AskedPublic:
    """`Turn.public` of a native game: its rules made here, its positions and moves asked of the parent at need."""

    def __init__(self, player: Player, game: str, rows: int, question: int) -> None:
        """Know whom to ask, and in which question; nothing is asked."""
        self._player, self._game, self._rows, self._question = player, game, rows, question

    @property
    def rules(self) -> Any:
        """The compiled rules."""
        from lanista.envs.catalogue import native_rules  # which brings Numba

        return native_rules(self._game)

    def positions(self) -> Array:
        """Copies of the positions, one record a row."""
        raw = self._player.ask(Message("positions", question=self._question)).arrays["bytes"]
        records: Array = np.ascontiguousarray(raw).view(self.rules.state).reshape(self._rows).copy()
        return records

    def moves(self, row: int) -> list[int]:
        """The actions that led from the game's start to this row's position."""
        moves: list[int] = (
            self._player.ask(Message("moves", text=str(int(row)), question=self._question)).arrays["actions"].tolist()
        )
        return moves


def loaded(loading: dict[str, Any]) -> Agent:
    """Make the agent that the parent names: a contestant's string, a class of Lanista's, or a user's own.

    Raises:
        UsageError: there is none.
    """
    if "contestant" in loading:
        from lanista.agents.contestant import load_agent

        return load_agent(loading["contestant"])
    if "module" in loading:
        own: Agent = getattr(importlib.import_module(loading["module"]), loading["class"])(**loading["options"])
        return own
    file, name = Path(loading["file"]), str(loading["class"])
    sys.path.insert(0, str(file.parent))
    described = importlib.util.spec_from_file_location(file.stem, file)
    assert described is not None and described.loader is not None
    module = importlib.util.module_from_spec(described)
    sys.modules[file.stem] = module
    try:
        described.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"'{file}' cannot be imported: {type(error).__name__}: {one_line(error)}") from None
    kind = getattr(module, name, None)
    if not isinstance(kind, type):
        classes = [each.__name__ for each in vars(module).values() if isinstance(each, type) and hasattr(each, "act")]
        raise unknown(f"class of '{file}'", name, classes)
    if not callable(getattr(kind, "act", None)):
        raise UsageError(f"'{name}' of '{file}' is no agent: it has no method act(turn, memory)")
    agent: Agent = call(kind, f"the agent '{name}'", loading.get("options", {}))
    return agent


if __name__ == "__main__":
    main()
