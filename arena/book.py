"""Books of openings: a file whose lines are moves in the game's own words, or a PGN of chess games."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lanista.envs import make
from lanista.envs.core import Game
from lanista.errors import UsageError

Move = tuple[int, str]  # the line in the file, from 1, and the word
RESULTS = ("1-0", "0-1", "1/2-1/2", "*")
# Of a PGN: comments, variations' brackets, annotations, results and words, and what cannot be read.
TOKENS = re.compile(r"\{[^}]*\}|;[^\n]*|^%[^\n]*|[()]|\$\d+|[^\s(){};]+|[{}]", re.MULTILINE)
NUMBER = re.compile(r"^\d+\.+")  # of a move, which may be written together with it
SHOWN = 60  # characters of a word that a message shows


def read_book(game: str, path: Path) -> list[tuple[int, ...]]:
    """Read the openings of a book.

    A file `*.pgn` holds games, whose main lines are the openings. Any other is text: each line is an opening, its moves
    as the game writes them (`lanista play` shows them), separated by spaces, or by `;` where a move has spaces;
    what follows a `#` and the numbers of moves (`1.`) are left out.

    Args:
        game: the game's string.
        path: the file.

    Returns:
        The actions of each, in the file's order; not one of them ends the game.

    Raises:
        UsageError: the file cannot be read, is no text, has no opening, describes positions instead of moves, or has an
            opening that is not legal: named with its line and move.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the openings {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the openings {path} are no text in UTF-8") from None
    if path.suffix.lower() in (".epd", ".fen"):
        raise UsageError(f"{path} describes positions; an opening is the moves that lead there, one on each line")
    board = make(game, restart=False)
    if not board.spec.perfect_information:
        raise UsageError(f"a book is for games without chance in which nothing is hidden, which {game} is not")
    openings = _games(text, path) if path.suffix.lower() == ".pgn" else _lines(text)
    found = [_actions(board, path, moves) for moves in openings]
    if not found:
        raise UsageError(f"there is no opening in {path}")
    return found


def _lines(text: str) -> Iterator[list[Move]]:
    """The openings of a text, a line each."""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0]
        words = plain.split(";") if ";" in plain else plain.split()
        moves = [(number, word) for word in (NUMBER.sub("", word.strip()) for word in words) if word]
        if moves:
            yield moves


def _games(text: str, path: Path) -> Iterator[list[Move]]:
    """The main lines of a PGN's games."""
    moves: list[Move] = []
    depth, line, seen = 0, 1, 0
    plain = _without_tags(text, path)
    for match in TOKENS.finditer(plain):
        line, seen, word = line + plain.count("\n", seen, match.start()), match.start(), match[0]
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth or word[0] in "{;%$":
            continue
        elif word in RESULTS:
            if moves:
                yield moves
            moves = []
        elif word := NUMBER.sub("", word):
            moves.append((line, word))
    if moves:
        yield moves


def _without_tags(text: str, path: Path) -> str:
    """A PGN with its tags blanked, each line where it was; a game without a result ends at the next tag."""
    lines, inside = [], True
    for number, line in enumerate(text.split("\n"), 1):
        tag = re.match(r'^\s*\[\s*(\w+)\s+"(.*)"\s*\]\s*$', line)
        if tag and tag[1] == "FEN":
            raise UsageError(f"{path}, line {number}: a game that begins from a set-up position cannot be an opening")
        lines.append(("" if inside else "*").ljust(len(line)) if tag else line)
        inside = tag is not None
    return "\n".join(lines)


def _actions(board: Game, path: Path, moves: list[Move]) -> tuple[int, ...]:
    """Play an opening; its actions."""
    board.reset(0)
    actions: list[int] = []
    for line, word in moves:
        shown = word if len(word) <= SHOWN else f"{word[:SHOWN]}..."
        turn = board.turn()
        try:
            action = board.parse_move(0, word)
        except UsageError as error:
            raise UsageError(
                f"{path}, line {line}: move {len(actions) + 1}, '{shown}', is not legal: {error}"
            ) from None
        if turn.legal is None or not 0 <= action < turn.legal.shape[1] or not turn.legal[0, action]:
            raise UsageError(f"{path}, line {line}: move {len(actions) + 1}, '{shown}', is not legal there")
        if board.step(np.array([action])).finished[0]:
            raise UsageError(f"{path}, line {line}: move {len(actions) + 1}, '{shown}', ends the game")
        actions.append(action)
    return tuple(actions)
