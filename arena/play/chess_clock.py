"""A clock for two or more, as on a chess player's table: seconds for the game and an increment a move."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lanista.agents.time_control import TimeControl
from lanista.errors import UsageError

LONGEST = 24 * 3600.0


def parse_control(text: str) -> TimeControl | None:
    """Read `5+3`: minutes for the game plus seconds a move; nothing, or `none`, is no clock.

    Raises:
        UsageError: it is written otherwise, or longer than a day.
    """
    word = text.strip().lower()
    if word in ("", "none"):
        return None
    found = re.fullmatch(r"(\d{1,4}(?:\.\d{1,3})?)(?:\+(\d{1,4}))?", word)
    seconds = float(found[1]) * 60 if found else 0.0
    if found is None or not 1 <= seconds <= LONGEST:
        raise UsageError(f"write a time control as minutes + seconds a move, such as 3+2, not '{text[:20]}'")
    return TimeControl(begin=seconds, increment=float(found[2] or 0))


@dataclass
class ChessClock:
    """What is left to whom.

    Attributes:
        control: how it was set.
        left: seconds of each player when their clock last stood.
        running: the player whose clock runs, or None.
        since: when it was started, on the caller's clock.
    """

    control: TimeControl
    left: list[float]
    running: int | None = None
    since: float = 0.0

    @classmethod
    def new(cls, control: TimeControl, players: int) -> ChessClock:
        """A clock on which nobody has used any time."""
        return cls(control, [control.begin] * players)

    def remaining(self, player: int, now: float) -> float:
        """Seconds left to a player; never below 0."""
        used = now - self.since if self.running == player else 0.0
        return max(0.0, self.left[player] - used)

    def start(self, player: int, now: float) -> None:
        """Let a player's clock run, and stop whichever ran."""
        self.stop(now)
        self.running, self.since = player, now

    def stop(self, now: float) -> None:
        """Stop the clock that runs, if one does."""
        if self.running is not None:
            self.left[self.running] = self.remaining(self.running, now)
        self.running = None

    def moved(self, player: int, now: float) -> float:
        """A player has moved: stop the clock, add the increment; give the seconds that the move took."""
        before = self.left[player]
        self.stop(now)
        took = before - self.left[player]
        self.left[player] += self.control.increment
        return took

    def flagged(self, now: float) -> int | None:
        """The player whose time is over."""
        if self.running is not None and self.remaining(self.running, now) <= 0:
            return self.running
        return None
