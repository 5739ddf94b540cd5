"""By what clock games are played, and when they end before their end: the words that commands share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from tyro.conf import arg

from lanista.agents.adjudication import adjudication_of
from lanista.agents.time_control import USUAL_MARGIN, parse_time_control


@dataclass(frozen=True, kw_only=True)
class RulesOfPlay:
    """Clocks and adjudication."""

    time_control: Annotated[str | None, arg(metavar="TC", help_behavior_hint="(default: as long as each likes)")] = None
    """How long players may think: move=0.1 (seconds a move), 60+0.6 (seconds and increment), 40/60 (moves in seconds),
    nodes=1000. Who oversteps loses; who needs longer because the machine stalled does not."""
    time_margin: Annotated[float, arg(metavar="S")] = USUAL_MARGIN
    """Seconds by which a move may overstep its time."""
    resign: Annotated[tuple[str, ...], arg(metavar="KEY=V ...", help_behavior_hint="(default: nobody gives up)")] = ()
    """Give up after movecount=3 moves in a row whose value is at most minus score=0.95 (above 1: centipawns), if the
    other side finds itself as far ahead; twosided=false asks the loser alone."""
    draw: Annotated[tuple[str, ...], arg(metavar="KEY=V ...", help_behavior_hint="(default: played out)")] = ()
    """Draw from movenumber=40 on, after movecount=8 moves of each in a row whose value is within score=0.03 of even."""
    max_plies: Annotated[int, arg(metavar="N", help_behavior_hint="(default: no such limit)")] = 0
    """Games that have so many plies are drawn."""

    def rules(self) -> dict[str, Any]:
        """`control` and `adjudication`, as `agents.match.play_games` takes them.

        Raises:
            UsageError: a word is none.
        """
        control = None if self.time_control is None else parse_time_control(self.time_control, self.time_margin)
        return {"control": control, "adjudication": adjudication_of(self.resign, self.draw, self.max_plies)}


@dataclass(frozen=True, kw_only=True)
class RulesWithBook(RulesOfPlay):
    """Clocks, adjudication, and how much of a book's openings is played."""

    book_plies: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: all)")] = None
    """Play only the first N plies of each opening of a book."""
