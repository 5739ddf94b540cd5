"""The board on the page: a Vue component of one file, and the scene that it is given."""

from __future__ import annotations

from html import escape
from typing import Any

from nicegui import ui

from lanista.arena.play.saying import names
from lanista.arena.play.session import Session


class Board(ui.element, component="board.js"):
    """Shows a scene; emits `play` (action, key of the scene) and `reveal`."""

    def __init__(self) -> None:
        super().__init__()
        self._props["scene"] = {"svg": "", "moves": [], "live": False, "label": "", "text": "", "key": ""}

    def show(self, scene: dict[str, Any]) -> None:
        """Show another scene, if it is another one."""
        if self._props["scene"] != scene:
            self._props["scene"] = scene
            self.update()


def scene_of(session: Session, at: int, *, turned: bool, overlay: str = "", cover: str = "") -> dict[str, Any]:
    """What the board shows of a position.

    Args:
        session, at: the position.
        turned: from the second player's side.
        overlay: drawn over the picture.
        cover: what stands on the button that uncovers hidden hands; "" shows them.
    """
    movers = session.may_move(at)
    table = session.table
    table.go_to(session.tree.moves(at))
    viewer = session.viewer(at)
    if cover:
        viewer = -1  # a player who is not there sees what all see
    moves = table.moves_of(movers[0], turned) if movers and not cover else ()
    colours = table.colours()
    touching: list[tuple[int, str, Any]] = [(move.action, move.word, move.touches) for move in moves if move.touches]
    return {
        "svg": _named(_loose(table.picture(viewer, turned)), session),
        "moves": touching,
        "overlay": overlay,
        "live": bool(touching),
        "dots": len({tuple(move[2][0][:2]) for move in touching}) <= 24 and all(len(move[2]) == 1 for move in touching),
        "ghost": colours[movers[0]] if colours and movers and movers[0] < 2 else "#888",
        "label": f"Board of {session.spec.name}",
        "text": table.text(viewer),
        "key": f"{session.number}.{at}.{session.version}.{int(turned)}.{int(bool(cover))}",
        "cover": cover,
    }


def _named(svg: str, session: Session) -> str:
    """Pictures of hands call players by their numbers; here they have names."""
    if session.spec.perfect_information:
        return svg
    for player, name in enumerate(names(session)):
        shown = name if len(name) <= 12 else f"{name[:11]}…"
        svg = svg.replace(f">player {player}</text>", f">{escape(shown)}</text>")
    return svg


def _loose(svg: str) -> str:
    """A picture that fills whatever place it is given."""
    return svg.replace("<svg ", '<svg class="picture" ', 1)
