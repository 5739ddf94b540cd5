"""Bytes to a process and back, as many as an isolated agent is told and answers, without game, checks or limits.

What a move in a process of its own costs at least: the CPU time of the process that asks.
"""

from __future__ import annotations

import os
import subprocess
import sys

from lanista.bench.worker import Work, repeat_alone

ECHO = """
import os
while question := os.read(0, {asked}):
    while len(question) < {asked}:
        question += os.read(0, {asked} - len(question))
    os.write(1, bytes({answered}))
"""
AT_ONCE = 64  # questions between two looks at the clock


def begin(asked: int, answered: int) -> Work:
    """Start who answers.

    Args:
        asked: bytes of a question.
        answered: bytes of an answer.
    """
    program = [sys.executable, "-c", ECHO.format(asked=asked, answered=answered)]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None and process.stdout is not None
    to, back, question = process.stdin.fileno(), process.stdout.fileno(), bytes(asked)

    def ask() -> float:
        for _ in range(AT_ONCE):
            os.write(to, question)
            left = answered
            while left:
                left -= len(os.read(back, left))
        return AT_ONCE

    return lambda seconds: repeat_alone(ask, seconds)
