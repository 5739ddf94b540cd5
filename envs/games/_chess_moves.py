"""The legal moves of chess on boards of bits, square a1 being bit 0 and h8 bit 63; plain compiled functions.

Lines of attack are found by subtraction: taking a slider off the occupied squares of its line borrows up to the next
piece ("o^(o-2r)", hyperbola quintessence by Aleks Peshkov), downwards on the board turned upside down.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

from lanista.envs.bits import bit, count, lowest, swapped
from lanista.envs.core import Array

PAWN, KNIGHT, BISHOP, ROOK, QUEEN, KING = range(6)
PLANES = 73  # ways a piece can go from a square: 8 directions of 7 steps, 8 of knights, 9 underpromotions
ALL = np.uint64(0xFFFFFFFFFFFFFFFF)
NOT_A, NOT_H = np.uint64(0xFEFEFEFEFEFEFEFE), np.uint64(0x7F7F7F7F7F7F7F7F)
DIRECTIONS = ((1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1))  # (ranks, files)
JUMPS = ((2, 1), (1, 2), (-1, 2), (-2, 1), (-2, -1), (-1, -2), (1, -2), (2, -1))


def _inside(rank: int, file: int) -> bool:
    return 0 <= rank < 8 and 0 <= file < 8


def _steps(steps: tuple[tuple[int, int], ...]) -> Array:
    """The squares that one step leads to, from each: (64,) uint64."""
    out = np.zeros(64, np.uint64)
    for square in range(64):
        for up, right in steps:
            rank, file = square // 8 + up, square % 8 + right
            if _inside(rank, file):
                out[square] |= np.uint64(1 << (rank * 8 + file))
    return out


def _lines(up: int, right: int) -> Array:
    """The whole line through each square, without it: (64,) uint64."""
    out = np.zeros(64, np.uint64)
    for square in range(64):
        for sign in (1, -1):
            rank, file = square // 8 + sign * up, square % 8 + sign * right
            while _inside(rank, file):
                out[square] |= np.uint64(1 << (rank * 8 + file))
                rank, file = rank + sign * up, file + sign * right
    return out


def _rank_attacks() -> Array:
    """(8 * 64,) uint8: the files attacked on a rank, by the slider's file and the six inner squares' occupation."""
    out = np.zeros(512, np.uint8)
    for file in range(8):
        for inner in range(64):
            occupied = inner << 1
            for way in (1, -1):
                at = file + way
                while 0 <= at < 8:
                    out[file * 64 + inner] |= 1 << at
                    if occupied >> at & 1:
                        break
                    at += way
    return out


def _between_and_through() -> tuple[Array, Array]:
    """For two squares on one line the squares between them, and the whole line with both: (64 * 64,) uint64 each."""
    between, through = np.zeros(4096, np.uint64), np.zeros(4096, np.uint64)
    for square in range(64):
        for up, right in DIRECTIONS:
            line = int(_LINE_OF[up, right][square]) | 1 << square
            passed, rank, file = 0, square // 8 + up, square % 8 + right
            while _inside(rank, file):
                other = rank * 8 + file
                between[square * 64 + other] = passed
                through[square * 64 + other] = line
                passed |= 1 << other
                rank, file = rank + up, file + right
    return between, through


def _planes() -> tuple[Array, Array]:
    """(64 * 64,) int8 the plane from a square to another, -1 if no piece goes so; (64 * 73,) int8 the way back."""
    plane_of, target_of = np.full(4096, -1, np.int8), np.full(64 * PLANES, -1, np.int8)
    for square in range(64):
        ways = [(7 * number + step - 1, up * step, right * step)
                for number, (up, right) in enumerate(DIRECTIONS) for step in range(1, 8)]  # fmt: skip
        ways += [(56 + number, up, right) for number, (up, right) in enumerate(JUMPS)]
        for plane, up, right in ways:
            rank, file = square // 8 + up, square % 8 + right
            if _inside(rank, file):
                plane_of[square * 64 + rank * 8 + file] = plane
                target_of[square * PLANES + plane] = rank * 8 + file
        for way in range(3):  # to the left, straight, to the right, each to a knight, bishop, rook
            if square // 8 == 6 and _inside(7, square % 8 + way - 1):
                target_of[square * PLANES + 64 + 3 * way : square * PLANES + 67 + 3 * way] = 56 + square % 8 + way - 1
    return plane_of, target_of


KNIGHT_STEPS, KING_STEPS = _steps(JUMPS), _steps(DIRECTIONS)
FILE_LINE, SLANT_LINE, OTHER_LINE = _lines(1, 0), _lines(1, 1), _lines(1, -1)
_LINE_OF = {way: _lines(*way) for way in DIRECTIONS}
RANK_ATTACKS = _rank_attacks()
BETWEEN, THROUGH = _between_and_through()
PLANE_OF, TARGET_OF = _planes()


@numba.njit
def _along(square: Any, occupied: Any, line: Any) -> Any:
    """Squares attacked both ways along a line that is no rank."""
    forward = occupied & line
    back = swapped(forward)
    return ((forward - bit(square)) ^ swapped(back - bit(square ^ 56))) & line


@numba.njit
def bishop_attacks(square: Any, occupied: Any) -> Any:
    return _along(square, occupied, SLANT_LINE[square]) | _along(square, occupied, OTHER_LINE[square])


@numba.njit
def rook_attacks(square: Any, occupied: Any) -> Any:
    low = np.uint64(square & 56)
    inner = np.int64((occupied >> (low + np.uint64(1))) & np.uint64(63))
    rank = np.uint64(RANK_ATTACKS[(square & 7) * 64 + inner]) << low
    return rank | _along(square, occupied, FILE_LINE[square])


@numba.njit
def pawn_attacks(pawns: Any, colour: Any) -> Any:
    """The squares that pawns, as bits, attack."""
    if colour == 0:
        return ((pawns & NOT_A) << np.uint64(7)) | ((pawns & NOT_H) << np.uint64(9))
    return ((pawns & NOT_A) >> np.uint64(9)) | ((pawns & NOT_H) >> np.uint64(7))


@numba.njit
def attackers(state: Any, square: Any, occupied: Any, by: Any) -> Any:
    """The pieces of a colour that attack a square, as bits."""
    pieces = state.pieces
    slanting = pieces[BISHOP] | pieces[QUEEN]
    straight = pieces[ROOK] | pieces[QUEEN]
    found = pawn_attacks(bit(square), 1 - by) & pieces[PAWN]
    found |= KNIGHT_STEPS[square] & pieces[KNIGHT]
    found |= KING_STEPS[square] & pieces[KING]
    found |= bishop_attacks(square, occupied) & slanting
    found |= rook_attacks(square, occupied) & straight
    return found & state.colours[by]


@numba.njit
def attacked(state: Any, occupied: Any, by: Any) -> Any:
    """All squares that a colour attacks, as bits."""
    pieces, own = state.pieces, state.colours[by]
    found = pawn_attacks(pieces[PAWN] & own, by)
    left = pieces[KNIGHT] & own
    while left:
        found |= KNIGHT_STEPS[lowest(left)]
        left &= left - np.uint64(1)
    left = (pieces[BISHOP] | pieces[QUEEN]) & own
    while left:
        found |= bishop_attacks(lowest(left), occupied)
        left &= left - np.uint64(1)
    left = (pieces[ROOK] | pieces[QUEEN]) & own
    while left:
        found |= rook_attacks(lowest(left), occupied)
        left &= left - np.uint64(1)
    return found | KING_STEPS[lowest(pieces[KING] & own)]


@numba.njit
def look(state: Any) -> None:
    """Write what the mover's moves depend on: squares its king must not enter, answers to a check, pinned pieces."""
    me = state.mover
    pieces, own, enemy = state.pieces, state.colours[me], state.colours[1 - me]
    occupied = own | enemy
    king = lowest(pieces[KING] & own)
    state.danger = attacked(state, occupied ^ bit(king), 1 - me)
    checkers = attackers(state, king, occupied, 1 - me)
    if checkers == 0:
        state.answers = ALL
    elif count(checkers) > 1:
        state.answers = 0
    else:
        state.answers = checkers | BETWEEN[king * 64 + lowest(checkers)]
    pinned = np.uint64(0)
    snipers = bishop_attacks(king, enemy) & (pieces[BISHOP] | pieces[QUEEN])
    snipers |= rook_attacks(king, enemy) & (pieces[ROOK] | pieces[QUEEN])
    snipers &= enemy
    while snipers:
        shield = BETWEEN[king * 64 + lowest(snipers)] & own
        if count(shield) == 1:
            pinned |= shield
        snipers &= snipers - np.uint64(1)
    state.pinned = pinned


@numba.njit
def in_check(state: Any) -> Any:
    """Whether the mover is in check; after `look`."""
    return state.answers != ALL


@numba.njit
def can_pass(state: Any, square: Any) -> Any:
    """Whether the mover's pawn on a square, beside the passed one, may take it en passant with its king safe."""
    me = state.mover
    target = bit(state.passed)
    victim = target >> np.uint64(8) if me == 0 else target << np.uint64(8)
    occupied = ((state.colours[0] | state.colours[1]) ^ bit(square) ^ victim) | target
    king = lowest(state.pieces[KING] & state.colours[me])
    return attackers(state, king, occupied, 1 - me) & ~victim == 0


@numba.njit
def _pawn_targets(state: Any, square: Any, enemy: Any, empty: Any) -> Any:
    me = state.mover
    pawn = bit(square)
    if me == 0:
        step = (pawn << np.uint64(8)) & empty
        found = step | (((step & np.uint64(0xFF0000)) << np.uint64(8)) & empty)
    else:
        step = (pawn >> np.uint64(8)) & empty
        found = step | (((step & np.uint64(0xFF0000000000)) >> np.uint64(8)) & empty)
    return found | (pawn_attacks(pawn, me) & enemy)


@numba.njit
def _castlings(state: Any, occupied: Any) -> Any:
    """The king's targets of castling, as bits."""
    found = np.uint64(0)
    if in_check(state):
        return found
    me = state.mover
    low = np.uint64(56 * me)
    rights = state.castling >> (2 * me)
    if rights & 1 and not (((occupied | state.danger) >> low) & np.uint64(0x60)):
        found |= np.uint64(0x40) << low
    if rights & 2 and not ((occupied >> low) & np.uint64(0x0E)) and not ((state.danger >> low) & np.uint64(0x0C)):
        found |= np.uint64(0x04) << low
    return found


@numba.njit
def targets(state: Any, square: Any, piece: Any) -> Any:
    """The squares where the mover's piece may go, as bits; after `look`."""
    me = state.mover
    own, enemy = state.colours[me], state.colours[1 - me]
    occupied = own | enemy
    if piece == KING:
        return (KING_STEPS[square] & ~own & ~state.danger) | _castlings(state, occupied)
    if piece == PAWN:
        found = _pawn_targets(state, square, enemy, ~occupied)
    elif piece == KNIGHT:
        found = KNIGHT_STEPS[square]
    elif piece == BISHOP:
        found = bishop_attacks(square, occupied)
    elif piece == ROOK:
        found = rook_attacks(square, occupied)
    else:
        found = bishop_attacks(square, occupied) | rook_attacks(square, occupied)
    found &= ~own & state.answers
    if state.pinned & bit(square):
        found &= THROUGH[lowest(state.pieces[KING] & own) * 64 + square]
    beside = piece == PAWN and state.passed >= 0 and pawn_attacks(bit(square), me) & bit(state.passed) != 0
    if beside and can_pass(state, square):
        found |= bit(state.passed)
    return found


@numba.njit
def piece_on(state: Any, square: Any) -> Any:
    """The kind of piece on a square, -1 if none."""
    for piece in range(6):
        if state.pieces[piece] & bit(square):
            return piece
    return -1


@numba.njit
def has_moves(state: Any) -> Any:
    """Whether the mover has a legal move; after `look`."""
    own = state.colours[state.mover]
    for piece in range(5, -1, -1):
        left = state.pieces[piece] & own
        while left:
            if targets(state, lowest(left), piece):
                return True
            left &= left - np.uint64(1)
    return False
