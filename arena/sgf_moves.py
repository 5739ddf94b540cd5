"""Reads games in the Smart Game Format, FF[4] and before: where each of a collection begins, and its main line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lanista.arena.sgf_set_up import LETTERS, SET_UP, set_up
from lanista.envs.catalogue import native_options
from lanista.errors import UsageError

Move = tuple[int, str | int]  # the line in the file, from 1, and the move's word, or its action
NUMBERS = {"go": 1, "othello": 2, "gomoku": 4, "hex": 11}  # FF[4]'s property GM
BEGINNING = {*SET_UP, "PL", "HA"}  # properties of a position that is put up
# Nothing is tried twice, lest a damaged file takes the square of its length: a name begins where no letter is before
# it, and a value that is never closed goes to the end.
TOKENS = re.compile(r"[();]|(?<![A-Za-z])([A-Za-z]++)\s*+((?:\[(?:\\.|[^\]\\])*+(?:\]|\\?\Z)\s*+)++)", re.DOTALL)
VALUE = re.compile(r"\[((?:\\.|[^\]\\])*)\]", re.DOTALL)


@dataclass
class _Game:
    """A game as far as it was read."""

    moves: list[Move] = field(default_factory=list)
    first: dict[str, list[str]] = field(default_factory=dict)  # what puts up its position
    line: int = 1  # of that
    position: str | None = None  # once the first move is read
    mover: int = 0  # in that position
    over: bool = False  # its main line has ended: what follows are other variations


def sgf_moves(text: str, path: Path | str, game: str) -> Iterator[tuple[list[Move], str, int]]:
    """The moves of each game's main line, with the position that they begin from, "" the usual start, and its line.

    Args:
        text: a collection.
        path: where it is from, for errors.
        game: the game's string.

    Raises:
        UsageError: SGF has no number for this game, or one of the file's games is of another kind or size, puts up
            stones after its first move, or has a colour that moves twice.
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
            if depth == 0:
                _begin(found, str(path), (kind, size))
                if found.moves or found.position:
                    yield found.moves, found.position or "", found.line
        elif match[1]:
            key = _key(match[1])
            if match.end() == len(text):
                raise UsageError(f"{path}, line {line}: a game that is not closed, or a value of its '{key[:10]}'")
            values = [value.strip() for value in VALUE.findall(match[2])]
            _take(found, key, values, f"{path}, line {line}", line, (kind, size))


def first_value(text: str, name: str) -> str:
    """The first value of a property of this name in a text, "" if there is none."""
    named = (match for match in TOKENS.finditer(text) if match[1] and _key(match[1]) == name)
    values = (VALUE.findall(match[2]) for match in named)
    return next((found[0].strip() for found in values if found), "")


def _key(name: str) -> str:
    """A property's name as FF[4] has it; before, names were written out."""
    return "".join(sign for sign in name if sign.isupper())


def _take(found: _Game, key: str, values: list[str], where: str, line: int, game: tuple[str, int]) -> None:
    """Read a property of a game's main line."""
    kind, size = game
    if found.over:
        return
    if key == "GM" and values[0] != str(NUMBERS[kind]):
        raise UsageError(f"{where}: a game of SGF's number {values[0]}, and {kind} is {NUMBERS[kind]}")
    if key == "SZ" and values[0] not in (str(size), f"{size}:{size}"):
        raise UsageError(f"{where}: a board of size {values[0]}, and this game's is {size}")
    if key in BEGINNING:
        if found.position is not None:
            raise UsageError(f"{where}: stones that are put up after the first move")
        found.first.setdefault(key, []).extend(values)
        found.line = line
    if key in ("B", "W"):
        _begin(found, where, game, key)
        if key != "BW"[(found.mover + len(found.moves)) % 2]:
            raise UsageError(f"{where}: {'black' if key == 'B' else 'white'} moves out of turn")
        found.moves.append((line, _move(values[0], kind, size, where)))


def _begin(found: _Game, where: str, game: tuple[str, int], opens: str = "") -> None:
    """Know where a game begins, at its first move or its end."""
    if found.position is None:
        try:
            found.position, found.mover = set_up(*game, found.first, opens)
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from None


def _move(value: str, kind: str, size: int, where: str) -> str | int:
    """The action of a point, counted from the top left, or of a pass; hex has words of its own."""
    if kind == "hex":
        return "swap" if value.startswith("swap") else value
    if value == "" or (value == "tt" and size <= 19):
        return size * size
    if len(value) != 2 or any(sign not in LETTERS[:size] for sign in value):
        raise UsageError(f"{where}: '{value[:20]}' is no point of a board of size {size}")
    return LETTERS.index(value[0]) + size * LETTERS.index(value[1])
