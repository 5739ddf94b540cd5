"""Books of openings: moves in the game's own words, positions of chess (EPD, FEN), games of chess (PGN) or Go (SGF)."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lanista.arena.sgf_moves import Move, sgf_moves
from lanista.envs import make
from lanista.envs.batched import BatchedGame, begin_games
from lanista.envs.core import Game
from lanista.errors import UsageError
from lanista.files import check_file

RESULTS = ("1-0", "0-1", "1/2-1/2", "*")
# Of a PGN: comments, variations' brackets, annotations, results and words, and what cannot be read.
TOKENS = re.compile(r"\{[^}]*(?:\}|\Z)|;[^\n]*|^%[^\n]*|[()]|\$\d+|[^\s(){};]+|\}", re.MULTILINE)
NUMBER = re.compile(r"^\d+\.+")  # of a move, which may be written together with it
BARE_NUMBER = re.compile(r"\d+\.*|\.+")  # of a move; the standard wants none of its dots, and they may stand apart
TAG = re.compile(r'\[\s*(\w+)\s+"')  # the beginning of a tag's line
MOST_BYTES = 2**26  # of a book
SHOWN = 60  # characters of a word that a message shows


class Opening(NamedTuple):
    """Where a game begins.

    Attributes:
        moves: the actions before the first turn.
        position: that they are played from, in the field's notation; "" is the game's own start.
    """

    moves: tuple[int, ...]
    position: str = ""


@dataclass(frozen=True)
class _Written:
    """An opening as a file has it: its moves, and the position before them with its line."""

    moves: list[Move]
    position: str = ""
    line: int = 0


def read_book(game: str, path: Path, most_plies: int | None = None) -> list[Opening]:
    """Read the openings of a book.

    A file `*.pgn` or `*.sgf` holds games, whose main lines are the openings; `*.epd` and `*.fen` hold positions, one on
    each line. Any other is text: each line is an opening, its moves as the game writes them (`lanista play` shows
    them), separated by spaces, or by `;` where a move has spaces; what follows a `#` and the numbers of moves (`1.`)
    are left out.

    Args:
        game: the game's string.
        path: the file.
        most_plies: only so many plies of each; None is all.

    Returns:
        Them in the file's order; not one of them ends the game.

    Raises:
        UsageError: the file cannot be read, is no text, has no opening, or has one that is not legal: named with its
            line and move.
    """
    try:
        check_file(path, MOST_BYTES)
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read the openings {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"the openings {path} are no text in UTF-8") from None
    board = make(game, restart=False)
    if not board.spec.perfect_information:
        raise UsageError(f"a book is for games without chance in which nothing is hidden, which {game} is not")
    kind = path.suffix.lower()
    if kind in (".epd", ".fen"):
        openings: Iterable[_Written] = _positions(text)
    elif kind == ".sgf":
        openings = (_Written(*game_in_sgf) for game_in_sgf in sgf_moves(text, path, game))
    else:
        openings = _games(text) if kind == ".pgn" else map(_Written, _lines(text))
    found = [_opening(board, path, written, most_plies) for written in openings]
    if not found:
        raise UsageError(f"there is no opening in {path}")
    return found


def _positions(text: str) -> Iterator[_Written]:
    """The positions of a text, FEN or EPD, a line each: what follows EPD's four parts are operations."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        clocks = words[4:6]
        if len(clocks) < 2 or not all(re.fullmatch(r"-?\d+", word) for word in clocks):
            told = dict(re.findall(r"\b(hmvc|fmvn)\s+(\d+)\s*;", line))
            clocks = [told.get("hmvc", "0"), told.get("fmvn", "1")]
        yield _Written([], " ".join([*words[:4], *(clocks if len(words) >= 4 else [])]), number)


def _lines(text: str) -> Iterator[list[Move]]:
    """The openings of a text, a line each."""
    for number, line in enumerate(text.splitlines(), 1):
        plain = line.partition("#")[0]
        words = plain.split(";") if ";" in plain else plain.split()
        moves: list[Move] = [(number, word) for word in (NUMBER.sub("", word.strip()) for word in words) if word]
        if moves:
            yield moves


def _games(text: str) -> Iterator[_Written]:
    """The main lines of a PGN's games, each from where its tags say."""
    moves: list[Move] = []
    depth, line, seen = 0, 1, 0
    plain, positions = _without_tags(text)
    places = list(positions)  # rising
    begin = 1  # the line at which the game's tags begin

    def written(until: int) -> Iterator[_Written]:
        """The game that ends before a line, if it is more than the usual start."""
        last = bisect_left(places, until)
        at = places[last - 1] if last and places[last - 1] >= begin else 0
        if moves or at:
            yield _Written(moves, positions.get(at, ""), at)

    for match in TOKENS.finditer(plain):
        line, seen, word = line + plain.count("\n", seen, match.start()), match.start(), match[0]
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif depth or word[0] in "{};%$":
            continue
        elif word in RESULTS:
            yield from written(line)
            moves, begin = [], line
        elif not BARE_NUMBER.fullmatch(word) and (word := NUMBER.sub("", word)):
            moves.append((line, word))
    yield from written(len(plain) + 1)


def _without_tags(text: str) -> tuple[str, dict[int, str]]:
    """A PGN with its tags blanked, each line where it was; a game without a result ends at the next tag.

    Returns:
        It, and the positions that its games begin from, by the lines of their tags.
    """
    lines, inside, positions = [], True, {}
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        # The end is looked for by itself: one pattern for all of a tag takes the square of a long line's length.
        value = bare.removesuffix("]").rstrip()
        begins = TAG.match(bare) if bare.endswith("]") and value.endswith('"') else None
        tag = begins if begins and begins.end() < len(value) else None
        if tag and tag[1] == "FEN":
            positions[number] = value[tag.end() : -1]
        lines.append(("" if inside else "*").ljust(len(line)) if tag else line)
        inside = tag is not None
    return "\n".join(lines), positions


def _opening(board: Game, path: Path, written: _Written, most_plies: int | None) -> Opening:
    """Play an opening; its actions and its position."""
    position = ""
    try:
        begin_games(board, [0], positions=[written.position])
        if isinstance(board, BatchedGame) and written.position:
            position = board.print_position(0)  # as the game writes it: equal ones are equal
    except UsageError as error:
        raise UsageError(f"{path}, line {written.line}: {error}") from None
    actions: list[int] = []
    for line, word in written.moves[:most_plies]:
        turn = board.turn()
        shown = word if isinstance(word, str) else board.print_move(0, word)
        shown = shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}..."
        try:
            action = board.parse_move(0, word) if isinstance(word, str) else word
        except UsageError as error:
            raise UsageError(
                f"{path}, line {line}: move {len(actions) + 1}, '{shown}', is not legal: {error}"
            ) from None
        if turn.legal is None or not 0 <= action < turn.legal.shape[1] or not turn.legal[0, action]:
            raise UsageError(f"{path}, line {line}: move {len(actions) + 1}, '{shown}', is not legal there")
        if board.step(np.array([action])).finished[0]:
            raise UsageError(f"{path}, line {line}: move {len(actions) + 1}, '{shown}', ends the game")
        actions.append(action)
    return Opening(tuple(actions), position)
