"""A real-time game on the page: a Vue component of one file that speaks with the game by a socket of its own."""

from __future__ import annotations

from typing import Any

from nicegui import ui


class Arcade(ui.element, component="arcade.js"):
    """The screen, its keys, what is said of the game. Nothing of it goes through NiceGUI once it is there."""

    def __init__(self, about: dict[str, Any]) -> None:
        """Show a game.

        Args:
            about: `socket`, the path of its socket; `title`; `players`, how each is called; `seats`, of each person
                the buttons as from `pads.keys_of`; `paced`, whether frames a second mean something;
                `speeds`, percent and words of each that can be chosen; `told`, whether the player is told what to do:
                what is put in this element then stands below that.
        """
        super().__init__()
        self._props["about"] = about
