"""The page of one game: its board, its moves, what an analyst thinks. Its address is the game's."""

from __future__ import annotations

import asyncio
from html import escape

from fastapi.responses import HTMLResponse, PlainTextResponse, Response
from nicegui import app, ui

from lanista.arena.play.house import House
from lanista.arena.play.sharing import export, file_name, formats, frames
from lanista.arena.play.views.frame import frame
from lanista.arena.play.views.game_view import GameView
from lanista.errors import UsageError

TITLE, PATH, ORDER = "", "/game", 1
TYPES = {"json": "application/json", "pgn": "application/x-chess-pgn", "sgf": "application/x-go-sgf"}


def build(house: House) -> None:
    """Declare the page, and the files that a game can be had as."""

    @ui.page("/game/{number}")
    def game(number: str) -> None:
        session = house.session(number)
        if session is None:
            with (
                frame("No such game", ""),
                ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"),
            ):
                ui.html("This game is not here", tag="h1", sanitize=False).classes("heading")
                ui.html("It was forgotten, or its address is another one.", tag="p", sanitize=False).classes("faint")
                ui.link("A new game", "/").classes("button primary").style("align-self: flex-start")
            return
        with frame("Game", ""):
            GameView(house, session)

    @app.get("/game/{number}/file/{form}")
    async def file(number: str, form: str) -> Response:
        # A coroutine, since sessions are of the event loop; only what takes long goes to a thread.
        session = house.session(number)
        if session is None or form not in (*formats(session), "gif"):
            return HTMLResponse("<p>There is no such file.</p>", status_code=404)
        name = {"Content-Disposition": f'attachment; filename="{file_name(session, form)}"'}
        try:
            if form == "gif":
                if house.film is None:
                    raise UsageError("films need: pip install 'lanista[video]'")
                film = await asyncio.to_thread(house.film, frames(session))
                return Response(film, media_type="image/gif", headers=name)
            if session.viewer(session.live) is not None:
                raise UsageError("where hands are hidden the game can be had when it is over")
            return Response(export(session, form), media_type=f"{TYPES[form]}; charset=utf-8", headers=name)
        except UsageError as error:
            return PlainTextResponse(escape(str(error)), status_code=409)
