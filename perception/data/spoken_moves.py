"""Moves and commands said by synthetic voices as people say them at a board: "column four", "d four", "take back".

A phrase is one to six of 82 words: letters and the phonetic alphabet to "t", numbers to nineteen, and what games and
pages are told. A voice says it in one breath, without pauses between the words.
"""

from __future__ import annotations

import numpy as np

from lanista.perception.data._cast import ENGINES, RATE
from lanista.perception.data._parts_said import phrases_said
from lanista.perception.data.real_words import NUMBERS, PHONETIC
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="sound",
    licence="made here by free programs; their voices' licences leave what they say free",
    extra="perception",
    needs=ENGINES,
)
LETTERS = tuple("abcdefghijklmnopqrst")  # the columns of a board of Go, which has no "i", and of all smaller ones
ALPHABET = tuple(PHONETIC[: len(LETTERS)])
DIGITS = tuple(NUMBERS[number] for number in range(1, 20))
COMMANDS = (
    "undo", "take back", "hint", "pass", "resign", "new game", "yes", "no", "draw", "swap", "bet", "check", "call",
    "fold", "raise",
)  # fmt: skip
PIECES = ("queen", "rook", "bishop", "knight")  # that a pawn becomes
JOINTS = ("column", "to")
WORDS = (*LETTERS, *ALPHABET, *DIGITS, *dict.fromkeys(" ".join([*COMMANDS, *PIECES, *JOINTS]).split()))
LOW = 9  # most boards have no more rows
LOW_SHARE = 0.75


def load(most: int = 0) -> DataSet:
    """Each voice says phrases of its own. Parts "train", "valid" and "test" share no voice; the targets are texts.

    Args:
        most: voices in each part, at most; 0 for all.
    """
    return DataSet(phrases_said("spoken_moves", 30_000, draw_phrase, most), WORDS, RATE)


def draw_phrase(chance: np.random.Generator) -> str:
    """Something that might be said at a board."""

    def digit() -> str:
        return DIGITS[int(chance.integers(LOW if chance.random() < LOW_SHARE else len(DIGITS)))]

    def square() -> str:
        names = LETTERS if chance.random() < 0.6 else ALPHABET
        return f"{names[int(chance.integers(len(names)))]} {digit()}"

    kind = chance.random()
    if kind < 0.12:
        return digit()
    if kind < 0.27:
        return f"column {digit()}"
    if kind < 0.62:
        return square()
    if kind < 0.75:
        between = " to " if chance.random() < 0.4 else " "
        piece = f" {PIECES[int(chance.integers(len(PIECES)))]}" if chance.random() < 0.2 else ""
        return square() + between + square() + piece
    if kind < 0.8:
        return WORDS[int(chance.integers(len(LETTERS) + len(ALPHABET)))]
    return COMMANDS[int(chance.integers(len(COMMANDS)))]
