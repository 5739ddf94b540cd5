"""Smart Game Format, FF[4], for go, othello, gomoku and hex; all games are one collection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lanista.arena.exports import Exported, Word, day
from lanista.arena.sgf_moves import NUMBERS
from lanista.arena.sgf_set_up import LETTERS, USUAL
from lanista.arena.stored_games import StoredGame
from lanista.envs.batched import BatchedGame
from lanista.envs.boards import cell_name
from lanista.envs.catalogue import native_options
from lanista.envs.stone_positions import read_stones
from lanista.errors import UsageError


def texts(exported: Exported) -> Iterator[str]:
    """One game tree after another.

    Raises:
        UsageError: SGF has no number for this game.
    """
    kind = exported.game.partition(":")[0]
    if kind not in NUMBERS:
        raise UsageError(f"SGF has no number for {exported.game}, only for {', '.join(NUMBERS)}; use jsonl")
    options = native_options(exported.game)
    size = int(options.get("size", 8))
    write = _word if kind == "hex" else _point(size)
    for number, game in exported.games.items():
        words = exported.words(number)
        root = {"FF": "4", "CA": "UTF-8", "GM": str(NUMBERS[kind]), "AP": "Lanista", "SZ": str(size)}
        if kind == "go":
            root |= {"KM": f"{float(options['komi']):g}"}
        root |= {
            "EV": "Lanista tournament",
            "RO": f"{game.number + 1}.{game.leg + 1}",
            "DT": day(game).replace(".", "-"),
            "GN": str(number),
            "PB": game.seats[0],
            "PW": game.seats[1],
            "RE": _result(exported, game, kind),
            "GC": _comment(game),
        }
        head = "".join(f"{key}[{_escaped(value)}]" for key, value in root.items())
        moves = "".join(f";{'BW'[word.player]}[{write(word)}]" for word in words)
        yield f"(;{head}{stones_set_up(kind, game.position, size)}\n{moves})\n"


def stones_set_up(kind: str, position: str | None, size: int) -> str:
    """The properties of a root whose game begins from a position, as `envs.stone_positions` writes it; else "".

    Args:
        kind: the game's id.
        position: where the game begins; None or empty is the usual start.
        size: of the board, a square.
    """
    if not position:
        return ""
    board, mover = read_stones(position, size, size)
    written = ""
    for stone, key in ((0, "AE"), (1, "AB"), (2, "AW")):
        # Othello's usual stones stand there unless they are taken away.
        cells = [cell for cell in np.flatnonzero(board == stone).tolist() if stone or cell in USUAL.get(kind, {})]
        points = (
            cell_name(cell, size, size, from_top=True)
            if kind == "hex"
            else LETTERS[cell % size] + LETTERS[cell // size]
            for cell in cells
        )
        written += key + "".join(f"[{point}]" for point in points) if cells else ""
    return f"{written}PL[{'BW'[mover]}]"


def _point(size: int) -> Callable[[Word], str]:
    """Points as go has them, counted from the top left; a pass is empty."""
    return lambda word: "" if word.action == size * size else LETTERS[word.action % size] + LETTERS[word.action // size]


def _word(word: Word) -> str:
    """Hex has its own names of points, `a1`, and the swap as a move."""
    return "swap-pieces" if word.text == "swap" else word.text


def _result(exported: Exported, game: StoredGame, kind: str) -> str:
    if game.void:
        return "Void"
    points = game.points(game.seats[0])
    if points == 0.5:
        return "0"
    winner = "B" if points == 1 else "W"
    if game.at_fault is not None:
        return f"{winner}+F"
    if kind == "go" and game.reason == "end" and isinstance(exported.board, BatchedGame):
        score: Any = exported.board.rules.print_score
        return str(score(exported.board.states[0]))
    return f"{winner}+"


def _comment(game: StoredGame) -> str:
    opening = f"{len(game.opening)} opening moves" if game.opening else "no opening"
    return opening if game.reason == "end" else f"{opening}; {game.reason}"


def _escaped(text: str) -> str:
    return " ".join(text.split()).replace("\\", "\\\\").replace("]", "\\]")
