"""The first page: choose a game, an opponent, a seat and a clock."""

from __future__ import annotations

import asyncio
import re
from urllib.parse import unquote

import numpy as np
from nicegui import ui

from lanista.arena.play.chess_clock import parse_control
from lanista.arena.play.house import House
from lanista.arena.play.roster import Opponent, game_title, variants
from lanista.arena.play.session import Rules, Seat, Session
from lanista.arena.play.table import Start
from lanista.arena.play.views.controls import Button, Choice, Field, Select, labelled
from lanista.arena.play.views.frame import frame
from lanista.envs.core import GameSpec
from lanista.errors import UsageError

TITLE, PATH, ORDER = "Play", "/", 0
OTHER = "other"
CLOCKS = (("none", "No clock"), ("1+0", "1 min"), ("3+2", "3 min + 2 s"), ("5+0", "5 min"), ("10+5", "10 min + 5 s"),
          ("30+0", "30 min"))  # fmt: skip
PACES = (
    ("0", "As fast as they can"),
    ("0.5", "Half a second a move"),
    ("1", "One second a move"),
    ("3", "Three seconds"),
)
NAME = re.compile(r"[\w .'-]{1,24}")
_KEEP_NAME = """(e) => { document.cookie = 'lanista_name=' + encodeURIComponent(e.target.value.slice(0, 24)) +
  '; path=/; max-age=31536000; SameSite=Strict'; }"""


def build(house: House) -> None:
    """Declare the page."""

    @ui.page("/")
    async def new_game(game: str = "", against: str = "") -> None:
        spec, trouble = None, ""
        if game and game not in house.roster.games():
            try:
                spec = await asyncio.to_thread(house.roster.check_game, game)  # through a door it takes a moment
            except UsageError as error:
                trouble = str(error)
        with frame("", PATH):
            lobby = Lobby(house, game, against)
            if spec is not None:
                lobby.use_other(game.strip(), spec)
            lobby.error.set_text(trouble)


class Lobby:
    """The form, and what has been chosen so far."""

    def __init__(self, house: House, game: str, against: str = "") -> None:
        self.house, self.against = house, against
        self.games = house.roster.games()
        self.family = game if game in self.games else self.games[0]
        self.game, self.mode, self.seat, self.strict = self.family, "agent", "first", False
        self.spec: GameSpec = house.roster.check_game(self.game)
        self.opponents: tuple[Opponent, ...] = ()
        with ui.element("div").classes("lobby"):
            with ui.element("section"):
                ui.html("Play a game", tag="h1", sanitize=False).classes("heading")
                ui.html("Choose a game; everything runs on this machine.", tag="p", sanitize=False).classes("faint")
                self.tiles: dict[str, Button] = {}
                self.pictures: dict[str, ui.html] = {}
                with ui.element("div").classes("games"):
                    for name in self.games:
                        self._tile(name)
                with ui.element("div").classes("another"), labelled("Another game or board"):
                    self.other = Field(
                        "Another game or board, then Enter", hint="go:size=7, zoo:classic/connect_four_v3, …",
                        on_enter=self._other_chosen,
                    )  # fmt: skip
            with ui.element("section").classes("panel setup").props('aria-label="Settings of the game"'):
                self._form()
        self._chosen(self.family)
        self.timer = ui.timer(0.5, self._show_pictures)

    def _show_pictures(self) -> None:
        """Show the pictures that have been made since."""
        for name, picture in self.pictures.items():
            if not picture.content:
                picture.set_content(self.house.thumbnails.of(name))
        if all(picture.content for picture in self.pictures.values()):
            self.timer.cancel()

    def _tile(self, name: str) -> None:
        tile = Button("", lambda: self._chosen(name), kind="")
        tile.classes(replace="game")
        with tile:
            picture = ui.html(self.house.thumbnails.of(name), sanitize=False).classes("game-picture")
            picture.props('aria-hidden="true"')
            self.pictures[name] = picture
            ui.label(game_title(name)).classes("game-name")
        self.tiles[name] = tile

    def _form(self) -> None:
        self.title = ui.label("").classes("setup-title").props('role="heading" aria-level="2"')
        self.about = ui.label("").classes("faint")
        with labelled("Board") as self.board_box:
            self.board = Select("Board", self._board_chosen)
        self.mode_choice = Choice(
            "Who plays", (("agent", "An agent"), ("people", "People"), ("watch", "Watch")), "agent", self._mode_chosen
        )
        with ui.element("div").classes("stack").style("gap: 14px") as self.agents_box:
            self.pickers = [_Picker("Opponent"), _Picker("Second player")]
        with labelled("Your seat") as self.seat_box:
            Choice(
                "Your seat",
                (("first", "First"), ("random", "Random"), ("second", "Second")),
                "first",
                self._seat_chosen,
            )
        with ui.element("div").classes("two"):
            with labelled("Clock") as self.clock_box:
                self.clock = Select("Clock", lambda value: None)
                self.clock.choose_from(CLOCKS, "none")
            with labelled("Pace") as self.pace_box:
                self.pace = Select("Pace", lambda value: None)
                self.pace.choose_from(PACES, "1")
            with labelled("Your name") as self.name_box:
                name = ui.context.client.request.cookies.get("lanista_name", "")
                self.name = Field("Your name", value=_plain_name(name) or "guest")
                self.name.on("change", js_handler=_KEEP_NAME)
        with ui.element("label").classes("tick") as self.strict_box:
            tick = ui.element("input").props('type="checkbox"')
            tick.on(
                "change",
                lambda event: self._strict_chosen(event.args is True),
                js_handler="(e) => emit(e.target.checked)",
            )
            ui.label("Strict: no takebacks, hints or analysis")
        self.error = ui.label("").classes("error").props('role="alert"')
        self.start = Button("Play", self._begin, kind="primary large")

    # --- what is chosen

    def _chosen(self, family: str) -> None:
        self.family = family
        for name, tile in self.tiles.items():
            tile.press(name == family)
        boards = variants(family)
        self.board.choose_from([(name, game_title(name)) for name in boards], boards[0])
        self.board_box.set_visibility(len(boards) > 1)
        self._board_chosen(boards[0])

    def _board_chosen(self, game: str) -> None:
        try:
            self._use(game, self.house.roster.check_game(game))
        except UsageError as error:
            self.error.set_text(str(error))

    def _use(self, game: str, spec: GameSpec) -> None:
        """Set everything for a game that has been checked."""
        self.game, self.spec = game, spec
        self.error.set_text("")
        self.title.set_text(game_title(game))
        self.about.set_text(self.spec.description[:1].upper() + self.spec.description[1:])
        self.opponents = self.house.roster.opponents(game, self.spec)
        wished = self._wished()
        if wished is not None:
            self.opponents = (wished, *(each for each in self.opponents if each != wished))
        for picker in self.pickers:
            picker.offer(self.opponents)
        # Where one plays alone, whoever wished for an agent wants to see it play.
        self._mode_chosen("watch" if wished is not None and spec.players == 1 else self.mode)

    def _wished(self) -> Opponent | None:
        """Whom the page's address names, if it is somebody who may be met."""
        for opponent in self.opponents:
            if any(strength.contestant == self.against for strength in opponent.strengths):
                return opponent
        return self.house.roster.checkpoint(self.against, self.spec)

    async def _other_chosen(self, text: str) -> None:
        """A game by its string: through a door it takes a moment to open."""
        if not text.strip():
            return
        try:
            spec = await asyncio.to_thread(self.house.roster.check_game, text)
        except UsageError as error:
            self.error.set_text(str(error))
            return
        self.use_other(text.strip(), spec)

    def use_other(self, game: str, spec: GameSpec) -> None:
        """Choose a game that is not among the tiles, and has been checked."""
        self.board.choose_from([(game, game_title(game))], game)
        self.board_box.set_visibility(False)
        for tile in self.tiles.values():
            tile.press(False)
        self._use(game, spec)

    def _mode_chosen(self, mode: str) -> None:
        self.mode = mode
        alone = self.spec.players == 1
        self.mode_choice.set_visibility(not alone)
        self.agents_box.set_visibility(mode != "people" and not (alone and mode == "agent"))
        self.pickers[0].rename("First player" if mode == "watch" else "Opponent")
        self.pickers[1].box.set_visibility(mode == "watch" and not alone)
        self.seat_box.set_visibility(mode == "agent" and not alone)
        self.clock_box.set_visibility(mode != "watch" and self.spec.kind == "turn-based")
        self.pace_box.set_visibility(mode == "watch")
        self.name_box.set_visibility(mode != "watch")
        self.strict_box.set_visibility(mode == "agent")

    def _seat_chosen(self, seat: str) -> None:
        self.seat = seat

    def _strict_chosen(self, strict: bool) -> None:
        self.strict = strict

    # --- the game

    async def _begin(self) -> None:
        self.error.set_text("")
        try:
            rules = Rules(
                strict=self.strict and self.mode == "agent",
                control=parse_control(self.clock.value)
                if self.mode != "watch" and self.spec.kind == "turn-based"
                else None,
                pace=float(self.pace.value),
            )
            seed = int(np.random.SeedSequence().generate_state(1)[0])
            seats = self._seats()
            self.start.enable(False)
            # In a thread: the first game of its kind waits for a compiler.
            session = await asyncio.to_thread(Session, Start(self.game, seed), seats, rules)
        except UsageError as error:
            self.error.set_text(str(error))
            return
        finally:
            self.start.enable(True)
        self.house.open(session)
        ui.navigate.to(f"/game/{session.number}")

    def _seats(self) -> tuple[Seat, ...]:
        """Who sits where.

        Raises:
            UsageError: a name that is none, or an agent that may not be named.
        """
        players = self.spec.players
        name = _plain_name(self.name.text)
        if not name and self.mode != "watch":
            raise UsageError("a name has 1 to 24 letters, digits, spaces, dots or hyphens")
        if self.mode == "people":
            return tuple(Seat("person", name if place == 0 else f"guest {place + 1}") for place in range(players))
        agents = (
            [
                Seat("agent", self.house.roster.check_contestant(picker.contestant(), self.game, self.spec))
                for picker in self.pickers[: 2 if self.mode == "watch" else 1]
            ]
            if not (players == 1 and self.mode == "agent")
            else []
        )
        if self.mode == "watch":
            return tuple(agents[place % 2] for place in range(players))
        mine = {"first": 0, "second": min(1, players - 1)}.get(self.seat)
        if mine is None:
            mine = int(np.random.default_rng().integers(players))
        return tuple(Seat("person", name) if place == mine else agents[0] for place in range(players))


class _Picker:
    """The choice of an agent and of its strength."""

    def __init__(self, words: str) -> None:
        self._opponents: tuple[Opponent, ...] = ()
        with ui.element("div").classes("labelled") as self.box:
            self._words = ui.label(words).classes("label")
            self._who = Select(words, self._chosen)
            self._about = ui.label("").classes("faint")
            self._strength = Select("Strength", lambda value: None)
            self._typed = Field("A player as text", hint="minimax:depth=4")

    def rename(self, words: str) -> None:
        """Say who is chosen here."""
        self._words.set_text(words)
        self._who._props["aria-label"] = words
        self._who.update()

    def offer(self, opponents: tuple[Opponent, ...]) -> None:
        """Offer other opponents."""
        self._opponents = opponents
        choices = [(str(place), each.title) for place, each in enumerate(opponents)]
        self._who.choose_from([*choices, (OTHER, "Written as text …")], choices[0][0] if choices else OTHER)
        self._chosen(self._who.value)

    def _chosen(self, value: str) -> None:
        other = value == OTHER
        self._typed.set_visibility(other)
        self._strength.set_visibility(not other)
        if other:
            self._about.set_text("A search with its options, or a listed player with options")
            return
        opponent = self._opponents[int(value)]
        self._about.set_text(opponent.about[:1].upper() + opponent.about[1:])
        strengths = [
            (str(place), each.label[:1].upper() + each.label[1:]) for place, each in enumerate(opponent.strengths)
        ]
        self._strength.choose_from(strengths, "0")
        self._strength.set_visibility(len(strengths) > 1)

    def contestant(self) -> str:
        """The contestant's string; what was typed is not checked here."""
        if self._who.value == OTHER:
            return self._typed.text
        return self._opponents[int(self._who.value)].strengths[int(self._strength.value)].contestant


def _plain_name(text: str) -> str:
    """A name as it may be stored; "" if it is none."""
    name = " ".join(unquote(text).split())
    return name if NAME.fullmatch(name) else ""
