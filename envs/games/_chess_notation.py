"""How chess is written: FEN, SAN, UCI, text and pictures. Plain Python; nothing here is in a hot loop."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from lanista.envs.boards import CELL, board_text, squares_svg
from lanista.envs.games._chess_moves import KING, PAWN, PLANES, TARGET_OF
from lanista.envs.games._chess_state import FIFTY
from lanista.envs.surface import Piece, Touch, square

SIGNS = "pnbrqk"
PIECE = 45  # the side of a piece's drawing
FILES = "abcdefgh"
START = "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1"

Actions = Callable[[Any], list[int]]
After = Callable[[Any, int], Any]


_NAMES = tuple(f"{file}{rank}" for rank in range(1, 9) for file in FILES)


def square_name(square: int) -> str:
    """`a1` for 0, `h8` for 63."""
    return _NAMES[square]


def piece_sign(state: Any, square: int) -> str:
    """The letter of the piece on a square, white's in capitals, or an empty string."""
    for piece in range(6):
        if int(state["pieces"][piece]) >> square & 1:
            return SIGNS[piece].upper() if int(state["colours"][0]) >> square & 1 else SIGNS[piece]
    return ""


def ends_of(action: int, mover: int) -> tuple[int, int]:
    """Where a move of this player goes from and to."""
    flip = 56 * mover
    return action // PLANES ^ flip, int(TARGET_OF[action]) ^ flip


def squares_of(state: Any, action: int) -> tuple[int, int, str]:
    """Where the piece goes from and to, and what a pawn becomes (`n`, `b`, `r`, `q` or nothing)."""
    begin, target = ends_of(action, int(state["mover"]))
    way = action % PLANES
    pawn = int(state["pieces"][PAWN]) >> begin & 1
    becomes = ("q" if way < 56 else "nbr"[(way - 64) % 3]) if pawn and int(TARGET_OF[action]) >= 56 else ""
    return begin, target, becomes


def uci(state: Any, action: int) -> str:
    """The move as engines write it: `e2e4`, `e7e8q`, castling as the king's move."""
    begin, target, becomes = squares_of(state, action)
    return square_name(begin) + square_name(target) + becomes


def _plain_san(state: Any, action: int, actions: list[int]) -> str:
    """The move without the sign of check."""
    begin, target, becomes = squares_of(state, action)
    piece = piece_sign(state, begin).upper()
    if piece == "K" and abs(begin - target) == 2:
        return "O-O" if target > begin else "O-O-O"
    captures = bool(piece_sign(state, target)) or (piece == "P" and begin % 8 != target % 8)
    if piece == "P":
        start = f"{FILES[begin % 8]}x" if captures else ""
        return f"{start}{square_name(target)}" + (f"={becomes.upper()}" if becomes else "")
    rivals, mover = [], int(state["mover"])
    for other in actions:
        from_there, to = ends_of(other, mover)
        if to == target and from_there != begin and piece_sign(state, from_there).upper() == piece:
            rivals.append(from_there)
    which = ""
    if rivals:
        if all(rival % 8 != begin % 8 for rival in rivals):
            which = FILES[begin % 8]
        elif all(rival // 8 != begin // 8 for rival in rivals):
            which = str(begin // 8 + 1)
        else:
            which = square_name(begin)
    return f"{piece}{which}{'x' if captures else ''}{square_name(target)}"


def san(state: Any, action: int, legal_actions: Actions, after: After) -> str:
    """The move in standard algebraic notation."""
    actions = legal_actions(state)
    plain = _plain_san(state, action, actions)
    if action not in actions:
        return plain
    following = after(state, action)
    if not is_check(following):
        return plain
    return plain + ("+" if legal_actions(following) else "#")


def is_check(state: Any) -> bool:
    """Whether the player to move is in check."""
    return int(state["answers"]) != 2**64 - 1


def parse_move(state: Any, text: str, legal_actions: Actions, after: After) -> int:
    """The legal action that a text in SAN or UCI names.

    Raises:
        ValueError: it names none.
    """
    word = re.sub(r"[+#!?\s]", "", text).replace("0-0-0", "O-O-O").replace("0-0", "O-O")
    actions = legal_actions(state)
    # A move's name has its target in it, but for castling: no other is written out, which takes a look at all moves.
    aimed = [action for action in actions if square_name(squares_of(state, action)[1]) in word.lower()]
    written = aimed if aimed and "O" not in word else actions
    named = {uci(state, action): action for action in written}
    named |= {_plain_san(state, action, actions): action for action in written}
    for known in (word, word.lower(), word.replace("=", ""), word.replace("-", "").replace("x", "").lower()):
        if known in named:
            return named[known]
    loose = {name.replace("=", "").replace("x", ""): action for name, action in named.items()}
    if word.replace("=", "").replace("x", "") in loose:
        return loose[word.replace("=", "").replace("x", "")]
    # More of the start than is needed is often written: Ng1f3.
    long = re.fullmatch(r"([NBRQK])([a-h]?[1-8]?)x?([a-h][1-8])", word)
    if long:
        for action in actions:
            begin, target, _ = squares_of(state, action)
            rightly = piece_sign(state, begin).upper() == long[1] and square_name(target) == long[3]
            if rightly and long[2] == square_name(begin):
                return action
    raise ValueError("no legal move is written so; write Nf3, exd5, O-O, e8=Q, or g1f3")


def fen(state: Any) -> str:
    """The position in Forsyth-Edwards notation."""
    rows = []
    for rank in range(7, -1, -1):
        row = "".join(piece_sign(state, rank * 8 + file) or "1" for file in range(8))
        rows.append(re.sub("1+", lambda empty: str(len(empty[0])), row))
    rights = "".join(sign for number, sign in enumerate("KQkq") if int(state["castling"]) >> number & 1)
    passed = square_name(int(state["passed"])) if state["passed"] >= 0 else "-"
    return (
        f"{'/'.join(rows)} {'wb'[int(state['mover'])]} {rights or '-'} {passed} {state['halfmove']} {state['fullmove']}"
    )


def read_fen(text: str, state: Any) -> None:
    """Write the position that a FEN describes into a blank record; whether it can be played is not looked at.

    Raises:
        ValueError: it is no FEN.
    """
    words = text.split()
    if not 4 <= len(words) <= 6:
        raise ValueError(f"a FEN has six parts, such as '{START}'")
    board, mover, rights, passed = words[:4]
    _read_board(board, state)
    if mover not in ("w", "b"):
        raise ValueError(f"the second part of a FEN is w or b, not '{mover}'")
    state["mover"] = mover == "b"
    if not re.fullmatch("-|K?Q?k?q?", rights):
        raise ValueError(f"the third part of a FEN is some of KQkq or -, not '{rights}'")
    for number, (sign, king, rook) in enumerate([("K", 4, 7), ("Q", 4, 0), ("k", 60, 63), ("q", 60, 56)]):
        colour = "KR" if number < 2 else "kr"
        if sign in rights and (piece_sign(state, king), piece_sign(state, rook)) == (colour[0], colour[1]):
            state["castling"] |= 1 << number
    if not re.fullmatch("-|[a-h][36]", passed):
        raise ValueError(f"the fourth part of a FEN is a square or -, not '{passed}'")
    behind = -1 if passed == "-" else FILES.index(passed[0]) + 8 * (int(passed[1]) - 1)
    state["passed"] = behind
    if passed != "-":
        mine = int(passed[1]) == (6 if mover == "w" else 3)
        ahead = behind + (-8 if mover == "w" else 8)
        if not mine or piece_sign(state, ahead) != ("p" if mover == "w" else "P") or piece_sign(state, behind):
            raise ValueError(f"no pawn can just have passed {passed}")
    clocks = [*words[4:], "0", "1"][:2] if len(words) < 6 else words[4:]
    if not all(word.isdecimal() for word in clocks) or not (int(clocks[0]) < FIFTY and int(clocks[1]) < 10_000):
        raise ValueError(f"the last parts of a FEN are plies without progress, under {FIFTY}, and the move's number")
    state["halfmove"], state["fullmove"] = int(clocks[0]), max(int(clocks[1]), 1)


def _read_board(board: str, state: Any) -> None:
    rows = board.split("/")
    if len(rows) != 8:
        raise ValueError(f"the first part of a FEN has eight rows, not {len(rows)}")
    for number, row in enumerate(rows):
        file = 0
        for sign in row:
            if sign in "12345678":
                file += int(sign)
            elif sign.lower() in SIGNS and file < 8:
                square = (7 - number) * 8 + file
                state["pieces"][SIGNS.index(sign.lower())] |= 1 << square
                state["colours"][int(sign.islower())] |= 1 << square
                file += 1
            else:
                raise ValueError(f"the row '{row}' of the FEN is none")
        if file != 8:
            raise ValueError(f"the row '{row}' of the FEN has {file} squares, not 8")
    for colour in range(2):
        kings = int(state["pieces"][KING] & state["colours"][colour]).bit_count()
        if kings != 1:
            raise ValueError(f"{('white', 'black')[colour]} has {kings} kings")
    if int(state["pieces"][PAWN]) & 0xFF000000000000FF:
        raise ValueError("a pawn stands on the first or last rank")


def text(state: Any, player: int | None) -> str:
    """The board in letters, white's in capitals, and the FEN."""
    signs = [[piece_sign(state, rank * 8 + file) or "." for file in range(8)] for rank in range(7, -1, -1)]
    return f"{board_text(signs)}\n{fen(state)}"


def picture(state: Any, player: int | None, last: int | None, turned: bool = False) -> str:
    """A board seen from white's side; the squares of the last move are marked, a king in check too."""
    marked: set[int] = set()
    if last is not None:
        marked = set(ends_of(last, 1 - int(state["mover"])))
    checked = -1
    if is_check(state):
        checked = int(state["pieces"][KING] & state["colours"][int(state["mover"])]).bit_length() - 1
    sides = 7 if turned else 56  # a cell of the picture and its square differ in these bits

    def fill(cell: int) -> str:
        at, dark = cell ^ sides, (cell // 8 + cell % 8) % 2
        if at == checked:
            return "#e2725b"
        return (("#f0d9b5", "#b58863"), ("#f6eb72", "#dac34b"))[at in marked][dark]

    parts = []
    for cell in range(64):
        sign = piece_sign(state, cell ^ sides)
        if sign:
            x, y = cell % 8 * CELL, cell // 8 * CELL
            parts.append(f'<g transform="translate({x} {y}) scale({CELL / PIECE:.4f})">{piece_shapes()[sign]}</g>')
    return squares_svg(8, 8, fill, parts, lines="none", turned=turned)


def turned_picture(state: Any, player: int | None, last: int | None) -> str:
    """The same from black's side."""
    return picture(state, player, last, turned=True)


def touch(state: Any, action: int, turned: bool) -> tuple[Touch, ...]:
    """The piece and where it goes; castling is the king's move."""
    begin, target, _ = squares_of(state, action)
    return tuple(square(each ^ (7 if turned else 56), 8) for each in (begin, target))


def pieces() -> tuple[Piece, ...]:
    """All kinds of pieces, white's first."""
    names = ("pawn", "knight", "bishop", "rook", "queen", "king")
    scale = f"scale({CELL / PIECE:.4f})"
    return tuple(
        Piece(sign, f"{colour} {name}", f'<g transform="{scale}">{piece_shapes()[sign]}</g>')
        for colour, signs in (("white", SIGNS.upper()), ("black", SIGNS))
        for name, sign in reversed(list(zip(names, signs, strict=True)))
    )


@lru_cache(maxsize=1)
def piece_shapes() -> dict[str, str]:
    """The shapes of each piece by its sign, in a square of `PIECE`, as Colin M.L. Burnett drew them.

    They are in `_chess_pieces.svg`, with their licence.
    """
    drawn = Path(__file__).with_name("_chess_pieces.svg").read_text(encoding="utf-8")
    return dict(re.findall(r'<symbol id="([a-zA-Z])">(.*?)</symbol>', drawn, re.S))
