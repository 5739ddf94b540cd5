"""Reads the moves of games in the Smart Game Format, FF[4] and before: the main line of each game of a collection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lanista.envs.catalogue import native_options
from lanista.errors import UsageError

Move = tuple[int, str | int]  # the line in the file, from 1, and the move's word, or its action
NUMBERS = {"go": 1, "othello": 2, "gomoku": 4, "hex": 11}  # FF[4]'s property GM
LETTERS = "abcdefghijklmnopqrstuvwxyz"
SET_UP = {"AB", "AW", "AE", "PL"}  # properties that put up a position
TOKENS = re.compile(r"[();]|([A-Za-z]+)\s*((?:\[(?:\\.|[^\]\\])*\]\s*)+)", re.DOTALL)
VALUE = re.compile(r"\[((?:\\.|[^\]\\])*)\]", re.DOTALL)


@dataclass
class _Game:
    """A game as far as it was read."""

    moves: list[Move] = field(default_factory=list)
    over: bool = False  # its main line has ended: what follows are other variations


def sgf_moves(text: str, path: Path, game: str) -> Iterator[list[Move]]:
    """The moves of each game's main line.

    Args:
        text: a collection.
        path: where it is from, for errors.
        game: the game's string.

    Raises:
        UsageError: SGF has no number for this game, or one of the file's games is of another kind or size, puts up a
            position, or has a colour that moves twice.
    """
    kind = game.partition(":")[0]
    if kind not in NUMBERS:
        raise UsageError(f"{path}: SGF is for {', '.join(NUMBERS)}, and not for {game}")
    size = int(native_options(game).get("size", 8))
    depth, line, seen, found = 0, 1, 0, _Game()
    for match in TOKENS.finditer(text):
        line, seen = line + text.count("\n", seen, match.start()), match.start()
        if match[0] == "(":
            if depth == 0:
                found = _Game()
            depth += 1
        elif match[0] == ")":
            depth, found.over = depth - 1, True
            if depth == 0 and found.moves:
                yield found.moves
        elif match[1]:
            key = "".join(sign for sign in match[1] if sign.isupper())  # before FF[4] names were written out
            values = [value.strip() for value in VALUE.findall(match[2])]
            _take(found, key, values, f"{path}, line {line}", line, (kind, size))


def _take(found: _Game, key: str, values: list[str], where: str, line: int, game: tuple[str, int]) -> None:
    """Read a property of a game's main line."""
    kind, size = game
    if found.over:
        return
    if key == "GM" and values[0] != str(NUMBERS[kind]):
        raise UsageError(f"{where}: a game of SGF's number {values[0]}, and {kind} is {NUMBERS[kind]}")
    if key == "SZ" and values[0] not in (str(size), f"{size}:{size}"):
        raise UsageError(f"{where}: a board of size {values[0]}, and this game's is {size}")
    if key in SET_UP or (key == "HA" and values[0] not in ("0", "")):
        raise UsageError(f"{where}: a game that begins from a set-up position; an opening is the moves that lead there")
    if key in ("B", "W"):
        if key != "BW"[len(found.moves) % 2]:
            raise UsageError(f"{where}: {'black' if key == 'B' else 'white'} moves out of turn")
        found.moves.append((line, _move(values[0], kind, size, where)))


def _move(value: str, kind: str, size: int, where: str) -> str | int:
    """The action of a point, counted from the top left, or of a pass; hex has words of its own."""
    if kind == "hex":
        return "swap" if value.startswith("swap") else value
    if value == "" or (value == "tt" and size <= 19):
        return size * size
    if len(value) != 2 or any(sign not in LETTERS[:size] for sign in value):
        raise UsageError(f"{where}: '{value[:20]}' is no point of a board of size {size}")
    return LETTERS.index(value[0]) + size * LETTERS.index(value[1])
