"""The record of one position of chess; squares from a1 to h8 are bits 0 to 63, white is 0, black 1."""

import numpy as np

FIFTY = 100  # plies without a capture or a pawn's move that end the game
STATE = np.dtype(
    [
        ("hash", np.uint64),  # of the pieces on their squares
        ("danger", np.uint64),  # squares that the mover's king must not enter
        ("answers", np.uint64),  # squares where a move answers a check: all if there is none
        ("pinned", np.uint64),  # pieces of the mover that must stay on their line to the king
        ("pieces", np.uint64, (6,)),  # pawns, knights, bishops, rooks, queens, kings
        ("colours", np.uint64, (2,)),
        ("past", np.uint64, (FIFTY + 1,)),  # hashes of the positions since the last capture or pawn's move
        ("halfmove", np.int16),  # plies since then: the place of this position in `past`
        ("fullmove", np.int16),  # counted from 1, after each of black's moves
        ("castling", np.uint8),  # bits: white short, white long, black short, black long
        ("passed", np.int8),  # the square behind a pawn that can be taken en passant, -1 none
        ("mover", np.int8),
    ],
    align=True,
)
