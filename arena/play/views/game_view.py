"""One tab's view of a session: where it looks, and everything that is drawn for it anew after a change."""

from __future__ import annotations

from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from lanista.arena.play import saying
from lanista.arena.play.house import House
from lanista.arena.play.judging import judged
from lanista.arena.play.move_tree import ROOT
from lanista.arena.play.roster import game_title
from lanista.arena.play.session import Session
from lanista.arena.play.sharing import formats
from lanista.arena.play.views.board import Board, scene_of
from lanista.arena.play.views.controls import Button, Field, Rich, numbers
from lanista.arena.play.views.drawing import HINT, arrow, move_list
from lanista.arena.play.views.frame import notice
from lanista.arena.play.views.move_buttons import MoveButtons
from lanista.arena.play.views.player_strip import PlayerStrip
from lanista.arena.play.views.thinking_panel import ThinkingPanel
from lanista.arena.play.views.voice_panel import VoicePanel
from lanista.errors import UsageError

HINT_AFTER = 30.0  # seconds of thinking, then the hint offers itself
KEYS = {"ArrowLeft": "back", "ArrowRight": "on", "Home": "first", "End": "last"}
_KEYS_SCRIPT = """
(e) => {
  const at = e.target;
  if (e.ctrlKey || e.metaKey || e.altKey || at.closest('input, textarea, select, [role=menu]')) return;
  if (['ArrowLeft', 'ArrowRight', 'Home', 'End'].includes(e.key)) { e.preventDefault(); emit(e.key); }
}
"""


class GameView:
    """See the module."""

    def __init__(self, house: House, session: Session) -> None:
        self.house, self.session = house, session
        self.at = self.newest = session.live
        persons = session.persons()
        self.turned = session.table.turnable and persons == (1,)
        self.uncovered: int | None = None  # the position at which hands were uncovered
        self.hint: tuple[int, int] | None = None  # position, action
        self.confirming = False
        self.client = ui.context.client
        with ui.element("div").classes("table"):
            with ui.element("section").classes("place").props('aria-label="Board"') as self.place:
                self._build_board()
            with ui.element("section").classes("side").props('aria-label="The game"'):
                self._build_side()
        if not session.table.colours():
            self.place.classes("wide")
        ui.on("lanista-key", self._key)
        ui.run_javascript(
            "document.addEventListener('keydown', (e) => { const emit = (k) => emitEvent('lanista-key', k);"
            f"({_KEYS_SCRIPT})(e); }})"
        )
        with self.speaking:
            self.voice = VoicePanel(self)
        stop = house.listen(session, self.changed)
        self.client.on_delete(stop)
        if session.clock is not None:
            ui.timer(0.25, self._show_clocks)
        self.waiting = (session.version, house.moment())
        ui.timer(5.0, self._nudge)
        self.refresh()
        if session.rules.analysis or session.restored:
            self.thinking.turn_on()

    # --- what there is

    def _build_board(self) -> None:
        self.strips: list[PlayerStrip] = []
        top, bottom = self._order()
        for player in top:
            self.strips.append(PlayerStrip(self.session, player))
        self.board = Board()
        self.board.on("play", self._board_played)
        self.board.on("reveal", self._reveal)
        for player in bottom:
            self.strips.append(PlayerStrip(self.session, player))
        self.actions = MoveButtons(self.play)
        with ui.element("div").classes("typing") as self.typing:
            Field("Type a move and press Enter", hint="Type a move and press Enter", on_enter=self._typed)
        self.speaking = ui.element("div")  # filled when all is there that can be told to it

    def _order(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The players shown above and below the board; whoever sits here is below."""
        players = tuple(range(self.session.spec.players))
        persons = self.session.persons()
        own = persons[0] if len(persons) == 1 else (1 if self.turned else 0)
        return tuple(player for player in players if player != own), (own,)

    def _build_side(self) -> None:
        session = self.session
        with ui.element("div").classes("panel status"):
            ui.label(" · ".join(filter(None, [session.title, game_title(session.spec.name)]))).classes("subheading")
            self.status = ui.label("").props('role="status" aria-live="polite"')
            with ui.element("div").classes("status-row") as self.result_row:
                self.rematch = Button("Rematch", self._rematch, kind="primary")
                Button("New game", lambda: ui.navigate.to("/"))
        with ui.element("div").classes("panel moves-panel"):
            self.moves = Rich(follow=True)
            self.moves.classes("moves").props('role="group" aria-label="Moves"')
            self.moves.on("pick", self._picked)
            with ui.element("div").classes("walk").props('role="group" aria-label="Step through the game"'):
                for icon, said, way in (
                    ("first_page", "To the start", "first"), ("chevron_left", "Back", "back"),
                    ("chevron_right", "On", "on"), ("last_page", "To the end", "last"),
                ):  # fmt: skip
                    Button("", self._walker(way), kind="quiet icon", icon=icon, said=said)
        self._build_tools()
        self.thinking = ThinkingPanel(self)
        with ui.element("div").classes("panel share"):
            ui.label("Share").classes("subheading")
            with ui.element("div").classes("share-row"):
                for form in (*formats(session), *(["gif"] if self.house.film is not None else [])):
                    ui.link(form.upper(), f"/game/{session.number}/file/{form}").classes("button").props("download")

    def _build_tools(self) -> None:
        session = self.session
        watched = not session.persons()
        with ui.element("div").classes("tools").props('role="group" aria-label="The game"'):
            self.back = Button("Take back", self.take_back)
            self.hinting = Button("Hint", self.ask_hint)
            self.resign = Button("Resign", self.resign_or_ask, kind="danger")
            self.draw = Button("Agree a draw", self.agree_draw)
            self.pause = Button("Pause", self._pause)
            self.step = Button("Step", self._step)
            self.flip = Button("Flip", self._flip)
            self.play_on = Button("Play on from here", self._play_on)
        self.flip.set_visibility(session.table.turnable)
        self.pause.set_visibility(watched)
        self.step.set_visibility(watched)

    # --- showing

    def changed(self) -> None:
        """The session has changed: follow it, if this view looked at its newest position."""
        if self.at == self.newest or self.at not in self.session.tree:
            self.at = self.session.live  # a takeback too is followed
        self.newest = self.session.live
        self.confirming = False
        self.refresh()

    def refresh(self) -> None:
        """Draw everything anew that has changed."""
        session = self.session
        end = session.tree.end(self.at)
        moves = judged(session, end)
        self._show_board()
        self.status.set_text(saying.status(session))
        self.moves.show(move_list(session, self.at, moves))
        self._show_tools()
        for strip in self.strips:
            strip.show(moves)
        self._show_clocks()
        self.thinking.show(moves)
        self.voice.show()

    def overlay(self) -> str:
        """What is drawn over the board: thoughts, and a hint."""
        drawn = self.thinking.overlay()
        if self.hint is not None and self.hint[0] == self.at:
            drawn += arrow(self.session, self.at, self.hint[1], self.turned, HINT)
        return drawn

    def _show_board(self) -> None:
        session = self.session
        cover = ""
        if session.shared_screen and self.uncovered != session.live:
            movers = session.movers()
            cover = f"Show the hand of {saying.names(session)[movers[0]]}" if movers else ""
        scene = scene_of(session, self.at, turned=self.turned, overlay=self.overlay(), cover=cover)
        self.board.show(scene)
        self._show_actions(bool(cover))

    def _show_actions(self, covered: bool) -> None:
        """Buttons for the moves that are not made on the picture."""
        movers = self.session.may_move(self.at)
        said: tuple[tuple[int, str], ...] = ()
        if movers and not covered:
            self.session.table.go_to(self.session.tree.moves(self.at))
            moves = self.session.table.moves_of(movers[0])
            said = tuple((move.action, move.word) for move in moves if not move.touches)
        self.actions.show(said)

    def _show_tools(self) -> None:
        session = self.session
        person = bool(session.persons())
        live = not session.over and not session.rules.analysis
        helping = not session.rules.strict or not live
        may = bool(session.may_move(self.at))
        self.result_row.set_visibility(session.over)
        self.rematch.set_visibility(not session.restored)
        self.back.set_visibility(
            (live or session.rules.analysis) and person and helping and session.spec.perfect_information
        )
        self.back.enable(session.live != ROOT)
        self.hinting.set_visibility(helping and person and live and bool(self.thinking.analyst))
        self.hinting.enable(may)
        self.resign.set_visibility(live and person and session.spec.players > 1)
        self.resign.set_text("Really resign?" if self.confirming else "Resign")
        self.pause.set_text("Go on" if session.paused else "Pause")
        self.pause.set_visibility(not person and live)
        self.step.set_visibility(not person and live)
        between_people = len(session.persons()) == session.spec.players == 2 and session.spec.perfect_information
        self.draw.set_visibility(between_people and live)
        self.typing.set_visibility(person or session.over)
        self.speaking.set_visibility(person or session.over)
        free = (session.over or session.rules.analysis) and session.spec.perfect_information
        self.play_on.set_visibility(bool(free and not session.tree[self.at].ended))

    def _nudge(self) -> None:
        """Point to the hint when somebody has thought for long."""
        session, now = self.session, self.house.moment()
        if self.waiting[0] != session.version:
            self.waiting = (session.version, now)
        long = now - self.waiting[1] > HINT_AFTER and not session.over and bool(session.may_move(self.at))
        self.hinting.classes(add="nudge" if long else "", remove="" if long else "nudge")

    def _show_clocks(self) -> None:
        for strip in self.strips:
            strip.show_clock(self.house.moment())

    # --- what a browser sends

    def _board_played(self, event: GenericEventArguments) -> None:
        args = numbers(event, 2)
        if args is None or args[1] != self.board._props["scene"]["key"]:
            return  # of a board that has changed since
        self.play(args[0])

    def _typed(self, text: str) -> None:
        self.session.table.go_to(self.session.tree.moves(self.at))
        try:
            self.play(self.session.table.parse_move(text))
        except UsageError as error:
            self.say(str(error))

    def play(self, action: Any) -> None:
        """Play a move at the position that is looked at."""
        session = self.session
        movers = session.may_move(self.at)
        try:
            if not movers:
                raise UsageError("it is not your move")
            node = session.play(self.at, movers[0], action, self.house.moment())
        except UsageError as error:
            self.say(str(error))
            self.house.changed(session)
            return
        self.at = node.number
        self.hint = None
        self.house.changed(session)
        if self.thinking.on:
            self.thinking.look()

    def _picked(self, event: GenericEventArguments) -> None:
        args = numbers(event, 2)
        if args is not None and args[0] == "node":
            self.go_to(args[1])

    def go_to(self, at: Any) -> None:
        """Look at another position."""
        if at in self.session.tree and at != self.at:
            self.at = at
            self.refresh()
            self.thinking.look()

    def walk(self, way: str) -> None:
        """Step through the line that is looked at."""
        tree = self.session.tree
        children = tree[self.at].children
        goal = {
            "first": ROOT, "back": tree[self.at].parent, "on": children[0] if children else None,
            "last": tree.end(self.at),
        }[way]  # fmt: skip
        if goal is not None:
            self.go_to(goal)

    def _walker(self, way: str) -> Any:
        return lambda: self.walk(way)

    def _key(self, event: GenericEventArguments) -> None:
        if isinstance(event.args, str) and event.args in KEYS:
            self.walk(KEYS[event.args])

    def _reveal(self) -> None:
        self.uncovered = self.session.live
        self._show_board()

    # --- buttons

    def _do(self, what: Any) -> None:
        try:
            what()
        except UsageError as error:
            self.say(str(error))
        self.house.changed(self.session)

    def take_back(self) -> None:
        """Take the last move of a person back."""
        self.at = self.session.live
        self._do(lambda: self.session.take_back(self.house.moment()))
        self.at = self.session.live
        self.refresh()
        self.thinking.look()

    def resign_or_ask(self) -> None:
        """Ask whether it is meant, and when asked again, resign."""
        if not self.confirming:
            self.confirming = True
            self._show_tools()
            return
        persons = self.session.persons()
        movers = [player for player in self.session.movers() if player in persons]
        self._do(lambda: self.session.resign(movers[0] if movers else persons[0]))

    def stop_confirming(self) -> None:
        """It was not meant."""
        self.confirming = False
        self._show_tools()

    def agree_draw(self) -> None:
        """Two people agree that it is a draw."""
        self._do(self.session.agree_draw)

    def _pause(self) -> None:
        self.session.paused = not self.session.paused
        self._do(lambda: None)

    def _step(self) -> None:
        self.house.soon(self.house.step_once(self.session))

    def _flip(self) -> None:
        self.turned = not self.turned
        self.refresh()

    def _rematch(self) -> None:
        session = self.house.open(self.session.rematch())
        ui.navigate.to(f"/game/{session.number}")

    def _play_on(self) -> None:
        """A game against the analyst from here: the person is whoever is to move."""
        session, at = self.session, self.at
        try:
            movers = session.movers(at)
            opponent = next((seat for seat in session.seats if seat.kind == "agent"), None)
            fresh = session.branch(at, self.thinking.seats_for(movers[0], opponent))
        except UsageError as error:
            self.say(str(error))
            return
        self.house.open(fresh)
        ui.navigate.to(f"/game/{fresh.number}")

    async def ask_hint(self) -> None:
        """Show and say what the analyst would play."""
        at = self.at
        found = await self.thinking.best_move(at)
        if found is not None and at == self.at:
            self.hint = (at, found)
            self.session.table.go_to(self.session.tree.moves(at))
            self.say(f"Hint: {self.session.table.print_move(found)}")
            self.refresh()

    def say(self, words: str) -> None:
        """Say something in this tab."""
        with self.client:
            notice(words[:1].upper() + words[1:])
