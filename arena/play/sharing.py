"""A session as a file: PGN for chess and SGF for the boards that have a number there, with variations; JSON for all."""

from __future__ import annotations

import json
import textwrap
import time
from collections.abc import Callable
from typing import Any

from lanista.arena.exports.sgf import stones_set_up
from lanista.arena.play.move_tree import ROOT, MoveTree, Node
from lanista.arena.play.saying import names
from lanista.arena.play.session import Session
from lanista.arena.play.table import Table
from lanista.arena.sgf_moves import NUMBERS
from lanista.envs.boards import LETTERS
from lanista.envs.catalogue import native_options
from lanista.errors import UsageError

Film = Callable[[list[tuple[str, str, str]]], bytes]  # (picture, who plays, what is said) of each frame -> a GIF


def formats(session: Session) -> list[str]:
    """The formats that a session can be had in, GIF left out: that needs more than this module."""
    kind = session.spec.name.partition(":")[0]
    own = ["pgn"] if kind == "chess" else ["sgf"] if kind in NUMBERS and session.table.native else []
    return [*own, "json"]


def export(session: Session, form: str) -> str:
    """The session as the text of a file.

    Raises:
        UsageError: there is no such format for this game.
    """
    if form not in formats(session):
        raise UsageError(f"{session.spec.name} is given as {', '.join(formats(session))}, not as '{form[:20]}'")
    return {"pgn": pgn, "sgf": sgf, "json": as_json}[form](session)


def file_name(session: Session, form: str) -> str:
    """What the file is called."""
    kind = session.spec.name.partition(":")[0]
    return f"lanista-{kind}-{session.number[:6].strip('-_') or 'game'}.{form}"


def pgn(session: Session) -> str:
    """Portable Game Notation with variations."""
    tree, called = session.tree, names(session)
    result = _pgn_result(session)
    tags = {
        "Event": "Lanista", "Site": "?", "Date": time.strftime("%Y.%m.%d"), "Round": "-",
        "White": called[0], "Black": called[1], "Result": result,
    }  # fmt: skip
    if session.start.position is not None:
        tags |= {"SetUp": "1", "FEN": session.start.position}
    if session.rules.control is not None:
        tags["TimeControl"] = f"{session.rules.control.begin:g}+{session.rules.control.increment:g}"
    if session.result is not None and session.result.words:
        tags["Termination"] = session.result.words
    head = "".join(f'[{key} "{_quoted(value)}"]\n' for key, value in tags.items())
    first = 1
    if session.start.position is not None:
        words = session.start.position.split()
        first = (int(words[5]) * 2 - 1 if len(words) > 5 else 1) + (words[1] == "b")
    parts = _pgn_moves(tree, ROOT, first, True)
    return f"{head}\n{textwrap.fill(' '.join([*parts, result]), 80)}\n"


def _pgn_moves(tree: MoveTree, at: int, ply: int, numbered: bool) -> list[str]:
    """The moves after a position; variations stand after the move that they replace."""
    parts: list[str] = []
    while tree[at].children:
        first, *others = tree[at].children
        parts += _pgn_move(tree[first], ply, numbered)
        numbered = False
        for other in others:
            inner = [*_pgn_move(tree[other], ply, True), *_pgn_moves(tree, other, ply + 1, False)]
            parts.append(f"({' '.join(inner)})")
            numbered = True
        at, ply = first, ply + 1
    return parts


def _pgn_move(node: Node, ply: int, numbered: bool) -> list[str]:
    number = f"{(ply + 1) // 2}."
    if ply % 2:
        return [number, node.word]
    return [f"{number}..", node.word] if numbered else [node.word]


def _pgn_result(session: Session) -> str:
    if session.result is None or session.result.reason == "broken":
        return "*"
    winners = session.result.winners()
    return "1/2-1/2" if len(winners) == 2 else ("1-0", "0-1")[winners[0]]


def sgf(session: Session) -> str:
    """Smart Game Format (FF[4]) with variations."""
    kind, called = session.spec.name.partition(":")[0], names(session)
    options = native_options(session.start.game)
    size = int(options.get("size", options.get("rows", 8)))
    root = {"FF": "4", "CA": "UTF-8", "GM": str(NUMBERS[kind]), "AP": "Lanista", "SZ": str(size)}
    if kind == "go":
        root["KM"] = f"{float(options['komi']):g}"
    root |= {"PB": called[0], "PW": called[1], "DT": time.strftime("%Y-%m-%d")}
    if session.result is not None:
        root["RE"] = _sgf_result(session, kind)
        root["GC"] = session.result.words

    def point(node: Node) -> str:
        action = int(node.actions[0])
        if kind == "hex":
            return "swap-pieces" if node.word == "swap" else node.word
        return "" if action >= size * size else LETTERS[action % size] + LETTERS[action // size]

    def tree_after(at: int) -> str:
        written = ""
        while len(children := session.tree[at].children) == 1:
            at = children[0]
            written += one(session.tree[at])
        return written + "".join(f"\n({one(session.tree[child])}{tree_after(child)})" for child in children)

    def one(node: Node) -> str:
        return f";{'BW'[node.players[0]]}[{point(node)}]"

    head = "".join(f"{key}[{_sgf_quoted(value)}]" for key, value in root.items())
    head += stones_set_up(kind, session.start.position, size)
    return f"(;{head}\n{tree_after(ROOT)})\n"


def _sgf_result(session: Session, kind: str) -> str:
    result = session.result
    assert result is not None
    winners = result.winners()
    if result.reason == "broken":
        return "Void"
    if len(winners) == 2:
        return "0"
    if kind == "go" and result.reason == "end":
        return result.words.partition(" ")[0]
    ends = {"resigned": "R", "time": "T", "end": ""}
    return f"{'BW'[winners[0]]}+{ends.get(result.reason, 'F' if result.at_fault is not None else '')}"


def as_json(session: Session) -> str:
    """The session with all that is known of it, for scripts."""
    result = session.result
    ended = None if result is None else {"returns": result.returns, "reason": result.reason, "words": result.words}
    plain: dict[str, Any] = {
        "game": session.spec.name,
        "players": [seat.stored for seat in session.seats],
        "position": session.start.position,
        "seed": session.start.seed if session.over or session.spec.perfect_information else None,
        "moves": [node.word for node in session.tree.line(session.live)],
        "actions": list(session.tree.moves(session.live)),
        "result": ended,
        "tree": [
            {
                "number": node.number, "after": node.parent, "players": node.players, "actions": node.actions,
                "move": node.word, "seconds": node.seconds, "first_player_chance": node.chance,
            }
            for node in session.tree.nodes[1:]
        ],
    }  # fmt: skip
    return json.dumps(plain, indent=1, ensure_ascii=False) + "\n"


def frames(session: Session) -> list[tuple[str, str, str]]:
    """The game in pictures: each with who plays and what is said.

    Raises:
        UsageError: the game hides something and is not over.
    """
    if not session.over and session.viewer(session.live) is not None:
        raise UsageError("where hands are hidden the film is there when the game is over")
    table = Table(session.start)
    who = " vs ".join(names(session))
    shown = [(table.picture(None), who, "start")]
    for number, node in enumerate(session.tree.line(session.live), 1):
        table.go_to(session.tree.moves(node.number))
        shown.append((table.picture(None), who, f"{number}. {node.word}"))
    return shown


def _quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')


def _sgf_quoted(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("]", "\\]")
