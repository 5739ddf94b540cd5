"""What the page draws itself, as SVG and HTML texts: heat over a board, arrows, the graph of chances, the move list."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from lanista.arena.play.judging import SIGNS, Judged, chance_of
from lanista.arena.play.move_tree import ROOT, MoveTree
from lanista.arena.play.session import Session

HEAT, BEST, HINT = "#12908e", "#2f74c0", "#e0a100"
FAINT = 0.02  # a policy's share that is not drawn any more
WIDE, HIGH = 320.0, 96.0  # of the graph


def heat(session: Session, at: int, policy: Sequence[tuple[int, float]], turned: bool, best: int) -> str:
    """A policy over the board: the last cell that each move touches is the darker the likelier it is.

    Moves from cell to cell have an arrow for the best one too, since several may end on one cell.
    """
    session.table.go_to(session.tree.moves(at))
    shares: dict[tuple[float, float, float], float] = {}
    for action, share in policy:
        touches = session.table.touches(action, turned)
        if touches:
            x, y, size = touches[-1][:3]
            shares[x, y, size] = shares.get((x, y, size), 0.0) + share
    top = max(shares.values(), default=1.0)
    parts = []
    for (x, y, size), share in shares.items():
        if share < FAINT:
            continue
        side = size * 0.92
        strength = 0.18 + 0.6 * share / top
        parts.append(
            f'<rect class="heat" x="{x - side / 2:.1f}" y="{y - side / 2:.1f}" width="{side:.1f}" height="{side:.1f}" '
            f'rx="{size * 0.16:.1f}" fill="{HEAT}" opacity="{strength:.2f}"/>'
        )
        parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size * 0.3:.1f}" fill="#fff" stroke="#0b3b3a" '
            f'stroke-width="{size * 0.05:.2f}" paint-order="stroke" font-weight="600" text-anchor="middle" '
            f'dominant-baseline="central">{100 * share:.0f}</text>'
        )
    if len(session.table.touches(best, turned)) > 1:
        parts.append(arrow(session, at, best, turned, BEST))
    return "".join(parts)


def arrow(session: Session, at: int, action: int, turned: bool, colour: str) -> str:
    """A move on the board: an arrow from cell to cell, or a ring on one."""
    session.table.go_to(session.tree.moves(at))
    touches = session.table.touches(action, turned)
    if not touches:
        return ""
    x, y, size = touches[-1][:3]
    if len(touches) == 1:
        return (
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size * 0.36:.1f}" fill="none" stroke="{colour}" '
            f'stroke-width="{size * 0.1:.1f}" opacity="0.95"/>'
        )
    x1, y1 = touches[0][:2]
    dx, dy = x - x1, y - y1
    far = max((dx * dx + dy * dy) ** 0.5, 0.1)
    ux, uy = dx / far, dy / far
    tip, back, wide = size * 0.1, size * 0.42, size * 0.24
    bx, by = x - ux * back, y - uy * back
    return (
        f'<g opacity="0.85"><line x1="{x1 + ux * size * 0.3:.1f}" y1="{y1 + uy * size * 0.3:.1f}" x2="{bx:.1f}" '
        f'y2="{by:.1f}" stroke="{colour}" stroke-width="{size * 0.16:.1f}" stroke-linecap="round"/>'
        f'<polygon points="{x - ux * tip:.1f},{y - uy * tip:.1f} {bx - uy * wide:.1f},{by + ux * wide:.1f} '
        f'{bx + uy * wide:.1f},{by - ux * wide:.1f}" fill="{colour}"/></g>'
    )


def graph(session: Session, at: int, moves: Sequence[Judged]) -> str:
    """The first player's chances over the line through a position; what is judged bad has a dot, and can be clicked."""
    nodes = [session.tree[ROOT], *(move.node for move in moves)]
    count = max(len(nodes) - 1, 1)

    def x(place: int) -> float:
        return place * WIDE / count

    points = [(x(place), HIGH * (1 - chance), node.number) for place, node in enumerate(nodes)
              if (chance := chance_of(session, node)) is not None]  # fmt: skip
    parts = [f'<line x1="0" y1="{HIGH / 2}" x2="{WIDE}" y2="{HIGH / 2}" class="graph-middle"/>']
    if len(points) > 1:
        line = " ".join(f"{px:.1f},{py:.1f}" for px, py, _ in points)
        parts.append(
            f'<polygon points="{points[0][0]:.1f},{HIGH} {line} {points[-1][0]:.1f},{HIGH}" class="graph-area"/>'
        )
        parts.append(f'<polyline points="{line}" class="graph-line"/>')
    for place, move in enumerate(moves, 1):
        chance = chance_of(session, move.node)
        if move.mark and chance is not None:
            parts.append(
                f'<circle cx="{x(place):.1f}" cy="{HIGH * (1 - chance):.1f}" r="3.6" class="graph-{move.mark}"/>'
            )
    here = next((place for place, node in enumerate(nodes) if node.number == at), None)
    if here is not None:
        parts.append(f'<line x1="{x(here):.1f}" y1="0" x2="{x(here):.1f}" y2="{HIGH}" class="graph-here"/>')
    wide = WIDE / count
    for place, node in enumerate(nodes):  # where one clicks to go there
        parts.append(
            f'<rect x="{x(place) - wide / 2:.1f}" y="0" width="{wide:.1f}" height="{HIGH}" fill="transparent" '
            f'data-node="{node.number}"/>'
        )
    return (
        f'<svg class="graph" viewBox="-4 -4 {WIDE + 8:g} {HIGH + 8:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="Chances of the first player over the game">{"".join(parts)}</svg>'
    )


def move_list(session: Session, at: int, moves: Sequence[Judged]) -> str:
    """The moves of the line through a position, numbered by rounds, variations below the move they replace."""
    tree, players = session.tree, len(session.seats)
    paired = players == 2 and session.spec.kind == "turn-based"
    parts, row = [], ""
    for place, move in enumerate(moves):
        if not paired or place % 2 == 0:
            number = place // 2 + 1 if paired else place + 1
            row = f'<span class="move-number">{number}.</span>'
        mark = f'<span class="mark {move.mark}">{SIGNS[move.mark]}</span>' if move.mark else ""
        row += button(move.node.number, move.node.word, move.node.number == at, mark, place < session.opening)
        others = _variations(tree, move.node.number)
        last = place == len(moves) - 1
        if (paired and place % 2) or not paired or last or others:
            if paired and place % 2 == 0:
                row += '<span class="move-none"></span>'
            parts.append(f'<div class="move-row{"" if paired else " single"}">{row}</div>')
            row = (
                '<span class="move-number"></span><span class="move-none">…</span>' if paired and place % 2 == 0 else ""
            )
        for other in others:
            parts.append(f'<div class="variation">{_variation_words(tree, other, at)}</div>')
    if not parts:
        return '<p class="faint">No moves yet.</p>'
    return "".join(parts)


def button(number: int, word: str, here: bool, mark: str = "", given: bool = False) -> str:
    """A move that can be clicked."""
    current = ' aria-current="true"' if here else ""
    kind = "move given" if given else "move"
    return f'<button type="button" class="{kind}" data-node="{number}"{current}>{escape(word)}{mark}</button>'


def _variations(tree: MoveTree, number: int) -> list[int]:
    """The moves that were tried in the place of one."""
    parent = tree[number].parent
    return [] if parent is None else [child for child in tree[parent].children if child != number]


def _variation_words(tree: MoveTree, number: int, at: int, most: int = 30) -> str:
    parts = [f'<span class="move-number">{tree.depth(number)}:</span>']
    here: int | None = number
    while here is not None and len(parts) < most:
        parts.append(button(here, tree[here].word, here == at))
        here = tree[here].children[0] if tree[here].children else None
    return "".join(parts)


def table_rows(rows: Iterable[tuple[str, float, str, str, int]]) -> str:
    """The analyst's moves: word, share or chance in [0, 1], what it is, the line after it, the action."""
    parts = []
    for word, share, said, line, action in rows:
        parts.append(
            f'<tr><td><button type="button" class="move" data-action="{action}">{escape(word)}</button></td>'
            f'<td class="bar-cell"><span class="bar" style="width:{100 * share:.0f}%"></span>'
            f'<span class="bar-words">{escape(said)}</span></td><td class="line">{escape(line)}</td></tr>'
        )
    return f'<table class="thoughts"><tbody>{"".join(parts)}</tbody></table>'
