"""What an analyst makes of a session's moves: chances over the game, blunders, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lanista.arena.play.mind import Position, Thought
from lanista.arena.play.move_tree import ROOT, Node
from lanista.arena.play.session import Session

BLUNDER, MISTAKE, INACCURACY = 0.2, 0.12, 0.06  # of the mover's share of the points
Mark = Literal["", "inaccuracy", "mistake", "blunder"]
SIGNS: dict[Mark, str] = {"": "", "inaccuracy": "?!", "mistake": "?", "blunder": "??"}


@dataclass(frozen=True)
class Judged:
    """A move with what it cost.

    Attributes:
        node: the position after it.
        mark: how bad it was; "" if it was not, or if nobody knows.
        loss: of the mover's expected share of the points; None where an analyst has not been there.
        better: what the analyst would have played, in words; "" if that is what was played.
    """

    node: Node
    mark: Mark
    loss: float | None
    better: str


def can_be_judged(session: Session) -> bool:
    """Whether an analyst's values say how a game stands: two players, turn by turn, what one gets the other loses."""
    spec = session.spec
    bounded = bool(np.isfinite(spec.returns).all())
    return bool(spec.players == 2 and spec.kind == "turn-based" and spec.zero_sum and bounded)


def unjudged(session: Session, at: int) -> list[tuple[int, Position]]:
    """The positions of the line to and through a position that nobody has judged, each with the question to ask."""
    line = [session.tree[ROOT], *session.tree.line(session.tree.end(at))]
    return [
        (node.number, Position(session.start, session.tree.moves(node.number)))
        for node in line
        if node.chance is None and not node.ended
    ]


def write_down(session: Session, at: int, thought: Thought) -> None:
    """Keep what an analyst said of a position."""
    node = session.tree[at]
    if thought.failed or thought.chance is None:
        return
    node.chance = thought.chance if thought.player == 0 else 1.0 - thought.chance
    node.best = thought.action


def chance_of(session: Session, node: Node) -> float | None:
    """The first seat's expected share of the points at a position; where the game is over, what it got."""
    if node.ended and node.ended != "broken":
        least, greatest = session.spec.returns
        return float(np.clip((node.returns[0] - least) / (greatest - least), 0, 1))
    return node.chance


def forget(session: Session) -> None:
    """Drop all judgements, as for another analyst."""
    for node in session.tree.nodes:
        node.chance = node.best = None


def judged(session: Session, at: int) -> list[Judged]:
    """The moves that lead to a position, judged as far as an analyst was there."""
    found: list[Judged] = []
    if not can_be_judged(session):
        return [Judged(node, "", None, "") for node in session.tree.line(at)]
    for place, node in enumerate(session.tree.line(at)):
        assert node.parent is not None
        parent = session.tree[node.parent]
        before, after = chance_of(session, parent), chance_of(session, node)
        if before is None or after is None or place < session.opening:
            found.append(Judged(node, "", None, ""))
            continue
        loss = (before - after) * (1 if node.players[0] == 0 else -1)
        mark: Mark = ""
        if parent.best is not None and parent.best != node.actions[0]:
            mark = "blunder" if loss >= BLUNDER else "mistake" if loss >= MISTAKE else ""
            mark = mark or ("inaccuracy" if loss >= INACCURACY else "")
        found.append(Judged(node, mark, loss, _words(session, parent) if mark else ""))
    return found


def _words(session: Session, node: Node) -> str:
    """The analyst's move at a position in words."""
    if node.best is None:
        return ""
    session.table.go_to(session.tree.moves(node.number))
    return session.table.print_move(node.best)
