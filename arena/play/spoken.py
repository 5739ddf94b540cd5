"""What can be said at a board: for each legal move and each command the phrases that mean it (the grammar of hearing).

Words are those that the recogniser `spoken_moves` knows. A square is said by its letter or by the phonetic alphabet
("d four", "delta four"); a column of falling stones as "column four" or "four"; a move from square to square by both,
with or without "to"; moves that are words as they are ("pass").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lanista.arena.play.table import Table
from lanista.envs.batched import BatchedGame
from lanista.perception.data.spoken_moves import ALPHABET, DIGITS, LETTERS, WORDS

PIECES = {"q": "queen", "r": "rook", "b": "bishop", "n": "knight"}
# What the page is told: its command and the phrases for it.
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "undo": ("undo", "take back"),
    "hint": ("hint",),
    "resign": ("resign",),
    "draw": ("draw",),
    "new game": ("new game",),
    "yes": ("yes",),
    "no": ("no",),
}
_SQUARE = re.compile(r"([a-z])(\d{1,2})")
_FROM_TO = re.compile(r"([a-z]\d{1,2})x?([a-z]\d{1,2})([qrbn]?)")


@dataclass(frozen=True)
class Meaning:
    """What a phrase means: a legal action, or a command of `COMMANDS`.

    Attributes:
        words: the move as the game writes it, or the command.
        action: of the move; -1 for a command.
    """

    words: str
    action: int = -1


def forms(move: str) -> tuple[str, ...]:
    """The phrases for a move as games write it, or engines: "4", "d4", "a2b3", "e7e8q", "pass"; none if it has none."""
    move = move.lower()
    if move.isdecimal():
        digit = _digit(move)
        return (digit, f"column {digit}") if digit else ()
    square = _SQUARE.fullmatch(move)
    if square is not None:
        return _squares(move)
    both = _FROM_TO.fullmatch(move)
    if both is not None:
        piece = f" {PIECES[both[3]]}" if both[3] else ""
        return tuple(
            f"{one}{between}{other}{piece}"
            for one in _squares(both[1])
            for other in _squares(both[2])
            for between in (" ", " to ")
        )
    return (move,) if move in WORDS else ()


def _digit(number: str) -> str:
    return DIGITS[int(number) - 1] if 1 <= int(number) <= len(DIGITS) else ""


def _squares(square: str) -> tuple[str, ...]:
    column, row = LETTERS.index(square[0]) if square[0] in LETTERS else -1, _digit(square[1:])
    return (f"{LETTERS[column]} {row}", f"{ALPHABET[column]} {row}") if column >= 0 and row else ()


def grammar(table: Table, player: int | None, commands: Collection[str]) -> dict[str, Meaning]:
    """Phrase -> what it means at a position.

    Args:
        table: stands at the position.
        player: whose legal moves can be said; None if nobody may move.
        commands: of `COMMANDS`, those that can be given now.
    """
    found: dict[str, Meaning] = {}
    for action in table.legal(player) if player is not None else ():
        meaning = Meaning(table.print_move(action), action)
        for phrase in forms(_engine_word(table, action) or meaning.words):
            found.setdefault(phrase, meaning)
    for command in commands:
        for phrase in COMMANDS[command]:
            found.setdefault(phrase, Meaning(command))
    return found


def _engine_word(table: Table, action: int) -> str:
    """A move by its squares, where people write it otherwise: chess's "Nf3" is "g1f3"."""
    if isinstance(table.game, BatchedGame) and table.game.rules.print_engine_move is not None:
        return table.game.rules.print_engine_move(table.game.states[0], action)
    return ""


def example(table: Table, player: int | None) -> str:
    """A move that can be said here, as a hint; "" if none can."""
    phrases = [phrase for phrase, meaning in grammar(table, player, ()).items() if meaning.action >= 0]
    if not phrases:
        return ""
    chosen = phrases[len(phrases) // 2]
    return f"column {chosen}" if chosen in DIGITS else chosen
