"""Games of a chess engine against itself by python-chess's engine client, as its documentation shows it."""

from __future__ import annotations

import asyncio
import random

import chess
import chess.engine

from lanista.bench.worker import Work, repeat

PLIES = 8  # random ones before the engine begins


def begin(program: str, nodes: int, at_once: int) -> Work:
    """Start the engine.

    Args:
        program: its name.
        nodes: a move.
        at_once: so many games are played together, and so many processes of the engine think.
    """
    loop = asyncio.new_event_loop()
    engines = [loop.run_until_complete(chess.engine.popen_uci(program))[1] for _ in range(at_once)]
    draws = random.Random(0)
    limit = chess.engine.Limit(nodes=nodes)

    async def game(engine: chess.engine.UciProtocol, board: chess.Board) -> int:
        moves, key = 0, object()  # another object is another game: the engine is told to forget the last one
        while not over(board):
            result = await engine.play(board, limit, game=key)
            assert result.move is not None
            board.push(result.move)
            moves += 1
        return moves

    async def round_of_games() -> int:
        return sum(await asyncio.gather(*(game(engine, opening(draws)) for engine in engines)))

    def play() -> float:
        return loop.run_until_complete(round_of_games())

    play()
    return lambda seconds: {"steps": repeat(play, seconds)}


def over(board: chess.Board) -> bool:
    """Whether a game has ended as Lanista's does: claims of draws that a move would bring are not looked for."""
    return board.is_game_over() or board.halfmove_clock >= 100 or board.is_repetition(3)


def opening(draws: random.Random) -> chess.Board:
    """A board after random moves that end no game."""
    while True:
        board = chess.Board()
        for _ in range(PLIES):
            if board.is_game_over():
                break
            board.push(draws.choice(list(board.legal_moves)))
        if not board.is_game_over():
            return board
