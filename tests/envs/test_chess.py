"""Chess against python-chess (positions, moves, SAN, ends) and its notation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lanista.envs import make
from lanista.envs.batched import BatchedGame
from lanista.envs.games import _chess_notation as notation
from lanista.errors import UsageError

chess = pytest.importorskip("chess", reason="python-chess is not installed")

# Positions where random play seldom comes: promotions, castling both ways, en passant with pins, bare kings.
STARTS = (
    notation.START,
    "r3k2r/8/8/8/8/8/8/R3K2R w KQkq - 0 1",
    "8/PPP4k/8/8/8/8/4Kppp/8 w - - 0 1",
    "4k3/3p1p2/8/2P1P1P1/2p1p1p1/8/3P1P2/4K3 w - - 0 1",
    "8/8/8/8/k2Pp2Q/8/8/3K4 b - d3 0 1",
    "4k3/8/3b4/8/8/3B4/8/4K3 w - - 80 60",
    "4k3/8/8/8/8/8/q7/4K2R w K - 0 1",
    "7k/8/6QK/8/8/8/8/8 w - - 0 1",
)


def board_game() -> BatchedGame:
    game = make("chess", 1, restart=False)
    assert isinstance(game, BatchedGame)
    game.reset(0)
    return game


def compare(start: str, games: int, written: int) -> set[tuple[float, ...]]:
    """Random games from a position in both; every `written`-th move is written and read too."""
    game, rng = board_game(), np.random.default_rng(len(start))
    results = set()
    for _ in range(games):
        board = chess.Board(start)
        game.parse_position(0, start)
        rewards = np.zeros(2, np.float32)
        while len(turn := game.turn()):
            state = game.states[0]
            assert not over(board) and turn.legal is not None and turn.players[0] == (not board.turn)
            assert game.print_position(0) == board.fen(en_passant="legal")
            ours = {notation.uci(state, action): action for action in np.flatnonzero(turn.legal[0]).tolist()}
            assert set(ours) == {move.uci() for move in board.legal_moves}
            word = str(rng.choice(sorted(ours)))
            if turn.plies[0] % written == 0:
                for text, action in ours.items():
                    san = board.san(chess.Move.from_uci(text))
                    assert game.print_move(0, action) == san
                    assert game.parse_move(0, san) == game.parse_move(0, text) == action
            board.push_uci(word)
            rewards += game.step(np.array([ours[word]])).rewards[0]
        assert over(board)
        outcome = board.outcome(claim_draw=True)
        winner = None if outcome is None else outcome.winner
        assert rewards.tolist() == ([0, 0] if winner is None else [1, -1] if winner else [-1, 1])
        results.add(tuple(rewards.tolist()))
    return results


def over(board: Any) -> bool:
    """Whether the game is over by our rules: draws that FIDE lets a player claim end it of themselves."""
    return bool(board.is_game_over() or board.is_repetition(3) or board.halfmove_clock >= 100)


@pytest.mark.parametrize("start", STARTS)
def test_equal_to_python_chess(start: str) -> None:
    results = compare(start, 8 if start == notation.START else 6, 20)
    if start == notation.START:
        assert len(results) > 1


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
def test_equal_to_python_chess_over_many_games(start: str) -> None:
    compare(start, 1_250, 50)


def test_the_scholars_mate_and_how_moves_may_be_written() -> None:
    game = board_game()
    for word in ("e4", "e7e5", "Bc4", "b8-c6", "Qd1h5", "Nf6?!", "Qxf7#"):
        outcome = game.step(np.array([game.parse_move(0, word)]))
    assert outcome.finished[0] and outcome.rewards[0].tolist() == [1, -1]
    game = board_game()
    game.parse_position(0, "r3k2r/1P6/8/8/8/8/8/R3K2R w KQkq - 0 1")
    for word in ("0-0", "O-O-O", "e1g1", "b8=Q", "b8Q", "b7b8n", "bxa8=R+", "ba8=Q", "Rxa8+", "R1a7"):
        if word == "R1a7":
            with pytest.raises(UsageError, match="no legal move"):
                game.parse_move(0, word)
        else:
            assert game.turn().legal[0, game.parse_move(0, word)], word  # type: ignore[index]


def test_repetition_and_fifty_moves_end_the_game() -> None:
    game = board_game()
    for _ in range(2):
        for word in ("Nf3", "Nf6", "Ng1", "Ng8"):
            outcome = game.step(np.array([game.parse_move(0, word)]))
    assert outcome.finished[0] and not outcome.rewards.any(), "the start stands for the third time"
    game.parse_position(0, "4k3/8/8/8/8/8/8/4K2R w K - 98 90")
    game.step(np.array([game.parse_move(0, "Ke2")]))
    assert game.step(np.array([game.parse_move(0, "Ke7")])).finished[0]
    game.parse_position(0, "7k/8/5KQ1/8/8/8/8/8 w - - 99 90")
    outcome = game.step(np.array([game.parse_move(0, "Qg7#")]))
    assert outcome.rewards[0].tolist() == [1, -1], "mate on the last ply counts"


@pytest.mark.parametrize(
    "fen",
    [
        "",
        "e4",
        "8/8/8/8/8/8/8/8 w - - 0 1",
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR x KQkq - 0 1",
        "rnbqkbnr/pppppppp/9/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
        "k7/8/8/8/8/8/8/K7 w - e3 0 1",
        "k7/8/8/8/8/8/8/KP6 w - - 0 1",
        "k7/8/8/8/8/8/8/R6K w - - 0 1",
        "k7/8/8/8/8/8/8/K7 w QQ - 0 1",
        "k7/8/8/8/8/8/8/K6R w - - 100 1",
        "kk6/8/8/8/8/8/8/K6R w - - 0 1",
        "4k3/8/8/8/8/3B4/8/4K3 w - - 0 1",
        "7k/6Q1/6K1/8/8/8/8/8 b - - 0 1",
    ],
)
def test_a_wrong_fen_is_the_users_error(fen: str) -> None:
    game = board_game()
    before = game.print_position(0)
    with pytest.raises(UsageError, match="position of chess"):
        game.parse_position(0, fen)
    assert game.print_position(0) == before


def test_games_without_a_notation_say_so() -> None:
    game = make("kuhn_poker", 1)
    assert isinstance(game, BatchedGame)
    with pytest.raises(UsageError, match="no notation"):
        game.print_position(0)
    with pytest.raises(UsageError, match="no notation"):
        game.parse_position(0, "x")
