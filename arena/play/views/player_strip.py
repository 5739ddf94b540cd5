"""A player's line beside the board: colour, name, what they do, their clock."""

from __future__ import annotations

from nicegui import ui

from lanista.arena.play import saying
from lanista.arena.play.judging import Judged
from lanista.arena.play.session import Session


class PlayerStrip:
    """See the module."""

    def __init__(self, session: Session, player: int) -> None:
        self.session, self.player = session, player
        with ui.element("div").classes("strip") as self.line:
            colours = session.table.colours()
            if colours and player < 2:
                ui.element("span").classes("stone").style(f"background: {colours[player]}").props('aria-hidden="true"')
            else:
                ui.element("span").classes("stone").props('aria-hidden="true"')
            ui.label(saying.names(session)[player]).classes("strip-name")
            self.note = ui.label("").classes("strip-note")
            self.clock = ui.label("").classes("clock").props('role="timer"') if session.clock is not None else None

    def show(self, moves: list[Judged]) -> None:
        """Whether it is their move, and how well they played so far."""
        session = self.session
        moving = self.player in session.movers() and not (session.over and not session.rules.analysis)
        self.line.classes(add="moving" if moving else "", remove="" if moving else "moving")
        note = ""
        if session.over and not session.rules.analysis and session.result is not None:
            note = _points(session.result.returns[self.player])
        elif moving and session.seats[self.player].kind == "agent":
            note = "thinking"
        mine = [move for move in moves if self.player in move.node.players and move.loss is not None]
        if mine:
            lost = sum(max(0.0, move.loss or 0.0) for move in mine) / len(mine)
            note += f"{' · ' if note else ''}loses {100 * lost:.1f} % a move"
        self.note.set_text(note)

    def show_clock(self, now: float) -> None:
        """The time that is left."""
        clock = self.session.clock
        if clock is None or self.clock is None:
            return
        left = clock.remaining(self.player, now)
        words = f"{int(left) // 60}:{int(left) % 60:02d}" if left >= 20 else f"0:{left:04.1f}"
        if self.clock.text != words:
            self.clock.set_text(words)
            self.clock.classes(add="low" if left < 20 else "", remove="" if left < 20 else "low")


def _points(value: float) -> str:
    return f"{value:+g}" if value else "0"
