"""Counts and scores that the literature knows."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from leaves import leaves

from lanista.envs import make
from lanista.envs.batched import BatchedGame
from lanista.envs.games import go
from lanista.envs.games._go_notation import EDGE

area = cache(go._area)  # compiled once a size


def native(name: str) -> BatchedGame:
    game = make(name, 1, restart=False)
    assert isinstance(game, BatchedGame)
    game.reset(0)
    return game


# https://www.chessprogramming.org/Perft_Results. The second position has every kind of move there is; that one and two
# others are walked over 400,000 lines and more, which takes a second for four millions.
CHESS = {
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1": (20, 400, 8_902, 197_281),
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1": (48, 2_039, 97_862, 4_085_603),
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1": (14, 191, 2_812, 43_238, 674_624),
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1": (6, 264, 9_467, 422_333),
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8": (44, 1_486, 62_379),
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10": (46, 2_079, 89_890),
}
FIFTH = {  # the fifth ply of the positions that lack it above, and with it the fourth
    "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1": 4_865_609,
    "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1": 193_690_690,
    "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1": 15_833_292,
    "rnbq1k1r/pp1Pbppp/2p5/8/2B5/8/PPP1NnPP/RNBQK2R w KQ - 1 8": 89_941_194,
    "r4rk1/1pp1qppp/p1np1n2/2b1p1B1/2B1P1b1/P1NP1N2/1PP1QPPP/R4RK1 w - - 0 10": 164_075_551,
}


@pytest.mark.parametrize("fen", CHESS)
def test_chess_perft(fen: str) -> None:
    game = native("chess")
    game.parse_position(0, fen)
    assert game.print_position(0) == fen
    for depth, expected in enumerate(CHESS[fen], start=1):
        assert leaves(game.rules, game.states[0], depth)[0] == expected


@pytest.mark.slow
@pytest.mark.parametrize("fen", FIFTH)
def test_chess_perft_to_the_fifth_ply(fen: str) -> None:
    game = native("chess")
    game.parse_position(0, fen)
    assert leaves(game.rules, game.states[0], 5)[0] == FIFTH[fen]


def test_othello_perft() -> None:
    """http://www.aartbik.com/MISC/reversi.html; a pass is a ply."""
    game = native("othello")
    found = [leaves(game.rules, game.states[0], depth)[0] for depth in range(1, 9)]
    assert found == [4, 12, 56, 244, 1_396, 8_200, 55_092, 390_216]


@pytest.mark.slow
def test_othello_perft_to_the_tenth_ply() -> None:
    """The count takes a game that ended a ply before for a leaf: there are 228."""
    game = native("othello")
    assert leaves(game.rules, game.states[0], 9) == (3_005_288, 228)
    assert leaves(game.rules, game.states[0], 10)[0] + 228 == 24_571_284


def test_tictactoe_has_255168_games() -> None:
    game = native("tictactoe")
    assert leaves(game.rules, game.states[0], 9)[1] == 255_168


def test_breakthrough_begins_with_22_moves() -> None:
    game = native("breakthrough")
    assert [leaves(game.rules, game.states[0], depth)[0] for depth in (1, 2)] == [22, 484]


@pytest.mark.parametrize(
    ("size", "rows", "lead"),
    [
        # Tromp and Taylor: stones, and points that reach one colour only; points that reach both count for nobody.
        (3, ". . . . . . . . .", 0),
        (3, ". X . X X X . X .", 9),
        (3, ". . . . O . . . .", -9),
        (3, "X . O X . O X . O", 0),
        (5, "X X X X X . X . O O X X X O . O O O O O . O . O .", -4),
        (5, ". X O . . X X O O O . X O . . X X O . . X . X O .", -3),
    ],
)
def test_go_scores(size: int, rows: str, lead: int) -> None:
    state = np.zeros(1, go._state(size))
    board = np.full((size + 2, size + 2), EDGE, np.int8)
    board[1:-1, 1:-1] = np.array([".XO".index(sign) for sign in rows.split()]).reshape(size, size)
    state["board"][0] = board.ravel()
    assert area(size)(state[0]) == lead
