"""Chess by the rules of FIDE. Moves are written as `Nf3`, `exd5`, `O-O`, `e8=Q`, or as engines do, `g1f3`.

Draws need no claim: stalemate, too little material to mate, fifty moves of each side without a capture or a pawn's
move, the same position for the third time. Action: `73 * square + way`, seen by the player to move, whose own first
rank is squares 0 to 7: ways are AlphaZero's, 56 of a queen (eight directions clockwise from forward, of one to seven
steps), 8 of a knight, 9 of a pawn that becomes a knight, bishop or rook (to the left, straight, right); a pawn that
moves like a queen to the last rank becomes one (Silver et al. 2018, table S2). Observation `board` (20, 8, 8) int8,
the far rank first: pawns, knights, bishops, rooks, queens, king of the player to move, those of the other; whether the
player may still castle short, long, whether the other may; the square where a pawn may be taken en passant; whether
the player is white; whether this position was there before; and as many cells as moves without progress, of 100 in 64.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numba
import numpy as np

from lanista.envs.bits import bit, count, lowest, spread, swapped
from lanista.envs.boards import board_spec, place_of_square
from lanista.envs.compiling import compiled
from lanista.envs.draws import mix
from lanista.envs.games import _chess_notation as notation
from lanista.envs.games._chess_moves import (
    BISHOP,
    KING,
    KNIGHT,
    PAWN,
    PLANE_OF,
    PLANES,
    QUEEN,
    ROOK,
    TARGET_OF,
    attackers,
    can_pass,
    has_moves,
    in_check,
    look,
    pawn_attacks,
    piece_on,
    targets,
)
from lanista.envs.games._chess_state import FIFTY, STATE
from lanista.envs.rules import Rules
from lanista.envs.surface import Surface

VIEWS = 20
# Each of at most 96 moves of pawns and 30 captures is followed by fewer than 100 plies without one.
LONGEST = (96 + 30 + 1) * FIFTY
WHITE_SQUARES = np.uint64(0x55AA55AA55AA55AA)


def rules() -> Rules:
    """The rules of chess."""
    return Rules(
        spec=board_spec("chess", (VIEWS, 8, 8), 64 * PLANES, LONGEST, "chess by the rules of FIDE"),
        modality="board",
        state=STATE,
        new=new,
        player=player,
        legal=legal,
        play=play,
        observe=observe,
        hash=hash,
        picture=notation.picture,
        text=notation.text,
        print_move=lambda state, action: notation.san(state, action, legal_actions, after),
        parse_move=lambda state, text: notation.parse_move(state, text, legal_actions, after),
        place=lambda cell, player: place_of_square(8)(cell ^ (56 * player), player),
        print_end=end_words,
        surface=Surface(notation.touch, ("#fdfdf8", "#26221c"), notation.turned_picture, notation.pieces),
        print_position=notation.fen,
        parse_position=parse_position,
        print_engine_move=notation.uci,
    )


@numba.njit
def new(state: Any, stream: Any) -> None:
    state.pieces[PAWN] = 0x00FF00000000FF00
    state.pieces[KNIGHT] = 0x4200000000000042
    state.pieces[BISHOP] = 0x2400000000000024
    state.pieces[ROOK] = 0x8100000000000081
    state.pieces[QUEEN] = 0x0800000000000008
    state.pieces[KING] = 0x1000000000000010
    state.colours[0] = 0x000000000000FFFF
    state.colours[1] = 0xFFFF000000000000
    state.castling = 15
    state.passed = -1
    state.fullmove = 1
    settle(state)


@numba.njit
def settle(state: Any) -> None:
    """Write what follows from a position that was set up: the hash, and what `look` finds."""
    state.hash = np.uint64(0)
    for colour in range(2):
        for piece in range(6):
            left = state.pieces[piece] & state.colours[colour]
            while left:
                state.hash ^= number_of(piece, lowest(left), colour)
                left &= left - np.uint64(1)
    look(state)
    if state.passed >= 0 and not _takes_passed(state):
        state.passed = -1
    state.past[state.halfmove] = hash(state)


@numba.njit
def number_of(piece: Any, square: Any, colour: Any) -> Any:
    """Zobrist's number of a piece on a square, without a table."""
    return mix(np.uint64((colour * 6 + piece) * 64 + square + 1) * np.uint64(0x9E3779B97F4A7C15))


@numba.njit
def hash(state: Any) -> Any:
    rest = np.uint64(state.castling) + 16 * np.uint64(state.passed + 1) + 2048 * np.uint64(state.mover)
    return state.hash ^ mix(~rest)


@numba.njit
def player(state: Any) -> Any:
    return np.int64(state.mover)


@numba.njit
def legal(state: Any, mask: Any) -> None:
    flip = 56 * np.int64(state.mover)
    own = state.colours[state.mover]
    for piece in range(6):
        left = state.pieces[piece] & own
        while left:
            square = lowest(left)
            left &= left - np.uint64(1)
            begin = square ^ flip
            found = targets(state, square, piece)
            while found:
                target = lowest(found) ^ flip
                found &= found - np.uint64(1)
                mask[begin * PLANES + PLANE_OF[begin * 64 + target]] = True
                if piece == PAWN and target >= 56:
                    way = begin * PLANES + 64 + 3 * (target - 56 - (begin & 7) + 1)
                    mask[way] = mask[way + 1] = mask[way + 2] = True


@numba.njit(inline="always")
def _toggle(state: Any, piece: Any, square: Any, colour: Any) -> None:
    """Put a piece on a square or take it off."""
    state.pieces[piece] ^= bit(square)
    state.colours[colour] ^= bit(square)
    state.hash ^= number_of(piece, square, colour)


@numba.njit
def _rights_lost(square: Any) -> Any:
    """The rights to castle that end when a piece leaves or takes this square."""
    if square == 0:
        return 2
    if square == 4:
        return 3
    if square == 7:
        return 1
    if square == 56:
        return 8
    if square == 60:
        return 12
    if square == 63:
        return 4
    return 0


@numba.njit
def _takes_passed(state: Any) -> Any:
    """Whether the mover can take the passed pawn; else the position is the same as without it."""
    me = state.mover
    left = pawn_attacks(bit(state.passed), 1 - me) & state.pieces[PAWN] & state.colours[me]
    while left:
        if can_pass(state, lowest(left)):
            return True
        left &= left - np.uint64(1)
    return False


@numba.njit
def _move(state: Any, action: Any) -> None:
    """Move the pieces."""
    me = np.int64(state.mover)
    flip = 56 * me
    way = action % PLANES
    begin, target = action // PLANES ^ flip, np.int64(TARGET_OF[action]) ^ flip
    piece = piece_on(state, begin)
    captured = piece_on(state, target)
    state.halfmove += 1
    if captured >= 0:
        _toggle(state, captured, target, 1 - me)
        state.halfmove = 0
    _toggle(state, piece, begin, me)
    placed = piece
    passed = -1
    if piece == PAWN:
        state.halfmove = 0
        if target == state.passed:
            _toggle(state, PAWN, target ^ 8, 1 - me)
        elif begin ^ target == 16:
            passed = (begin + target) // 2
        elif target ^ flip >= 56:
            placed = QUEEN if way < 56 else KNIGHT + (way - 64) % 3
    elif piece == KING and begin - target in (2, -2):
        _toggle(state, ROOK, target + 1 if target > begin else target - 2, me)
        _toggle(state, ROOK, (begin + target) // 2, me)
    _toggle(state, placed, target, me)
    state.castling &= ~(_rights_lost(begin) | _rights_lost(target))
    state.passed = passed
    state.fullmove += me
    state.mover = 1 - me


@numba.njit
def _is_dead(state: Any) -> Any:
    """Whether nobody can mate: kings with at most one knight or bishop, or with bishops on squares of one colour."""
    pieces = state.pieces
    if pieces[PAWN] | pieces[ROOK] | pieces[QUEEN]:
        return False
    if pieces[KNIGHT]:
        return count(pieces[KNIGHT] | pieces[BISHOP]) == 1
    return not (pieces[BISHOP] & WHITE_SQUARES) or not (pieces[BISHOP] & ~WHITE_SQUARES)


@numba.njit
def times_before(state: Any) -> Any:
    """How often this position was there since the last capture or pawn's move."""
    found = 0
    now = state.past[state.halfmove]
    for back in range(state.halfmove - 4, -1, -2):
        found += state.past[back] == now
    return found


@numba.njit
def play(state: Any, action: Any, stream: Any, rewards: Any) -> Any:
    me = np.int64(state.mover)
    _move(state, action)
    look(state)
    if state.passed >= 0 and not _takes_passed(state):
        state.passed = -1
    state.past[state.halfmove] = hash(state)
    if not has_moves(state):
        if in_check(state):
            rewards[me] = 1
            rewards[1 - me] = -1
        return True
    return state.halfmove >= FIFTY or _is_dead(state) or times_before(state) >= 2


@numba.njit
def observe(state: Any, player: Any, out: Any) -> None:
    for side in range(2):
        own = state.colours[player if side == 0 else 1 - player]
        for piece in range(6):
            word = state.pieces[piece] & own
            spread(swapped(word) if player == 0 else word, out[64 * (6 * side + piece) :])
    for right in range(4):
        out[64 * (12 + right) : 64 * (13 + right)] = (state.castling >> (right ^ (2 * player))) & 1
    passed = bit(state.passed) if state.passed >= 0 else np.uint64(0)
    spread(swapped(passed) if player == 0 else passed, out[64 * 16 :])
    out[64 * 17 : 64 * 18] = player == 0
    out[64 * 18 : 64 * 19] = times_before(state) > 0
    waited = state.halfmove * 64 // FIFTY
    out[64 * 19 : 64 * 19 + waited] = 1
    out[64 * 19 + waited : 64 * 20] = 0


class _Called(NamedTuple):
    mark: Any  # (state, mask (num_actions,) all False): mark the legal actions
    play: Any  # (state, action): play it, whatever it brings
    judge: Any  # (state), blank but for what a FEN tells: settle it -> 0, 1 king left in check, 2 game over


@lru_cache(maxsize=1)
def _called() -> _Called:
    """What plain Python calls, compiled once for all processes: reading a FEN need not wait for a compiler."""

    def mark(state: Any, mask: Any) -> None:
        legal(state, mask)

    def go_on(state: Any, action: Any) -> None:
        play(state, action, np.zeros(1, np.uint64), np.zeros(2, np.float32))

    def judge(state: Any) -> Any:
        settle(state)
        me = np.int64(state.mover)
        king = lowest(state.colours[1 - me] & state.pieces[KING])
        if attackers(state, king, state.colours[0] | state.colours[1], me):
            return 1
        return 2 if not has_moves(state) or _is_dead(state) else 0

    return _Called(*(compiled(function, "chess") for function in (mark, go_on, judge)))


def legal_actions(state: Any) -> list[int]:
    """The legal actions of a position, for those who write and read moves."""
    mask = np.zeros(64 * PLANES, bool)
    _called().mark(state, mask)
    actions: list[int] = np.flatnonzero(mask).tolist()
    return actions


def after(state: Any, action: int) -> Any:
    """The position after an action; the one before is left alone."""
    record = np.array([state], STATE)
    _called().play(record[0], action)
    return record[0]


def end_words(state: Any) -> str:
    """Why a game that is over has ended."""
    if not legal_actions(state):
        return "checkmate" if notation.is_check(state) else "stalemate"
    if state["halfmove"] >= FIFTY:
        return "fifty moves without a capture or a pawn's move"
    past = state["past"][: int(state["halfmove"]) + 1]
    if int((past == past[-1]).sum()) >= 3:
        return "the same position for the third time"
    return "too little material to mate"


def parse_position(text: str) -> Any:
    """The position that a FEN describes.

    Raises:
        ValueError: it describes none that can be played on.
    """
    record = np.zeros(1, STATE)
    notation.read_fen(text, record[0])
    verdict = _called().judge(record[0])
    if verdict == 1:
        raise ValueError("the king that is not to move stands in check")
    if verdict == 2:
        raise ValueError("the game is over in this position")
    return record[0]
