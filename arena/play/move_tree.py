"""A game and its variations: a tree of what was played, with what an analyst said of each position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

ROOT = 0


@dataclass
class Node:
    """A position by what led to it.

    Attributes:
        number: its place in the tree.
        parent: the position before; None at the root.
        players, actions: who moved to come here, and what: one each, more where seats move at once.
        word: the moves as the field writes them.
        returns: each player's sum of rewards until here.
        ended: how the game ended here, in the words of `Played.reason` ("end"); "" while it goes on.
        seconds: how long the mover thought; None where nobody looked at a clock.
        chance: the first seat's expected share of the points from here, in [0, 1], as the analyst sees it.
        best: what the analyst would play here.
        children: the positions after it, the first one first.
    """

    number: int
    parent: int | None
    players: tuple[int, ...] = ()
    actions: tuple[Any, ...] = ()
    word: str = ""
    returns: tuple[float, ...] = ()
    ended: str = ""
    seconds: float | None = None
    chance: float | None = None
    best: int | None = None
    children: list[int] = field(default_factory=list)


class MoveTree:
    """Positions by number; the root is 0."""

    def __init__(self, players: int) -> None:
        self.nodes: list[Node] = [Node(ROOT, None, returns=(0.0,) * players)]

    def __len__(self) -> int:
        return len(self.nodes)

    def __getitem__(self, number: int) -> Node:
        return self.nodes[number]

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < len(self.nodes)

    def child(self, number: int, actions: Sequence[Any]) -> Node | None:
        """The position after these actions, if it was reached before."""
        wanted = tuple(actions)
        return next((self[each] for each in self[number].children if self[each].actions == wanted), None)

    def add(self, parent: int, node: Node) -> Node:
        """Put a position after another; it gets the next number."""
        node.number, node.parent = len(self.nodes), parent
        self.nodes.append(node)
        self[parent].children.append(node.number)
        return node

    def line(self, number: int) -> list[Node]:
        """The positions from the root to one, the root left out."""
        found: list[Node] = []
        at: int | None = number
        while at is not None and at != ROOT:
            found.append(self[at])
            at = self[at].parent
        return found[::-1]

    def moves(self, number: int) -> tuple[Any, ...]:
        """All actions from the root to a position."""
        return tuple(action for node in self.line(number) for action in node.actions)

    def end(self, number: int) -> int:
        """The last position of the line that goes on from one by the first moves."""
        while self[number].children:
            number = self[number].children[0]
        return number

    def promote(self, number: int) -> None:
        """Make the line to a position the first one at every turning."""
        while (parent := self[number].parent) is not None:
            siblings = self[parent].children
            siblings.remove(number)
            siblings.insert(0, number)
            number = parent

    def depth(self, number: int) -> int:
        """How many rounds lead to a position."""
        return len(self.line(number))
