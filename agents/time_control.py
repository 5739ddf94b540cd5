"""Time controls as people write them, `60+0.6`, `40/60`, `move=0.1`, `nodes=1000`, and what they leave for a move."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np

from lanista.envs.core import Agent, Array, Floats, Turn
from lanista.errors import UsageError

EXAMPLES = "'move=0.1' (seconds a move), '60+0.6' (seconds, and for a move), '40/60' (moves in seconds), 'nodes=1000'"
USUAL_MARGIN = 0.05  # seconds: an answer's way through a pipe, and the granularity of what wakes us
KILLED_AFTER = 0.01  # seconds after its time on the clock is over, margin and all, a process is ended
MOVES_AHEAD = 25.0  # for so many moves what is left of a clock is to last, where nothing tells how many are left
RESERVE = 0.02  # seconds of a clock that are not planned with: the rest of Python needs some to answer
GREATEST = 10**7  # seconds


@dataclass(frozen=True)
class TimeControl:
    """How long players may think; 0 is no such limit.

    Attributes:
        begin: seconds that each has at the start of the game.
        increment: seconds that each of its moves brings.
        moves: after so many moves of its own it gets `begin` once more.
        move: seconds for each move; what is left of them is lost.
        nodes: for players that count them; the others play as they do without.
        margin: seconds by which a move may overstep without losing.
    """

    begin: float = 0.0
    increment: float = 0.0
    moves: int = 0
    move: float = 0.0
    nodes: int = 0
    margin: float = USUAL_MARGIN

    @property
    def timed(self) -> bool:
        """Whether a clock runs."""
        return self.begin > 0 or self.move > 0

    def __str__(self) -> str:
        """As it is written, without the margin."""
        words = []
        if self.move:
            words.append(f"move={self.move:g}")
        elif self.begin:
            moves = f"{self.moves}/" if self.moves else ""
            words.append(moves + f"{self.begin:g}" + (f"+{self.increment:g}" if self.increment else ""))
        if self.nodes:
            words.append(f"nodes={self.nodes}")
        return ",".join(words)


@runtime_checkable
class Timed(Protocol):
    """An agent that wants to know the time control of the games that come; None is none."""

    def play_under(self, control: TimeControl | None) -> None: ...


def parse_time_control(text: str, margin: float = USUAL_MARGIN) -> TimeControl:
    """Read `move=SECONDS`, `SECONDS+INCREMENT`, `MOVES/SECONDS+INCREMENT` or `nodes=N`, or one of these and nodes.

    Seconds may be written as minutes and seconds, `1:30+1`.

    Args:
        text: some of these words, separated by commas or spaces.
        margin: seconds by which a move may overstep.

    Raises:
        UsageError: it is no time control.
    """
    if not (0 <= margin <= GREATEST):
        raise UsageError(f"the margin of a time control is 0 seconds or more, not {margin:g}")
    control, clocks = TimeControl(margin=margin), 0
    for word in filter(None, re.split(r"[,\s]+", text.strip())):
        key, equals, value = word.partition("=")
        if equals and key == "nodes":
            if not value.isdecimal() or not 1 <= int(value) < 2**31:
                raise UsageError(f"nodes are a whole number of at least 1, not '{value}'")
            control = replace(control, nodes=int(value))
            continue
        clocks += 1
        control = _with_clock(control, word, key if equals else "", value)
    if clocks > 1 or not (control.timed or control.nodes):
        raise UsageError(f"'{text}' is no time control; write {EXAMPLES}")
    return control


def _with_clock(control: TimeControl, word: str, key: str, value: str) -> TimeControl:
    """A time control with the clock that a word tells."""
    written = re.fullmatch(r"(?:(\d+)/)?(?:(\d+):)?(\d*\.?\d+)(?:\+(\d*\.?\d+))?", value if key == "tc" else word)
    move = re.fullmatch(r"\d*\.?\d+", value) if key in ("move", "st") else None
    if move:
        found = replace(control, move=float(value))
    elif written:
        moves, minutes, seconds, increment = written.groups()
        begin = 60 * int(minutes or 0) + float(seconds)
        found = replace(control, begin=begin, increment=float(increment or 0), moves=int(moves or 0))
    else:
        raise UsageError(f"'{word}' is no time control; write {EXAMPLES}")
    if not 0 < found.begin + found.move <= GREATEST or found.increment > GREATEST:
        raise UsageError(f"'{word}' gives no time to think; a time control has seconds above 0, up to {GREATEST}")
    return found


def tell(agents: Sequence[Agent], control: TimeControl | None) -> None:
    """Tell the agents that want to know under which time control they play.

    Raises:
        UsageError: it is one of nodes alone, and none of them counts any.
    """
    told = [agent for agent in agents if isinstance(agent, Timed)]
    if control is not None and not control.timed and not any(getattr(agent, "counts_nodes", False) for agent in told):
        raise UsageError(
            f"'{control}': none of these players counts nodes (uci, minimax, mcts and agents that search do); give "
            "seconds"
        )
    for agent in told:
        agent.play_under(control)


class Clocks:
    """What each player's clock shows, in each copy of a game."""

    def __init__(self, control: TimeControl, copies: int, players: int) -> None:
        """Set none; `begin` does."""
        self.control = control
        self._left = np.zeros((copies, players))  # seconds
        self._moves = np.zeros((copies, players), np.int64)  # that each made

    def begin(self, copies: Array) -> None:
        """Set the clocks of new games."""
        self._left[copies] = self.control.move or self.control.begin
        self._moves[copies] = 0

    def shown(self, copies: Array, players: Array) -> Floats:
        """`Turn.clock` of these seats: (k, 4)."""
        control = self.control
        shown = np.zeros((len(copies), 4), np.float32)
        shown[:, 0] = self._left[copies, players]
        shown[:, 1] = control.increment
        if control.move:
            shown[:, 2] = 1
        elif control.moves:
            shown[:, 2] = control.moves - self._moves[copies, players] % control.moves
        if self._left.shape[1] == 2:
            shown[:, 3] = self._left[copies, 1 - players]
        return shown

    def left(self, copy: int, player: int) -> float:
        """Seconds that a player has."""
        return float(self._left[copy, player])

    def press(self, copy: int, player: int, used: float) -> bool:
        """A player has made a move; False if it has overstepped its time."""
        control = self.control
        left = self.left(copy, player) - used
        if left + control.margin < 0:
            return False
        self._moves[copy, player] += 1
        if control.move:
            return True
        left = max(0.0, left) + control.increment
        if control.moves and self._moves[copy, player] % control.moves == 0:
            left += control.begin
        self._left[copy, player] = left
        return True


def milliseconds_for(turn: Turn, most: float) -> float:
    """Milliseconds that a search may spend on each row: what the clock allots, but at most so many; 0 is no limit."""
    if turn.clock is None:
        return most
    allowed = 1000 * allotted(turn.clock)
    return min(most, allowed) if most else allowed


def allotted(clock: Floats) -> float:
    """Seconds that a search may spend on each of some rows, by their `Turn.clock`: (k, 4).

    Of a fixed time nearly all; of a clock what is left over the moves that are to be made, and most of the increment;
    never more than half of a clock that has to last. At least a millisecond.
    """
    left, increment, moves = (clock[:, column].astype(np.float64) for column in range(3))
    usable = np.maximum(0.0, left - RESERVE)
    ahead = np.where(moves > 0, moves, MOVES_AHEAD)
    share = usable / ahead + 0.75 * increment
    share = np.where(moves == 1, usable, np.minimum(share, usable / 2))
    return float(max(share.min(initial=math.inf), 0.001))
