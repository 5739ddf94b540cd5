"""Analysis of any position: pasted as FEN, PGN, SGF or moves, read from a picture, or played out by hand."""

from __future__ import annotations

import asyncio

from fastapi import Request
from fastapi.responses import JSONResponse, PlainTextResponse, Response
from nicegui import app, ui

from lanista.arena.play.guard import MOST_PICTURE, PICTURES
from lanista.arena.play.house import House
from lanista.arena.play.pasting import read
from lanista.arena.play.roster import game_title, variants
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.table import Start, check_game
from lanista.arena.play.views.controls import Button, Field, Select, labelled
from lanista.arena.play.views.frame import frame
from lanista.arena.play.views.picture_desk import PictureDesk
from lanista.arena.play.views.placing import Placing
from lanista.errors import UsageError

TITLE, PATH, ORDER = "Analyse", "/analyse", 10
HINTS = {
    "chess": "A FEN, a PGN, or moves: e4 e5 Nf3",
    "go": "An SGF, or moves: Q16 D4 pass",
    "connect_four": "Moves: 4 4 3, or 443, or a position: 7/7/7/7/3o3/3xx2 o",
    "tictactoe": "Moves: b2 a1, or a position: x1o/3/1x1 o",
}
AT_ONCE, WAITING = 2, 12  # pictures that are read, and that may wait for it


def build(house: House) -> None:
    """Declare the page."""

    @ui.page(PATH)
    def analyse(game: str = "") -> None:
        with frame("Analyse", PATH):
            desk = Desk(house, game)
            PictureDesk(desk.analyse)

    reading, brought = asyncio.Semaphore(AT_ONCE), set[Request]()

    @app.post(PICTURES)
    async def picture(request: Request) -> Response:
        if len(brought) >= WAITING:
            return PlainTextResponse("too many pictures come at once; try again in a while", status_code=503)
        brought.add(request)
        try:
            return await read_picture(request)
        finally:
            brought.discard(request)

    async def read_picture(request: Request) -> Response:
        packed = bytearray()
        async for part in request.stream():  # which may be longer than its head says
            packed += part
            if len(packed) > MOST_PICTURE:
                return PlainTextResponse("a picture has at most 8 MB here", status_code=413)
        async with reading:
            try:
                found = await asyncio.to_thread(house.eye.read, bytes(packed))
            except UsageError as error:
                return PlainTextResponse(str(error), status_code=422)
        return JSONResponse(found.plain())


class Desk:
    """The form."""

    def __init__(self, house: House, game: str) -> None:
        self.house = house
        names = [board for family in house.roster.games() for board in variants(family)]
        with ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"):
            with ui.element("div"):
                ui.html("Analyse a position", tag="h1", sanitize=False).classes("heading")
                ui.html(
                    "Paste a position or a game, or leave it empty to begin at the start; then move for both sides.",
                    tag="p", sanitize=False,
                ).classes("faint")  # fmt: skip
            with labelled("Game"):
                self.game = Select("Game", self._chosen)
                first = game if game in names else "chess" if "chess" in names else names[0]
                self.game.choose_from([(name, game_title(name)) for name in names], first)
            with labelled("Position or moves"):
                self.text = Field("Position or moves", area=True)
            self.error = ui.label("").classes("error").props('role="alert"')
            with ui.element("div").classes("row"):
                Button("Set up", self._begin, kind="primary large")
            with ui.element("details").classes("more").mark("by-hand") as by_hand:
                with ui.element("summary"):
                    ui.label("Place pieces by hand")
                self.placing = Placing(self._placed)
            shown = self.placing.show
            by_hand.on("toggle", lambda event: shown(event.args is True), js_handler="(e) => emit(e.target.open)")
        self._chosen(self.game.value)

    def _chosen(self, game: str) -> None:
        family = game.partition(":")[0]
        self.text._props["placeholder"] = HINTS.get(family, "A list of moves, as the game writes them")
        self.text.update()
        self.placing.choose(game)

    async def _begin(self) -> None:
        await self.analyse(self.game.value, self.text.text)

    async def analyse(self, game: str, text: str) -> None:
        """Open the analysis of what a text says, or say what is wrong with it."""
        self.error.set_text("")
        try:
            self.house.roster.check_game(game)
            session = await asyncio.to_thread(analysis_of, text, game)
        except UsageError as error:
            self.error.set_text(str(error))
            return
        self.house.open(session)
        ui.navigate.to(f"/game/{session.number}")

    async def _placed(self, start: Start) -> None:
        """Begin at a position that was set up by hand."""
        try:
            session = await asyncio.to_thread(analysis_from, start, ())
        except UsageError as error:
            self.error.set_text(str(error))
            return
        self.house.open(session)
        ui.navigate.to(f"/game/{session.number}")


def analysis_of(text: str, game: str) -> Session:
    """A board to try things on, at the end of what was pasted.

    Raises:
        UsageError: it cannot be read.
    """
    return analysis_from(*read(text, game))


def analysis_from(start: Start, moves: tuple[int, ...]) -> Session:
    """A board to try things on, after some moves."""
    seats = tuple(Seat("person", f"player {place + 1}") for place in range(check_game(start.game).players))
    session = Session(start, seats, Rules(analysis=True), title="Analysis")
    session.replay(moves)
    session.opening, session.result = 0, None
    return session
