"""A position or game that somebody pastes: FEN and PGN for chess, SGF for Go and its kin, moves for any game."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from lanista.arena.play.table import Start, Table
from lanista.arena.sgf_moves import NUMBERS, first_value, sgf_moves
from lanista.envs.catalogue import games, native_options, native_rules
from lanista.errors import UsageError

MOST_TEXT = 200_000  # characters
MOST_MOVES = 2_000
RESULTS = ("1-0", "0-1", "1/2-1/2", "*")


def read(text: str, game: str) -> tuple[Start, tuple[int, ...]]:
    """Where the text's game begins, and its moves.

    Args:
        text: what was pasted; empty is the usual start.
        game: the game's string; of a text in SGF its size may say otherwise.

    Raises:
        UsageError: it cannot be read; the sentence names the first thing that is wrong.
    """
    if len(text) > MOST_TEXT:
        raise UsageError(f"a game has at most {MOST_TEXT} characters here")
    text = text.strip()
    start = Start(game, 0)
    if text.startswith("("):
        return _sgf(text, start)
    if game == "chess":
        tagged = re.search(r'\[FEN\s+"([^"]*)"\]', text)
        words = text.split()
        if tagged:
            start = replace(start, position=tagged[1])
        elif words and words[0].count("/") == 7:
            start = replace(start, position=" ".join(words[:6]))
            Table(start)  # which says what is wrong with it
            return start, ()
        text = _movetext(text)
    elif "/" in text and has_notation(game):
        start = replace(start, position=" ".join(text.split()))
        Table(start)
        return start, ()
    words = _words(text, start)
    if len(words) > MOST_MOVES:
        raise UsageError(f"a game has at most {MOST_MOVES} moves here, not {len(words)}")
    return start, _moves(start, words)


def has_notation(game: str) -> bool:
    """Whether a game's positions can be written."""
    return game.partition(":")[0] in games() and native_rules(game).parse_position is not None


def _movetext(text: str) -> str:
    """A PGN's main line: without tags, comments, variations and marks."""
    lines = (line.strip() for line in text.split("\n"))
    text = "\n".join(line for line in lines if not (line.startswith("[") and line.endswith("]")))
    text = re.sub(r"\{[^}]*(?:\}|\Z)|;[^\n]*", " ", text)
    kept, depth = [], 0
    for part in re.split(r"([()])", text):
        depth += {"(": 1, ")": -1}.get(part, 0)
        if depth < 0:
            raise UsageError("this PGN closes a variation that it does not open")
        kept.append(part if depth == 0 and part != ")" else " ")
    if depth:
        raise UsageError("this PGN opens a variation that it does not close")
    return re.sub(r"\$\d+", " ", "".join(kept))


def _words(text: str, start: Start) -> list[str]:
    words = [word for word in re.split(r"[\s,;]+", text) if word and word not in RESULTS]
    found = []
    for word in words:
        bare = re.sub(r"^\d+\.+", "", word)
        if bare:
            found.append(bare)
    if len(found) == 1 and found[0].isdecimal() and len(found[0]) > 1:
        columns = native_options(start.game).get("columns") if start.game != "connect_four" else 7
        if isinstance(columns, int) and columns < 10:  # `44352`, as solvers of Connect Four write lines
            return list(found[0])
    return found


def _moves(start: Start, words: Sequence[str | int]) -> tuple[int, ...]:
    """The actions of moves, each a word or an action already."""
    table = Table(start)
    actions: list[int] = []
    for number, word in enumerate(words, 1):
        movers = table.movers()
        if not movers:
            raise UsageError(f"the game is over before move {number}, '{_shown(word, table)}'")
        if len(movers) > 1:
            raise UsageError(f"in {table.spec.name} players move at once; its games cannot be written as a list")
        try:
            action = word if isinstance(word, int) else table.parse_move(word[:40])
        except UsageError as error:
            raise UsageError(f"move {number}: {error}") from None
        if action not in table.legal(movers[0]):
            raise UsageError(f"move {number}, '{_shown(word, table)}', is not legal")
        table.step([action])
        actions.append(action)
    return tuple(actions)


def _shown(word: str | int, table: Table) -> str:
    return table.print_move(word) if isinstance(word, int) else word[:20]


def _sgf(text: str, start: Start) -> tuple[Start, tuple[int, ...]]:
    """The main line of an SGF's first game, on a board of its own size."""
    if ";" not in text:
        raise UsageError("this SGF has no node")
    kind = start.game.partition(":")[0]
    number = first_value(text, "GM") or str(NUMBERS.get(kind, 1))
    if kind not in NUMBERS or str(NUMBERS[kind]) != number:
        known = {str(value): key for key, value in NUMBERS.items()}
        raise UsageError(f"this SGF is of {known.get(number, 'game number ' + number[:5])}; choose that game first")
    size = (first_value(text, "SZ") or "19").partition(":")[0]
    if kind in ("go", "hex"):
        if not size.isdecimal() or len(size) > 3:
            raise UsageError(f"boards are square here, not {size[:9]}")
        if int(native_options(start.game)["size"]) != int(size):
            start = replace(start, game=f"{kind}:size={int(size)}")
    closed = text + ")" * text.count("(")  # people copy a part
    line, position, _ = next(sgf_moves(closed, "this SGF", start.game), ([], "", 1))
    start = replace(start, position=position or None)
    return start, _moves(start, [word for _, word in line])
