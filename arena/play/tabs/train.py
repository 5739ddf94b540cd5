"""Training from the page: the runs, and the form that begins one. What a run does is `lanista train`'s affair."""

from __future__ import annotations

import asyncio
import os
from html import escape

from nicegui import ui

from lanista.arena.play.house import House
from lanista.arena.play.roster import game_title, variants
from lanista.arena.play.runs import GOES_ON, RunStatus
from lanista.arena.play.training_order import AUTO, ENCODERS, Order
from lanista.arena.play.views.controls import Button, Choice, Field, Rich, Select, labelled
from lanista.arena.play.views.frame import frame
from lanista.arena.play.views.run_view import STATES, RunView, bar_html, best_words, clock, positive, run_address
from lanista.errors import UsageError
from lanista.plugs import plugs

TITLE, PATH, ORDER = "Train", "/train", 15
EVERY = 2.0  # seconds between looks at the folders
PATIENCE = 120.0  # seconds until a run that says nothing is watched on its own page
LENGTHS = (("minutes", "Minutes"), ("steps", "Steps"))
AMOUNTS = {"minutes": "10", "steps": "1_000_000"}
# Settings with a field of their own: name, what it is called.
SETTINGS = (("learning_rate", "Learning rate"), ("entropy_coefficient", "Entropy coefficient"))


def build(house: House) -> None:
    """Declare the pages."""

    @ui.page(PATH)
    def train(game: str = "") -> None:
        with frame("Train", PATH), ui.element("div").classes("lobby"):
            RunList(house)
            RunForm(house, game)

    @ui.page(PATH + "/{name}")
    async def run(name: str) -> None:
        status = await asyncio.to_thread(house.runs.status, name)
        with frame(name if status is not None else "No such run", PATH):
            if status is not None:
                RunView(house, name, status)
                return
            with ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"):
                ui.html("This run is not here", tag="h1", sanitize=False).classes("heading")
                ui.label(f"There is none of that name in the folder {house.runs.folder}.").classes("faint")
                ui.link("All runs", PATH).classes("button primary").style("align-self: flex-start")


class RunList:
    """The runs of the folder."""

    def __init__(self, house: House) -> None:
        self.house = house
        with ui.element("section").classes("stack").props('aria-label="Runs"'):
            with ui.element("div"):
                ui.html("Train an agent", tag="h1", sanitize=False).classes("heading")
                words = f"Runs in the folder {house.runs.folder}; each goes on when this page is closed."
                self.about = ui.label(words).classes("faint")
            with ui.element("div").classes("panel padded"):
                self.table = Rich('<p class="faint">Looking …</p>')
        ui.timer(EVERY, self._look)

    async def _look(self) -> None:
        try:
            found = await asyncio.to_thread(self.house.runs.overview)
        except OSError as error:
            self.about.set_text(f"The folder cannot be read: {error.strerror}")
            return
        self.table.show(runs_html(found))


class RunForm:
    """What a run is ordered with."""

    def __init__(self, house: House, game: str) -> None:
        self.house, self.client = house, ui.context.client
        self.names = [board for family in house.roster.games() for board in variants(family)]
        self.game = game if game in self.names else self.names[0]
        self.settings: dict[str, Field] = {}
        with ui.element("section").classes("panel setup").props('aria-label="A new run"'):
            ui.label("A new run").classes("setup-title").props('role="heading" aria-level="2"')
            self._fields()
            with ui.element("details").classes("more"):
                with ui.element("summary"):
                    ui.label("More settings")
                with ui.element("div").classes("stack").style("gap: 14px; margin-top: 12px"):
                    self._more_fields()
            self.error = ui.label("").classes("error").props('role="alert"')
            self.said = ui.label("").classes("faint").props('role="status"')
            self.start = Button("Train", self._begin, kind="primary large")
        ui.timer(0.1, self._show_defaults, once=True)

    def _fields(self) -> None:
        with labelled("Game"):
            self.select = Select("Game", self._chosen)
            self.select.choose_from([(name, game_title(name)) for name in self.names], self.game)
        with labelled("Another game"):
            self.other = Field("Another game", hint="gym:CartPole-v1, go:size=7, …")
        with labelled("How long"):
            self.length = Choice("How long", LENGTHS, "minutes", lambda value: self.amount.write(AMOUNTS[value]))
            self.amount = Field("Minutes or steps", value=AMOUNTS["minutes"])
        with labelled("Name"):
            self.name = Field("Name of the run", value=self._free_name())
        with labelled("Encoder"):
            self.encoder = Select("Encoder", lambda value: None)
            ids = [(name, name.replace("_", " ")) for name in plugs(ENCODERS)]
            self.encoder.choose_from([("", "The game's own"), (AUTO, "By what is seen"), *ids], "")

    def _more_fields(self) -> None:
        with ui.element("div").classes("two"):
            for name, words in SETTINGS:
                with labelled(words):
                    self.settings[name] = Field(words)
            with labelled("Runners"):
                self.runners = Select("Runners", lambda value: None)
                counts = range((os.cpu_count() or 1) + 1)
                self.runners.choose_from([(str(n), "None: one process" if not n else str(n)) for n in counts], "0")
            with labelled("Seed"):
                self.seed = Field("Seed", value="0")
        with labelled("Opponents, in a quarter of the games"):
            self.opponents = Field("Opponents", hint="minimax:depth=2 random")
        with labelled("Other settings"):
            self.line = Field("Other settings", hint="copies=256 gamma=0.99")

    def _free_name(self) -> str:
        plain = "".join(sign if sign.isascii() and sign.isalnum() else "_" for sign in self.game)[:48]
        return next(
            name for number in range(1, 10**6)
            if not (self.house.runs.folder / (name := plain if number == 1 else f"{plain}-{number}")).exists()
        )  # fmt: skip

    def _chosen(self, game: str) -> None:
        self.game = game
        self.other.write("")
        self.name.write(self._free_name())
        self.house.soon(self._show_defaults())

    async def _show_defaults(self) -> None:
        """Show what the game's preset sets, where nothing is written."""
        if self.house.settle is None:
            return
        try:
            found = await asyncio.to_thread(self.house.settle, self.game, (), {})
        except UsageError:
            return
        for name, field in self.settings.items():
            field.suggest(f"{found[name]:g}")

    # --- the run

    def _order(self) -> Order:
        """What is ordered.

        Raises:
            UsageError: a number is none.
        """
        amount = positive(self.amount.text, self.length.value)
        by_steps = self.length.value == "steps"
        changes: dict[str, object] = {"encoder": self.encoder.value} if self.encoder.value else {}
        for name, words in SETTINGS:
            if self.settings[name].text.strip():
                changes[name] = _number(self.settings[name].text, words)
        if self.opponents.text.strip():
            changes["opponents"] = " ".join(self.opponents.text.split())
        return Order(
            self.name.text.strip(), self.other.text.strip() or self.game, steps=int(amount) if by_steps else 0,
            minutes=0.0 if by_steps else amount, runners=int(self.runners.value),
            seed=int(_number(self.seed.text, "Seed")), changes=changes, line=self.line.text.strip(),
        )  # fmt: skip

    async def _begin(self) -> None:
        self.error.set_text("")
        self.start.enable(False)
        try:
            order = self._order()
            self.said.set_text("Starting …")
            await asyncio.to_thread(self.house.runs.begin, order)
            for _ in range(round(PATIENCE / 0.2)):
                if await asyncio.to_thread(self.house.runs.begun, order.name):
                    break
                await asyncio.sleep(0.2)
            with self.client:
                ui.navigate.to(run_address(order.name))
        except (UsageError, OSError) as error:
            self.error.set_text(str(error))
        finally:
            self.said.set_text("")
            self.start.enable(True)


def _number(text: str, what: str) -> float:
    try:
        value = float(text.strip())
    except ValueError:
        value = float("nan")
    if not 0 <= value < float("inf"):
        raise UsageError(f"{what} is a number from 0 on, not '{text.strip()[:20]}'")
    return value


def runs_html(found: list[RunStatus]) -> str:
    """The runs, with what each has reached."""
    if not found:
        return '<p class="faint">No runs yet. Begin one: it takes some minutes on most small games.</p>'
    rows = "".join(_run_row(each) for each in found)
    return (
        '<table class="sheet runs"><thead><tr><th>Run</th><th class="wide">Game</th><th>State</th><th>Done</th>'
        '<th class="number wide">Steps</th><th class="number wide">Steps/s</th><th class="number">Left</th>'
        f'<th class="wide">Best</th></tr></thead><tbody>{rows}</tbody></table>'
    )


def _run_row(status: RunStatus) -> str:
    record = status.record
    going = status.state in GOES_ON
    left = clock(status.seconds_left) if going and status.seconds_left is not None else ""
    speed = f"{record.steps_a_second:,.0f}" if going and record.steps_a_second else ""
    return (
        f'<tr><td><a href="{escape(run_address(status.name))}">{escape(status.name)}</a></td>'
        f'<td class="wide">{escape(game_title(record.about)) if status.state != "damaged" else ""}</td>'
        f'<td title="{escape(status.words)}"><span class="run-state {status.state}">'
        f'{STATES[status.state].partition(":")[0]}</span></td><td class="done">{bar_html(status)}</td>'
        f'<td class="number wide">{record.steps:,}</td><td class="number wide">{speed}</td>'
        f'<td class="number">{left}</td><td class="wide">{escape(", ".join(best_words(status)))}</td></tr>'
    )
