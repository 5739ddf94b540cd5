"""An agent that thinks about one position at a time in a process of its own, and can be told to stop at any moment."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from lanista.agents.contestant import KINDS, agent_folder, shipped
from lanista.agents.isolate import isolate
from lanista.envs.core import GameSpec, Turn
from lanista.errors import UsageError
from lanista.files import written_path
from lanista.plugs import Summary, Value, parse_options, parse_value, plugs, summaries

PATIENCE = 3600.0  # seconds after which a search that nobody stops is taken for a hang
GRACE = 0.3  # seconds that a step may still take after its time is over, or after `stop`
LEAST_GROWTH = 3.0  # of the time of a search, from one depth to the next


@dataclass(frozen=True)
class Limits:
    """How long to think; None leaves it to the agent.

    Attributes:
        depth: plies, for agents that have a depth.
        nodes: for agents that count simulations.
        seconds: of the clock.
        infinite: until `stop`.
    """

    depth: int | None = None
    nodes: int | None = None
    seconds: float | None = None
    infinite: bool = False


@dataclass(frozen=True)
class Thought:
    """What a step of thinking found: the action, the return it expects, its effort, and the seconds until then."""

    action: int
    value: float | None
    step: tuple[str, int] | None  # ("depth", 3), ("simulations", 64)
    seconds: float


class Thinker:
    """A contestant that is asked with growing effort, if it has a `depth` or `simulations` among its options."""

    def __init__(self, contestant: str) -> None:
        """Know the agent; it is begun by `start`."""
        self._head, self.written = _split(contestant)
        self.known = _options(self._head)
        self.options: dict[str, Value] = {
            key: value for key, value in (self.known | self.written).items() if value is not None and key != "path"
        }
        self.contestant = contestant
        self.agent = isolate(contestant, seconds=PATIENCE, memory=0)
        self.grows = next((key for key in ("depth", "simulations") if key in self.known), None)
        self.failure = ""  # why the last thought ended early
        self._stopped = threading.Event()

    def start(self, spec: GameSpec, seed: int = 0) -> None:
        """Begin its process, for a game.

        Raises:
            UsageError: the agent cannot be made, or cannot play this game.
        """
        self.agent.start(spec, seed)

    def warm_up(self, turn: Turn) -> None:
        """Think once as briefly as can be, so that what must be compiled is compiled before a clock runs."""
        step = None if self.grows is None else (self.grows, 1)
        self.agent.become({"contestant": self._at(step)})
        self.agent.act(turn)

    def set_option(self, name: str, text: str) -> None:
        """Change an option of the agent; it holds from the next thought on.

        Raises:
            UsageError: there is no such option, or the value is of another kind.
        """
        keys = {key.lower(): key for key in self.options}
        if name.lower() not in keys:
            raise UsageError(f"there is no option '{name}'; there are: {', '.join(self.options) or 'none'}")
        key, value = keys[name.lower()], parse_value(text)
        default = self.options[key]
        if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not type(default):
            raise UsageError(f"option '{key}' is {type(default).__name__}, not '{text}'")
        self.options[key] = self.written[key] = value

    def think(self, turn: Turn, limits: Limits, told: Callable[[Thought], None]) -> Thought | None:
        """Think about a row until a limit is reached or `stop` is called; `resume` before.

        Args:
            turn: one row.
            limits: how long.
            told: told of each step's thought.

        Returns:
            The last thought; None if there was none: the agent failed, or was stopped before.
        """
        began, last, thought = time.monotonic(), [0.0], None
        self.failure = ""
        alarm = None
        if limits.seconds is not None:
            alarm = threading.Timer(limits.seconds + GRACE, self.stop)
            alarm.daemon = True
            alarm.start()
        try:
            for step in self._steps(limits):
                elapsed = time.monotonic() - began
                growth = 2.0 if step is not None and step[0] == "simulations" else LEAST_GROWTH
                if len(last) > 2 and step is not None and step[0] == "depth" and last[-2] > 0:
                    growth = max(growth, last[-1] / last[-2])
                late = limits.seconds is not None and elapsed + last[-1] * growth > limits.seconds
                # The first step is made in any case: who is stopped at once still has the grace to find a move.
                if thought is not None and (late or self._stopped.is_set()):
                    break
                self.agent.become({"contestant": self._at(step)})
                choice = self.agent.act(turn)
                if choice.failed:
                    self.failure = choice.failed[0]
                    break
                last.append(time.monotonic() - began - elapsed)
                value = None if choice.value is None else float(choice.value[0])
                thought = Thought(int(choice.actions[0]), value, step, time.monotonic() - began)
                told(thought)
        finally:
            if alarm is not None:
                alarm.cancel()
                alarm.join()  # lest it stops the next thought
        if limits.infinite:
            self._stopped.wait()
        return thought

    def resume(self) -> None:
        """Forget that it was stopped."""
        self._stopped.clear()

    def stop(self, grace: float = GRACE) -> None:
        """End the thought that is being thought, from another thread; what was found so far is the answer.

        Args:
            grace: seconds that its present step may still take.
        """
        self._stopped.set()
        self.agent.interrupt(grace)

    def close(self) -> None:
        """End its process; no thought is being thought."""
        self.agent.close()

    def _steps(self, limits: Limits) -> Iterator[tuple[str, int] | None]:
        """The efforts to be made, from small to large; None is the agent as it is."""
        key = self.grows
        own = self.options.get(key) if key is not None else None
        own = own if isinstance(own, int) and own > 0 else None
        timed = limits.infinite or limits.seconds is not None
        if key == "depth":
            most = limits.depth or (None if limits.infinite else own)
            yield from (("depth", depth) for depth in (itertools.count(1) if most is None else range(1, most + 1)))
        elif key == "simulations" and (own is not None or limits.nodes):
            most = limits.nodes or (None if limits.infinite else own)
            if timed:
                doubled = (1 << power for power in itertools.count(5))
                yield from (
                    ("simulations", n) for n in itertools.takewhile(lambda n: most is None or n < most, doubled)
                )
            if most is not None:
                yield "simulations", most
        else:
            yield None

    def _at(self, step: tuple[str, int] | None) -> str:
        """The contestant's string with this effort."""
        options = self.written if step is None else self.written | {step[0]: step[1]}
        if not options:
            return self._head
        written = "&".join(f"{key}={str(v).lower() if isinstance(v, bool) else v}" for key, v in options.items())
        return f"{self._head}?{written}"


def _split(contestant: str) -> tuple[str, dict[str, Value]]:
    """A contestant's string without its options, and these; kinds with a grammar of their own keep theirs."""
    head, _, written = contestant.partition("?")
    kind, colon, rest = head.partition(":")
    if not colon or Path(head).exists():
        return head, parse_options(written, contestant)
    if kind.replace("-", "_") in plugs(KINDS) and re.fullmatch(r"(\w+=[^=?]*)?", rest) and not written:
        options = parse_options(rest, contestant)
        if "path" not in options:
            return kind, options
    return contestant, {}


def _options(head: str) -> dict[str, Value | None]:
    """The options that an agent may be given, with their defaults."""
    kinds = summaries(KINDS, "make")
    folder = agent_folder(written_path(head)) is not None or head in shipped()
    nothing = Summary("", {})
    found = kinds["network"] if folder else kinds.get(head.replace("-", "_"), nothing)
    return dict(found.options)
