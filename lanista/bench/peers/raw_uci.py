"""A chess engine asked the positions of its own games over again, by pipes and nothing else.

No rules, clocks, checks or limits: what the words and the engine cost at least, whoever sends them.
"""

from __future__ import annotations

import os
import random
import subprocess

import chess

from lanista.bench.peers.chess_engine_loop import opening, over
from lanista.bench.worker import Work, repeat


class Engine:
    """A process, and what it has said."""

    def __init__(self, program: str) -> None:
        """Start it, and wait until it is ready."""
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._to, self._back = self._process.stdin.fileno(), self._process.stdout.fileno()
        self.tell(b"uci\nisready\n")
        self.hear(b"readyok")

    def forget(self) -> None:
        """Let it begin another game."""
        self.tell(b"ucinewgame\nisready\n")
        self.hear(b"readyok")

    def tell(self, words: bytes) -> None:
        """Send."""
        os.write(self._to, words)

    def hear(self, awaited: bytes) -> bytes:
        """What it says until the end of a line that begins so."""
        said = b"\n"
        while (at := said.find(b"\n" + awaited)) < 0 or said.find(b"\n", at + 1) < 0:
            said += os.read(self._back, 1 << 16)
        return said


def begin(program: str, nodes: int, at_once: int) -> Work:
    """Start the engines, and let each play a game whose questions are kept.

    Args:
        program: its name.
        nodes: a move.
        at_once: so many processes of the engine, all asked before any is heard.
    """
    draws = random.Random(0)
    engines = [Engine(program) for _ in range(at_once)]
    games = [questions(engine, opening(draws), nodes) for engine in engines]

    def play() -> float:
        for engine in engines:
            engine.forget()  # else it would know all positions
        for ply in range(max(map(len, games))):
            asked = [(engine, game[ply]) for engine, game in zip(engines, games, strict=True) if ply < len(game)]
            for engine, question in asked:
                engine.tell(question)
            for engine, _ in asked:
                engine.hear(b"bestmove")
        return sum(map(len, games))

    play()
    return lambda seconds: {"steps": repeat(play, seconds)}


def questions(engine: Engine, board: chess.Board, nodes: int) -> list[bytes]:
    """What the engine is asked in a game against itself from this board on."""
    asked = []
    while not over(board):
        moves = " ".join(move.uci() for move in board.move_stack)
        asked.append(f"position startpos moves {moves}\ngo nodes {nodes}\n".encode())
        engine.tell(asked[-1])
        best = engine.hear(b"bestmove").rpartition(b"bestmove ")[2].split()[0]
        board.push_uci(best.decode())
    return asked
