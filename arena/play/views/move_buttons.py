"""The moves that are named, not touched: a button for each; where there are many, first a button for each group."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nicegui import ui

from lanista.arena.play.views.controls import Button

MOST_AT_ONCE = 40
CHUNK = 24  # moves of a group where their names make none

Named = tuple[int, str]  # action, its word


def groups_of(moves: Sequence[Named]) -> list[tuple[str, list[Named]]]:
    """Moves by the letter that they begin with, if that parts them well; else by their order.

    Returns:
        What each group is called, and its moves; one group without a name where they are few.
    """
    if len(moves) <= MOST_AT_ONCE:
        return [("", list(moves))]
    by_letter: dict[str, list[Named]] = {}
    for move in moves:
        by_letter.setdefault(move[1][:1], []).append(move)
    if all(name.isalpha() for name in by_letter) and max(map(len, by_letter.values())) <= MOST_AT_ONCE:
        return [(each[0][1] if len(each) == 1 else f"{name} …", each) for name, each in sorted(by_letter.items())]
    chunks = [list(moves[at : at + CHUNK]) for at in range(0, len(moves), CHUNK)]
    return [(f"{each[0][1]} to {each[-1][1]}", each) for each in chunks]


class MoveButtons:
    """See the module."""

    def __init__(self, play: Callable[[int], Any]) -> None:
        """Make it, without moves.

        Args:
            play: called with the action that was chosen.
        """
        self._play = play
        self._shown: tuple[Named, ...] = ()
        self.box = ui.element("div").classes("actions").props('role="group" aria-label="Moves"')

    def show(self, moves: tuple[Named, ...]) -> None:
        """Offer other moves, if they are other ones."""
        if moves == self._shown:
            return
        self._shown = moves
        self.box.clear()
        groups = groups_of(moves)
        with self.box:
            if len(groups) == 1:
                self._fill(groups[0][1])
                return
            heads: list[Button] = []
            with ui.element("div").classes("actions").props('role="group" aria-label="Groups of moves"'):
                for place, (name, each) in enumerate(groups):
                    heads.append(Button(name, self._opener(place, each, heads)))
            self._opened = ui.element("div").classes("actions").props('role="group" aria-label="Moves of the group"')

    def _opener(self, place: int, moves: list[Named], heads: list[Button]) -> Callable[[], None]:
        def opened() -> None:
            if len(moves) == 1:
                self._play(moves[0][0])
                return
            for other, head in enumerate(heads):
                head.press(other == place)
            self._opened.clear()
            with self._opened:
                self._fill(moves)

        return opened

    def _fill(self, moves: Sequence[Named]) -> None:
        for action, word in moves:
            Button(word[:1].upper() + word[1:] if word.isalpha() else word, self._player_of(action))

    def _player_of(self, action: int) -> Callable[[], Any]:
        return lambda: self._play(action)
