"""Real time: choose a game of the console or another that does not wait, play it by keyboard, or watch an agent."""

from __future__ import annotations

import asyncio

from nicegui import app, ui

from lanista.arena.play.arcade import hall
from lanista.arena.play.arcade.pads import Pad, keys_of, pad_of
from lanista.arena.play.arcade.players import check_real_time, offered, players_of, title
from lanista.arena.play.house import House
from lanista.arena.play.views.arcade import Arcade
from lanista.arena.play.views.controls import Button, Choice, Field, Select, labelled
from lanista.arena.play.views.frame import frame
from lanista.arena.play.views.instruction_desk import InstructionDesk
from lanista.envs.core import GameSpec
from lanista.errors import UsageError

TITLE, PATH, ORDER = "Arcade", "/real-time", 5
FAST = [(50, "Half speed"), (100, "Full speed")]
SLOW = [(25, "One a second"), (50, "2"), (100, "4"), (200, "8")]  # steps


def build(house: House) -> None:
    """Declare the pages, and the sockets of the games."""
    app.router.routes[:] = [each for each in app.router.routes if getattr(each, "path", "") != hall.PATH]
    app.router.routes.insert(0, house.hall.route())

    @ui.page(PATH)
    def real_time(game: str = "") -> None:
        with frame("Arcade", PATH):
            Chooser(house, game)

    @ui.page(f"{PATH}/{{number}}")
    async def cabinet(number: str) -> None:
        found = house.hall.cabinets.get(number)
        if found is None:
            with (
                frame("No such game", PATH),
                ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"),
            ):
                ui.html("This game is not here", tag="h1", sanitize=False).classes("heading")
                ui.html("The server has begun anew since, or its address is another one.", tag="p", sanitize=False)
                ui.link("Choose a game", PATH).classes("button primary").style("align-self: flex-start")
            return
        if not found.about:
            found.about = await asyncio.to_thread(_about, house, found)
        with frame(title(found.setting.game), PATH):
            arcade = Arcade(found.about)
            if found.about["told"]:
                with arcade:
                    InstructionDesk(house, found)


def _about(house: House, cabinet: hall.Cabinet) -> dict[str, object]:
    """What the browser must know of a game; see `Arcade`."""
    game, seats = cabinet.setting.game, cabinet.setting.seats
    spec = house.roster.check_game(game)
    pads: list[Pad] = [pad_of(game, spec, player) for player, name in enumerate(seats) if not name]
    people = sum(not name for name in seats)
    names = [name.rpartition("/")[2] if name else "you" if people == 1 else f"player {place + 1}"
             for place, name in enumerate(seats)]  # fmt: skip
    return {
        "socket": hall.PATH.replace("{number}", cabinet.number),
        "title": title(game),
        "players": names,
        "seats": [keys_of(pad, place, people) for place, pad in enumerate(pads)],
        "paced": not any(pad.waits for pad in pads),
        "speeds": SLOW if spec.instructed else FAST,
        "told": spec.instructed,
        "again": PATH,
    }


class Chooser:
    """The form: which game, and who plays."""

    def __init__(self, house: House, game: str) -> None:
        self.house = house
        self.games = dict(offered())
        self.agents: list[tuple[str, str]] = []
        self.game = ""
        self.spec: GameSpec | None = None
        self.mode = "person"
        self._choices = 0  # that were made so far
        self._tried = False  # the first of the games, where the one in the address cannot be had
        with ui.element("section").classes("panel padded stack narrow").style("margin: 0 auto"):
            with ui.element("div"):
                ui.html("Arcade", tag="h1", sanitize=False).classes("heading")
                ui.html(
                    "Games in real time: play them by keyboard, or watch an agent and where it looks.",
                    tag="p", sanitize=False,
                ).classes("faint")  # fmt: skip
            with ui.element("div").classes("two"):
                with labelled("Game"):
                    self.select = Select("Game", self._listed)
                with labelled("Another game"):
                    self.other = Field(
                        "Another game, then Enter", hint="gym:Acrobot-v1, atari:pong?full_action_space=true",
                        on_enter=self._other,
                    )  # fmt: skip
            self.about = ui.label("").classes("faint").props('role="status"')
            self.who = ui.element("div")
            with labelled("Agent") as self.agent_box:
                self.agent = Select("Agent", lambda value: None)
            self.error = ui.label("").classes("error").props('role="alert"')
            with ui.element("div").classes("row"):
                self.start = Button("Start", self._begin, kind="primary large")
        self.agent_box.set_visibility(False)
        self.start.enable(False)
        first = game if game in self.games else next(iter(self.games), "")
        self.select.choose_from(list(self.games.items()) or [("", "none is installed")], first)
        if first:
            ui.timer(0.0, lambda: self._chosen(game or first), once=True)
        else:
            self.error.set_text("Real-time games need: pip install 'lanista[atari]'")

    def _listed(self, game: str) -> None:
        ui.timer(0.0, lambda: self._chosen(game), once=True)

    async def _other(self, text: str) -> None:
        if text.strip():
            await self._chosen(text.strip())

    async def _chosen(self, game: str) -> None:
        """Use a game; in a thread, since it takes a moment to open. Whoever chooses another meanwhile gets that."""
        self._choices += 1
        choice = self._choices
        self.start.enable(False)
        self.error.set_text("")
        self.about.set_text("Opening the game …")
        try:
            spec = await asyncio.to_thread(self.house.roster.check_game, game)
            check_real_time(game, spec)
            agents = await asyncio.to_thread(players_of, self.house.roster, game, spec)
        except UsageError as error:
            if choice == self._choices:
                await self._refused(str(error))
            return
        if choice != self._choices:
            return
        self.game, self.spec, self.agents = game, spec, agents
        self.games.setdefault(game, title(game))
        self.select.choose_from(list(self.games.items()), game)
        self.about.set_text(self._words(spec))
        modes = [("person", "You"), ("watch", "An agent, watched")]
        if spec.players > 1:
            modes = [("person", "You and an agent"), ("people", "Two people"), ("watch", "Agents, watched")]
        if self.mode not in dict(modes):
            self.mode = "person"
        if spec.instructed and self.agents[0][0] != "random":
            self.mode = "watch"  # what is told is told to somebody
        self.who.clear()
        with self.who:
            Choice("Who plays", modes, self.mode, self._mode)
        self.agent.choose_from([(str(place), words) for place, (_, words) in enumerate(self.agents)], "0")
        self._mode(self.mode)
        self.start.enable(True)

    async def _refused(self, words: str) -> None:
        """Say why a game cannot be chosen, and stay with the one before, or the first there is."""
        if self.spec is None and self.games and not self._tried:
            self._tried = True
            await self._chosen(next(iter(self.games)))
        elif self.spec is not None:
            self.about.set_text(self._words(self.spec))
            self.select.choose_from(list(self.games.items()), self.game)
            self.start.enable(True)
        else:
            self.about.set_text("")
        self.error.set_text(words)

    @staticmethod
    def _words(spec: GameSpec) -> str:
        return f"{spec.description[:1].upper()}{spec.description[1:]}"

    def _mode(self, mode: str) -> None:
        self.mode = mode
        several = self.spec is not None and self.spec.players > (2 if mode == "people" else 1)
        self.agent_box.set_visibility(mode == "watch" or several)

    def _begin(self) -> None:
        if self.spec is None:
            return
        agent = self.agents[int(self.agent.value)][0]  # one of the list that the server made
        people = {"person": 1, "people": 2, "watch": 0}[self.mode]
        seats = [""] * people + [agent] * (self.spec.players - people)
        try:
            cabinet = self.house.hall.open(self.game, seats)
        except UsageError as error:
            self.error.set_text(str(error))
            return
        ui.navigate.to(f"{PATH}/{cabinet.number}")
