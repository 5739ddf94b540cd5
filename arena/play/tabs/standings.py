"""Tournaments and people's own games: the table, a plot of the ratings, every game to step through. It is live."""

from __future__ import annotations

import asyncio
from html import escape
from pathlib import Path

from nicegui import app, ui
from nicegui.events import GenericEventArguments
from starlette.responses import FileResponse, PlainTextResponse, Response

from lanista.arena.entrants import PERSON
from lanista.arena.play.house import House
from lanista.arena.play.keeping import reopened
from lanista.arena.play.roster import game_title
from lanista.arena.play.saying import short
from lanista.arena.play.session import Session
from lanista.arena.play.tournament_data import GameLine, StoreView, stores
from lanista.arena.play.views.controls import Button, Rich, Select, numbers
from lanista.arena.play.views.frame import frame, notice
from lanista.arena.standings import Row, Table
from lanista.errors import UsageError

TITLE, PATH, ORDER = "Standings", "/standings", 20
EVERY = 2.0  # seconds between looks at the file
PAGE = 25  # games of one list


def build(house: House) -> None:
    """Declare the page, and the report that it links to."""

    @ui.page(PATH)
    def standings() -> None:
        with frame("Standings", PATH):
            Sheet(house)

    @app.get("/standings/report/{number}")
    async def report(number: int) -> Response:
        known = stores(house.db, house.keeper.folder)
        if not 0 <= number < len(known):
            return PlainTextResponse("there is no such store", status_code=404)
        out = house.keeper.folder / f"report-{number}.html"
        try:
            await asyncio.to_thread(_write_report, known[number], out)
        except UsageError as error:
            return PlainTextResponse(str(error), status_code=409)
        return FileResponse(out, media_type="text/html")


def _write_report(store: StoreView, out: Path) -> None:
    from lanista.arena.report import write_report
    from lanista.arena.store import Store

    out.parent.mkdir(parents=True, exist_ok=True)
    with Store(store.path, write=False) as opened:
        write_report(opened, out)


class Sheet:
    """The view of one store."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.stores = stores(house.db, house.keeper.folder)
        self.client = ui.context.client
        self.shown = -1
        self.first = 0
        self.lines: tuple[GameLine, ...] = ()
        if not self.stores:
            with ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"):
                ui.html("No games yet", tag="h1", sanitize=False).classes("heading")
                ui.html(
                    "Play a game to its end, or begin the page with the store of a tournament: "
                    "<code>lanista play --db t.sqlite</code>", tag="p", sanitize=False,
                ).classes("faint")  # fmt: skip
            return
        self.store = self.stores[0]
        with ui.element("div").classes("stack"):
            with ui.element("div").classes("row apart"):
                with ui.element("div"):
                    ui.html("Standings", tag="h1", sanitize=False).classes("heading")
                    self.about = ui.label("").classes("faint").props('role="status"')
                with ui.element("div").classes("row"):
                    select = Select("Store", self._chosen)
                    select.choose_from([(str(at), each.title) for at, each in enumerate(self.stores)], "0")
                    select.set_visibility(len(self.stores) > 1)
                    self.report = ui.link("Full report", "/standings/report/0", new_tab=True).classes("button")
            with ui.element("section").classes("panel padded").props('aria-label="Table"'):
                self.table = Rich()
            with ui.element("section").classes("panel padded stack").props('aria-label="Games"'):
                ui.label("Games").classes("subheading")
                self.games = Rich()
                self.games.on("pick", self._picked)
                with ui.element("div").classes("row"):
                    self.newer = Button("Newer", lambda: self._page(-PAGE))
                    self.older = Button("Older", lambda: self._page(PAGE))
        ui.timer(EVERY, self._look)

    async def _look(self) -> None:
        store = self.store
        try:
            count, table, lines = await asyncio.to_thread(store.refresh)
        except (UsageError, OSError) as error:
            self.about.set_text(str(error))
            return
        if store is not self.store or count == self.shown:
            return
        self.shown, self.lines = count, lines
        game = game_title(table.game) if table is not None else ""
        done = "" if table is None or table.complete else " · still being played" if store.path == self.house.db else ""
        self.about.set_text(f"{game} · {count} games{done}")
        self.table.show(table_html(table) if table is not None else '<p class="faint">No games yet.</p>')
        self._show_games()

    def _chosen(self, value: str) -> None:
        self.store, self.shown, self.first = self.stores[int(value)], -1, 0
        self.report._props["href"] = f"/standings/report/{value}"
        self.report.update()
        self.house.soon(self._look())

    def _page(self, by: int) -> None:
        self.first = max(0, min(self.first + by, len(self.lines) - 1))
        self._show_games()

    def _show_games(self) -> None:
        self.games.show(games_html(self.lines[self.first : self.first + PAGE]))
        self.newer.enable(self.first > 0)
        self.older.enable(self.first + PAGE < len(self.lines))

    async def _picked(self, event: GenericEventArguments) -> None:
        args = numbers(event, 2)
        if args is None or not isinstance(args[1], int):
            return
        try:
            session = await asyncio.to_thread(_opened, self.store, args[1])
        except UsageError as error:
            with self.client:
                notice(str(error))
            return
        self.house.open(session)
        ui.navigate.to(f"/game/{session.number}")


def _opened(store: StoreView, number: int) -> Session:
    """A game of a store, to step through."""
    game, stored = store.game(number)
    return reopened(game, number, stored)


def table_html(table: Table) -> str:
    """The standings, with each rating's interval drawn."""
    low = min((row.low for row in table.rows), default=0.0)
    high = max((row.high for row in table.rows), default=1.0)
    span = max(high - low, 1.0)
    rows = "".join(_row_html(row, low, span) for row in table.rows)
    return (
        '<table class="sheet"><thead><tr><th class="number">#</th><th>Player</th><th class="number">Elo</th>'
        '<th class="wide">95 % interval</th><th class="number">Score</th><th class="number wide">W / D / L</th>'
        f'<th class="number">Games</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _row_html(row: Row, low: float, span: float) -> str:
    left, right, at = (2 + 196 * (value - low) / span for value in (row.low, row.high, row.elo))
    said = f"{row.low:+.0f} to {row.high:+.0f}"
    interval = (
        f'<svg viewBox="0 0 200 18" preserveAspectRatio="none" role="img" aria-label="{said}">'
        f'<line x1="{left:.1f}" x2="{right:.1f}" y1="9" y2="9" stroke="var(--line)" stroke-width="6"/>'
        f'<line x1="{at - 1.5:.1f}" x2="{at + 1.5:.1f}" y1="9" y2="9" stroke="var(--accent)" stroke-width="14"/></svg>'
    )
    return (
        f'<tr><td class="number">{row.rank}</td><td title="{escape(row.name)}">{_name(row.name)}</td>'
        f'<td class="number">{row.elo:+.0f}</td><td class="interval wide">{interval}</td>'
        f'<td class="number">{100 * row.score:.0f} %</td>'
        f'<td class="number wide">{row.wins} / {row.draws} / {row.losses}</td>'
        f'<td class="number">{row.games}</td></tr>'
    )


def _name(name: str) -> str:
    if name.startswith(PERSON):
        return f"{escape(name.removeprefix(PERSON))} <span class='faint'>(person)</span>"
    return escape(short(name))


def games_html(lines: tuple[GameLine, ...]) -> str:
    """Games to be opened."""
    if not lines:
        return '<p class="faint">No games yet.</p>'
    rows = []
    for line in lines:
        points = {1.0: "1 : 0", 0.5: "½ : ½", 0.0: "0 : 1"}.get(line.points, f"{line.points:g}")
        rows.append(
            f'<tr><td><button type="button" class="move" data-node="{line.number}" '
            f'aria-label="Open game {line.number}">{line.number}</button></td>'
            f'<td>{" : ".join(_name(name) for name in line.players)}</td><td class="number">{points}</td>'
            f'<td class="number wide">{line.plies}</td><td class="wide">{escape(line.reason)}</td></tr>'
        )
    return (
        '<table class="sheet"><thead><tr><th>Game</th><th>Players</th><th class="number">Result</th>'
        '<th class="number wide">Plies</th><th class="wide">End</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
