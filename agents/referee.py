"""Asks players for their moves by the clock, and ends games that need not be played out.

A referee stands before `envs.loop.ask_agent` where games are played by a time control or adjudicated; without one
nothing of this is there. Players in processes of their own measure themselves who is how slow, all rows of a turn at a
time; any other is asked row by row, so that each move has its own time.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from lanista.agents.adjudication import Adjudication, Adjudicator
from lanista.agents.host_time import STALLED, HostStalled, OwnWatch
from lanista.agents.time_control import Clocks, TimeControl
from lanista.envs.catalogue import make
from lanista.envs.core import Agent, Array, Choice, GameSpec, Ints, Turn
from lanista.envs.joined_choices import joined
from lanista.envs.loop import ask_agent
from lanista.errors import UsageError

OUT_OF_TIME = "time"  # the reason of who oversteps
WARM_UPS = 6  # so many moves, after which a network has taken its quicker form
WARM = np.array([[0.05, 0.0, 1.0, 0.05]], np.float32)  # the clock of a move that is made before any counts


class Referee:
    """For the copies of one game: its `ask` is given to `envs.loop.play`."""

    def __init__(
        self, spec: GameSpec, copies: int, control: TimeControl | None, adjudication: Adjudication | None
    ) -> None:
        """Know the rules; `begin` begins each game.

        Raises:
            UsageError: they do not fit the game.
        """
        self._clocks: Clocks | None = None
        if control is not None and control.timed:
            if spec.kind == "simultaneous":
                raise UsageError(f"clocks are for games in which one moves after the other, and {spec.name} is none")
            self._clocks = Clocks(control, copies, spec.players)
        self._adjudicator = None if adjudication is None else Adjudicator(adjudication, spec, copies)
        self._used: list[list[float]] = [[] for _ in range(copies)]  # seconds of each move of the game
        self._asked = np.zeros((copies, spec.players))  # when a row that waits was first asked; 0 for the others

    def begin(self, copies: Ints) -> None:
        """Begin new games."""
        if self._clocks is not None:
            self._clocks.begin(copies)
            self._asked[copies] = 0
            for copy in copies.tolist():
                self._used[copy] = []
        if self._adjudicator is not None:
            self._adjudicator.begin(copies)

    def seconds(self, copies: Ints) -> list[tuple[float, ...]] | None:
        """What each move of the games of some copies took; None where no clock runs."""
        return None if self._clocks is None else [tuple(self._used[copy]) for copy in copies.tolist()]

    def ask(self, agent: Agent, turn: Turn, rows: Ints, memory: Array | None, spec: GameSpec) -> Choice:
        """An agent's answer, as `envs.loop.ask_agent` gives it; what ends a game is in `failed`."""
        choice = (
            ask_agent(agent, turn, rows, memory, spec)
            if self._clocks is None
            else self._ask_by_clock(self._clocks, agent, turn, rows, memory, spec)
        )
        if self._adjudicator is not None:
            ends = self._adjudicator.rule(turn.take(rows), choice)
            if ends:
                return replace(choice, failed={**choice.failed, **ends})
        return choice

    def _ask_by_clock(
        self, clocks: Clocks, agent: Agent, turn: Turn, rows: Ints, memory: Array | None, spec: GameSpec
    ) -> Choice:
        shown = replace(turn, clock=clocks.shown(turn.copies, turn.players))
        if getattr(agent, "measures_time", False):
            watch = OwnWatch()
            choice = ask_agent(agent, shown, rows, memory, spec)
            # An answer that is refused as a whole says nothing of time any more.
            seconds = np.full(len(rows), watch.own() / len(rows)) if choice.seconds is None else choice.seconds
        else:
            parts, seconds = [], np.zeros(len(rows))
            for place in range(len(rows)):
                watch = OwnWatch()
                part = ask_agent(agent, shown, rows[place : place + 1], memory, spec)
                seconds[place] = own = watch.own()
                left = clocks.left(*self._seat(turn, rows[place])) + clocks.control.margin
                if own <= left < watch.elapsed():
                    part = replace(part, failed={0: STALLED})
                parts.append(part)
            choice = parts[0] if len(parts) == 1 else joined(parts)
        return replace(choice, failed={**choice.failed, **self._press(clocks, turn, rows, choice, seconds)})

    def _press(self, clocks: Clocks, turn: Turn, rows: Ints, choice: Choice, seconds: Array) -> dict[int, str]:
        """Stop the clocks of the rows that are answered; who has overstepped."""
        late = {}
        for place, row in enumerate(rows.tolist()):
            copy, player = self._seat(turn, row)
            used, now, asked = float(seconds[place]), time.monotonic(), float(self._asked[copy, player])
            if asked:
                used = now - asked
            if choice.waiting is not None and choice.waiting[place]:
                self._asked[copy, player] = asked or now - used
                if used <= clocks.left(copy, player) + clocks.control.margin:
                    continue
            self._asked[copy, player] = 0
            self._used[copy].append(round(used, 4))
            if isinstance(choice.failed.get(place), HostStalled):
                continue
            if not clocks.press(copy, player, used):
                late[place] = OUT_OF_TIME
        return late

    @staticmethod
    def _seat(turn: Turn, row: int) -> tuple[int, int]:
        return int(turn.copies[row]), int(turn.players[row])


def warm_up(game: str, agents: Sequence[Agent]) -> None:
    """Have Lanista's own players in this process make moves that do not count: what must be compiled is then.

    They are started for it, and must be started again.
    """
    for agent in agents:
        own = type(agent).__module__.startswith("lanista.")
        if not own or getattr(agent, "measures_time", False):
            continue
        table = make(game, 1, restart=False)
        table.reset(0)
        start = getattr(agent, "start", None)
        if start is not None:
            start(table.spec, 0)
        turn = replace(table.turn(), clock=np.repeat(WARM, len(table.turn()), axis=0))
        for _ in range(WARM_UPS):
            ask_agent(agent, turn, np.arange(len(turn)), None, table.spec)
        finish = getattr(agent, "finish", None)
        if finish is not None:
            finish(np.unique(turn.games))
