"""A position set up by hand: choose a piece, touch the cells where it stands; the game's rules say what is wrong."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from nicegui import background_tasks, ui
from nicegui.events import GenericEventArguments

from lanista.arena.play.table import Start, Table
from lanista.arena.play.views.controls import Button, Choice, labelled, numbers
from lanista.envs.boards import disc
from lanista.envs.catalogue import native_rules
from lanista.envs.rules import Rules
from lanista.envs.surface import Piece
from lanista.errors import UsageError

EMPTY = ""
SIDES = ("First", "Second")
CASTLING = (("K", "White, short"), ("Q", "White, long"), ("k", "Black, short"), ("q", "Black, long"))
KINDS = ("chess", "othello", "hex", "go", "connect_four")  # boards that are drawn in a way of their own


def written_rows(text: str) -> list[list[str]]:
    """The cells of a position's text, row by row: the sign of what stands there, or `EMPTY`."""
    board = re.sub(r"\d+", lambda number: "." * int(number[0]), text.split()[0])
    return [[EMPTY if sign == "." else sign for sign in row] for row in board.split("/")]


def written(rows: list[list[str]], rest: str) -> str:
    """The text of a position: the reverse, with what stands after the board."""
    lines = ("".join(sign or "." for sign in row) for row in rows)
    counted = (re.sub(r"\.+", lambda empty: str(len(empty[0])), line) for line in lines)
    return f"{'/'.join(counted)} {rest}"


def pieces_of(rules: Rules) -> tuple[Piece, ...]:
    """What can be placed on a game's board."""
    assert rules.surface is not None
    if rules.surface.pieces is not None:
        return rules.surface.pieces()
    named = ("stone of the first player", "stone of the second player")
    return tuple(
        Piece(sign, name, disc(20, 20, 16, colour))
        for sign, name, colour in zip("xo", named, rules.surface.colours, strict=True)
    )


class PlacingBoard(ui.element, component="placing.js"):
    """Shows cells; emits `place` (cell)."""

    def __init__(self) -> None:
        super().__init__()
        self._props["board"] = {"columns": 1, "kind": "", "cells": []}

    def show(self, board: dict[str, Any]) -> None:
        """Show another board, if it is another one."""
        if self._props["board"] != board:
            self._props["board"] = board
            self.update()


class Placing:
    """The board, the palette, who is to move; see the module."""

    def __init__(self, begin: Callable[[Start], Any]) -> None:
        """Make it, for no game yet.

        Args:
            begin: called with where an analysis is to begin.
        """
        self._begin = begin
        self.open = False
        self.rules: Rules | None = None
        self.game = ""
        self.rows: list[list[str]] = []
        self.chosen, self.mover, self.rights = EMPTY, "", ""
        self.pieces: dict[str, Piece] = {}
        self.nothing = ui.label("").classes("faint")
        with ui.element("div").classes("stack").style("gap: 12px") as self.box:
            self.palette = ui.element("div").classes("palette").props('role="group" aria-label="What is placed"')
            self.buttons: dict[str, Button] = {}
            self.board = PlacingBoard()
            self.board.on("place", self._placed)
            with ui.element("div").classes("row"):
                Button("Empty board", self._clear)
                Button("Start position", self._start)
            with labelled("To move"):
                self.sides = ui.element("div")
            with labelled("May castle") as self.castling, ui.element("div").classes("row"):
                self.castles = {sign: Button(words, self._castle(sign)) for sign, words in CASTLING}
            self.said = ui.label("").props('role="status" aria-live="polite"')
            with ui.element("div").classes("row"):
                self.ready = Button("Set up this position", self._done, kind="primary large")

    @property
    def text(self) -> str:
        """The position as the game writes it."""
        rest = self.mover
        if self.game == "chess":
            rest += f" {''.join(sign for sign, _ in CASTLING if sign in self.rights) or '-'} - 0 1"
        return written(self.rows, rest)

    async def show(self, open_: bool) -> None:
        """Show it, or do so no more; nothing is made for who does not look."""
        self.open = open_
        if open_ and not self.rows:
            await self._use_game()

    def choose(self, game: str) -> None:
        """Place pieces of a game from now on."""
        self.game, self.rows = game, []
        if self.open:
            background_tasks.create(self._use_game())

    async def _use_game(self) -> None:
        game = self.game
        try:
            rules = native_rules(game)
        except UsageError:
            rules = None
        can = rules is not None and None not in (rules.parse_position, rules.print_position, rules.surface)
        self.rules = rules if can else None
        self.box.set_visibility(can)
        self.nothing.set_text("" if can else "This game has no notation for positions: write its moves instead.")
        if not can or rules is None:
            return
        self.pieces = {piece.sign: piece for piece in pieces_of(rules)}
        self._show_palette()
        signs = {"w": "White", "b": "Black"} if game == "chess" else dict(zip(self.pieces, SIDES, strict=True))
        self.mover, self.rights = next(iter(signs)), "KQkq" if game == "chess" else ""
        self.sides.clear()
        with self.sides:
            Choice("Who is to move", list(signs.items()), self.mover, self._moves)
        self.castling.set_visibility(game == "chess")
        await self._start()

    def _show_palette(self) -> None:
        self.palette.clear()
        self.buttons = {}
        with self.palette:
            for piece in self.pieces.values():
                button = self.buttons[piece.sign] = Button("", self._choose(piece.sign), kind="piece", said=piece.name)
                with button:
                    ui.html(
                        f'<svg viewBox="0 0 40 40" aria-hidden="true">{piece.drawing}</svg>', tag="span", sanitize=False
                    )
            self.buttons[EMPTY] = Button("Erase", self._choose(EMPTY))
        self._choose(next(iter(self.pieces)))()

    # --- what is touched

    def _choose(self, sign: str) -> Callable[[], None]:
        def chosen() -> None:
            self.chosen = sign
            for each, button in self.buttons.items():
                button.press(each == sign)

        return chosen

    def _placed(self, event: GenericEventArguments) -> None:
        args = numbers(event, 1)
        cell = args[0] if args else None
        if type(cell) is not int or not self.rows or not 0 <= cell < len(self.rows) * len(self.rows[0]):
            return
        row, column = divmod(cell, len(self.rows[0]))
        # The same piece again takes it away.
        self.rows[row][column] = EMPTY if self.rows[row][column] == self.chosen else self.chosen
        self._changed()

    def _clear(self) -> None:
        self.rows = [[EMPTY for _ in row] for row in self.rows]
        self._changed()

    async def _start(self) -> None:
        game = self.game
        rows = await asyncio.to_thread(start_rows, game)  # a compiler may have to be waited for
        if game == self.game:
            self.rows = rows
            await self._show()

    def _moves(self, mover: str) -> None:
        self.mover = mover
        self._changed()

    def _castle(self, sign: str) -> Callable[[], None]:
        def switched() -> None:
            self.rights = self.rights.replace(sign, "") if sign in self.rights else self.rights + sign
            self._changed()

        return switched

    # --- what is shown

    def _changed(self) -> None:
        background_tasks.create(self._show())

    async def _show(self) -> None:
        family = self.game.partition(":")[0]
        wide, high = len(self.rows[0]), len(self.rows)
        names = cell_names(family, high, wide)
        cells = []
        for at, name in enumerate(names):
            piece = self.pieces.get(self.rows[at // wide][at % wide])
            cells.append([name, piece.name if piece else "empty", piece.drawing if piece else ""])
        self.board.show({"columns": wide, "kind": family if family in KINDS else "plain", "cells": cells})
        for sign, button in self.castles.items():
            button.press(sign in self.rights)
        assert self.rules is not None
        text = self.text
        fine, said = await asyncio.to_thread(judged, self.rules, text)
        if text != self.text:  # it was changed meanwhile, and is judged anew
            return
        self.said.set_text(f"It can be played on: {said}" if fine else said[:1].upper() + said[1:])
        self.said.classes(replace="faint" if fine else "error")
        self.ready.enable(fine)

    async def _done(self) -> None:
        if self.rules is not None and (await asyncio.to_thread(judged, self.rules, self.text))[0]:
            await self._begin(Start(self.game, 0, self.text))


def judged(rules: Rules, text: str) -> tuple[bool, str]:
    """Whether a position can be played on; then as the game writes it, else what its rules say is wrong."""
    assert rules.parse_position is not None and rules.print_position is not None
    try:
        return True, rules.print_position(rules.parse_position(text))
    except ValueError as error:
        return False, str(error)


def start_rows(game: str) -> list[list[str]]:
    """The cells of a game's start."""
    text = Table(Start(game, 0)).notation()
    assert text is not None
    return written_rows(text)


def cell_names(family: str, rows: int, columns: int) -> list[str]:
    """What each cell is called, row by row from the top, as the game's moves call it."""
    letters = "ABCDEFGHJKLMNOPQRSTUVWXYZ" if family == "go" else "abcdefghijklmnopqrstuvwxyz"
    from_top = family in ("othello", "hex")
    return [
        f"{letters[column]}{row + 1 if from_top else rows - row}" for row in range(rows) for column in range(columns)
    ]
