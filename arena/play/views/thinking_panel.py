"""See it think: an analyst's chances, moves, lines and heat map for the position that a view looks at."""

from __future__ import annotations

import asyncio
from html import escape
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.events import GenericEventArguments

from lanista.arena.play import saying
from lanista.arena.play.judging import Judged, can_be_judged, chance_of
from lanista.arena.play.mind import Thought
from lanista.arena.play.session import Seat
from lanista.arena.play.views.controls import Button, Rich, Select, numbers
from lanista.arena.play.views.drawing import BEST, arrow, graph, heat, table_rows

if TYPE_CHECKING:
    from lanista.arena.play.views.game_view import GameView

MOST_ROWS = 6


class ThinkingPanel:
    """The panel, and what the analyst said last."""

    def __init__(self, view: GameView) -> None:
        self.view, self.house, self.session = view, view.house, view.session
        self.on = False
        self.thought: tuple[int, Thought] | None = None  # position, what was said of it
        self._asking = False
        analysts = self.house.analyst_names(self.session)
        self.analyst = self.house.analysts.get(self.session.number, analysts[0][1] if analysts else "")
        with ui.element("div").classes("panel thinking") as self.panel:
            with ui.element("div").classes("thinking-head"):
                ui.label("See it think").classes("subheading")
                self.switch = Button("Analyse", self._switch)
                self.switch.press(False)
            with ui.element("div").classes("stack").style("gap: 10px") as self.inside:
                self.select = Select("Analyst", self._chosen)
                self.select.choose_from([(name, words) for words, name in analysts], self.analyst)
                self.chance = Rich()
                self.graph = Rich()
                self.graph.on("pick", self._picked)
                self.said = ui.label("").classes("faint").props('role="status"')
                self.rows = Rich()
                self.rows.on("pick", self._picked)
        self.inside.set_visibility(False)
        self.panel.set_visibility(bool(analysts))

    # --- switching

    def allowed(self) -> bool:
        """Whether thoughts may be shown: not in a strict game, nor of hands that the viewer does not hold."""
        session = self.session
        if session.rules.strict and not session.over:
            return False
        viewer = session.viewer(self.view.at)
        return viewer is None or (viewer in session.movers(self.view.at) and self.view.at == session.live)

    def turn_on(self) -> None:
        """Begin to analyse."""
        if not self.on and self.analyst:
            self._switch()

    def _switch(self) -> None:
        self.on = not self.on
        self.switch.press(self.on)
        self.inside.set_visibility(self.on)
        if self.on:
            self._begin()
        self.view.refresh()

    def _chosen(self, analyst: str) -> None:
        self.analyst, self.thought = analyst, None
        self._begin()
        self.view.refresh()

    def _begin(self) -> None:
        """Judge the whole line, and look at this position."""
        self.house.choose_analyst(self.session, self.analyst)
        self.look()
        if can_be_judged(self.session) and self.session.viewer(self.view.at) is None:
            self.house.soon(self._judge())

    async def _judge(self) -> None:
        await asyncio.sleep(0)  # what is looked at is asked about first
        trouble = await self.house.judge(self.session, self.view.at, self.view.refresh)
        if trouble:
            self.said.set_text(trouble)

    def look(self) -> None:
        """Ask about the position that the view looks at, if that is wanted and not known."""
        known = self.thought is not None and self.thought[0] == self.view.at
        if self.on and not known and not self._asking and self.allowed() and self.session.movers(self.view.at):
            self._asking = True
            self.house.soon(self._look())

    async def _look(self) -> None:
        try:
            at, analyst = self.view.at, self.analyst
            self.said.set_text("Thinking …")
            thought = await self.house.explain(self.session, at, analyst)
            if analyst == self.analyst:
                self.thought = (at, thought)
                self.said.set_text(f"{saying.short(analyst)}: {thought.failed}" if thought.failed else "")
                self.view.refresh()
        finally:
            self._asking = False
        if self.view.at != at or analyst != self.analyst:
            self.look()

    async def best_move(self, at: int) -> int | None:
        """The analyst's move, for a hint."""
        if not self.analyst or not self.allowed():
            return None
        thought = await self.house.explain(self.session, at, self.analyst)
        if thought.failed:
            self.view.say(f"{saying.short(self.analyst)}: {thought.failed}")
            return None
        return thought.action

    def seats_for(self, mover: int, opponent: Seat | None) -> tuple[Seat, ...]:
        """Seats of a game from here: a person moves first, against the agent of this game or the analyst."""
        other = opponent or Seat("agent", self.analyst)
        person = next((seat for seat in self.session.seats if seat.kind == "person"), Seat("person", "guest"))
        return tuple(person if place == mover else other for place in range(self.session.spec.players))

    # --- showing

    def overlay(self) -> str:
        """Heat and the best move over the board, if this position was thought about."""
        if not self.on or self.thought is None or self.thought[0] != self.view.at or not self.allowed():
            return ""
        thought = self.thought[1]
        if thought.failed:
            return ""
        if thought.policy:
            return heat(self.session, self.view.at, thought.policy, self.view.turned, thought.action)
        return arrow(self.session, self.view.at, thought.action, self.view.turned, BEST)

    def show(self, moves: list[Judged]) -> None:
        """Draw the panel."""
        self.switch.enable(self.on or self.allowed())
        if not self.on:
            return
        shown = self.allowed()
        judgeable = can_be_judged(self.session) and self.session.viewer(self.view.at) is None
        self.graph.set_visibility(judgeable and shown)
        self.chance.set_visibility(judgeable and shown)
        if judgeable and shown:
            self.graph.show(graph(self.session, self.view.at, moves))
            self.chance.show(self._chances())
        if not shown:
            self.said.set_text("Not while a strict game is on" if self.session.rules.strict else "At your own moves")
        mine = self.thought is not None and self.thought[0] == self.view.at and shown
        self.rows.show(self._rows(moves) if mine else self._better(moves))
        self.look()

    def _chances(self) -> str:
        chance = chance_of(self.session, self.session.tree[self.view.at])
        if chance is None:
            return ""
        one, other = (escape(name) for name in saying.names(self.session))
        first = f"{100 * chance:.0f}%"
        return (
            f'<div class="chance" role="img" aria-label="{one} expects {first} of the points, {other} the rest">'
            f'<span class="first" style="width:{100 * chance:.1f}%">{first if chance >= 0.12 else ""}</span>'
            f'<span class="second">{f"{100 - 100 * chance:.0f}%" if chance <= 0.88 else ""}</span></div>'
        )

    def _better(self, moves: list[Judged]) -> str:
        """What would have been better, of the move that led here."""
        found = next((move for move in moves if move.node.number == self.view.at and move.mark), None)
        if found is None or found.loss is None:
            return ""
        words = (
            f"{found.node.word}: {found.mark}, costs {100 * found.loss:.0f} % of the points; better was {found.better}"
        )
        return f'<p class="faint">{escape(words)}</p>'

    def _rows(self, moves: list[Judged]) -> str:
        assert self.thought is not None
        at, thought = self.thought
        table = self.session.table
        table.go_to(self.session.tree.moves(at))
        rows: list[tuple[str, float, str, str, int]] = []
        if thought.lines:
            for line in thought.lines[:MOST_ROWS]:
                words = " ".join(line.words[1:9])
                rows.append(
                    (line.words[0], line.chance, f"{100 * line.chance:.0f} %, {line.effort}", words, line.actions[0])
                )
        else:
            for action, share in thought.policy[:MOST_ROWS]:
                rows.append((table.print_move(action), share, f"{100 * share:.1f} %", "", action))
            if not rows and thought.action >= 0:
                chance = thought.chance
                said = "its move" if chance is None else f"its move, {100 * chance:.0f} %"
                rows.append((table.print_move(thought.action), chance or 0.0, said, "", thought.action))
        return self._better(moves) + (table_rows(rows) if rows else "")

    def _picked(self, event: GenericEventArguments) -> None:
        args = numbers(event, 2)
        if args is None:
            return
        if args[0] == "node":
            self.view.go_to(args[1])
        elif args[0] == "action":
            self.view.play(args[1])
