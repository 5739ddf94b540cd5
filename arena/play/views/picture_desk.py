"""A position from a picture: what was read is shown as a board whose cells can be corrected, then analysed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nicegui import ui
from nicegui.events import GenericEventArguments

from lanista.arena.play.eyes import GAMES, SIDES, SURE, notation, to_move
from lanista.arena.play.guard import PICTURES
from lanista.arena.play.roster import game_title
from lanista.arena.play.views.controls import Button, Choice, Handler, numbers
from lanista.errors import UsageError

CONTENTS = ("empty", "first", "second")  # classes of cells


class PictureDrop(ui.element, component="picture.js"):
    """Takes a picture; emits `read` (game, cells, chances) when the server has read it."""

    def __init__(self) -> None:
        super().__init__()
        self._props["address"] = PICTURES


class PictureDesk:
    """See the module."""

    def __init__(self, analyse: Callable[[str, str], Any]) -> None:
        """Make it, without a position yet.

        Args:
            analyse: is called with a game and a position in its notation.
        """
        self._analyse = analyse
        self.game, self.cells, self.unsure = "", list[int](), set[int]()
        self.buttons = list[Button]()  # of the cells; each stays while it is corrected: clicks may follow fast
        self.mover, self.chosen = 1, 0
        with ui.element("section").classes("panel padded stack narrow").style("margin: 18px auto 0"):
            with ui.element("div"):
                ui.html("From a picture", tag="h2", sanitize=False).classes("subheading")
                ui.html(
                    "Of a Connect Four or tic-tac-toe board. It is read on this machine, and can be corrected. The red "
                    "side of a rack, or without one the darker, is shown red.",
                    tag="p", sanitize=False,
                ).classes("faint")  # fmt: skip
            self.drop = PictureDrop()
            self.drop.on("read", self._read)
            with ui.element("div").classes("stack") as self.inside:
                self.title = ui.label("").classes("subheading")
                self.board = ui.element("div").classes("read-board").props('role="group"')
                self.hint = ui.label("").classes("faint").props('role="status"')
                self.sides = ui.element("div")
                self.error = ui.label("").classes("error").props('role="alert"')
                with ui.element("div").classes("row"):
                    self.go = Button("Analyse", self._begin, kind="primary large")
        self.inside.set_visibility(False)

    def _read(self, event: GenericEventArguments) -> None:
        """A position as `Reading.plain` has it, by way of the browser: it may be anything."""
        args = numbers(event, 3)
        if args is None or [type(each) for each in args] != [str, list, list] or args[0] not in SIDES:
            return
        size = next(rows * columns for (rows, columns), name in GAMES.items() if name == args[0])
        good = all(type(cell) is int and 0 <= cell <= 2 for cell in args[1])
        sure = all(type(chance) in (int, float) and 0 <= chance <= 1.01 for chance in args[2])
        if not good or not sure or len(args[1]) != size or len(args[2]) != size:
            return
        self.game, self.cells, self.chosen = args[0], list(args[1]), 0
        self.unsure = {cell for cell, chance in enumerate(args[2]) if chance < SURE}
        self.inside.set_visibility(True)
        self._show()

    # --- showing

    def _show(self) -> None:
        """A position that was just read."""
        rows, columns = next(size for size, name in GAMES.items() if name == self.game)
        first, second = SIDES[self.game]
        self.title.set_text(game_title(self.game))
        self.board.clear()
        self.board._props["aria-label"] = f"The position that was read, {rows} rows of {columns} cells"
        self.board.style(f"grid-template-columns: repeat({columns}, minmax(0, 1fr))")
        self.board.classes(replace=f"read-board {self.game}")
        with self.board:
            self.buttons = [Button("", self._changer(cell)) for cell in range(len(self.cells))]
        for cell in range(len(self.cells)):
            self._show_cell(cell)
        self.sides.clear()
        with self.sides:
            choices = [("1", f"{first} to move"), ("2", f"{second} to move")]
            self.side = Choice("Who is to move", choices, "1", self._moves)
        self._judge()

    def _show_cell(self, cell: int) -> None:
        rows, columns = next(size for size, name in GAMES.items() if name == self.game)
        content, unsure, button = self.cells[cell], cell in self.unsure, self.buttons[cell]
        said = ("empty", *SIDES[self.game])[content]
        button.set_text(("", "X", "O")[content] if self.game == "tictactoe" else "")
        button.classes(replace=f"read-cell {CONTENTS[content]} {'unsure' if unsure else ''}")
        place = f"row {rows - cell // columns}, column {cell % columns + 1}"
        button.say(f"{place}: {said}{', unsure' if unsure else ''}")

    def _judge(self) -> None:
        """Whose move it is, what is unsure, and whether it can be."""
        self.mover = to_move(self.cells, self.chosen)
        self.side.choose(str(self.mover))
        unsure = len(self.unsure)
        words = "1 cell is unsure and has" if unsure == 1 else f"{unsure} cells are unsure and have"
        self.hint.set_text("Click a cell to change it." + (f" {words} a dashed edge." if unsure else ""))
        self._check()

    def _check(self) -> None:
        try:
            _, exchanged = notation(self.game, self.cells, self.mover)
        except UsageError as error:
            words = str(error)
            self.error.set_text(f"{words[:1].upper()}{words[1:]}.")
            self.go.enable(False)
            return
        self.error.set_text("")
        self.go.enable(True)
        if exchanged:
            first, second = SIDES[self.game]
            self.hint.set_text(f"{second} began: on the board of the analysis it has the colour of {first}.")

    # --- correcting

    def _changer(self, cell: int) -> Handler:
        def changed() -> None:
            self.cells[cell] = (self.cells[cell] + 1) % 3
            self.unsure.discard(cell)
            self._show_cell(cell)
            self._judge()

        return changed

    def _moves(self, side: str) -> None:
        self.chosen = self.mover = int(side)
        self._check()

    async def _begin(self) -> None:
        try:
            position, _ = notation(self.game, self.cells, self.mover)
        except UsageError as error:
            self.error.set_text(str(error))
            return
        await self._analyse(self.game, position)
