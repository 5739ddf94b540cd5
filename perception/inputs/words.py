"""Texts as rows of words: a number for each, the same in every game and task, so that no tokeniser is learnt.

Words are hashed (Weinberger et al. 2009, arXiv:0902.2206), so that no game needs a vocabulary of its own and what is
learnt about a word in one level holds in the next. Two words of the same number are read as one. What games show as
texts looks like this.
"""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
from gymnasium import spaces

MOST_WORDS = 64  # of a text; what follows is not read
TOKENS = 4096  # 0 is no word
UNKNOWN = "unknown"  # what stands for a word that no text of a game has, so that it is not taken for one of those
SPACE = spaces.Box(0, TOKENS - 1, (MOST_WORDS,), np.uint16)  # one-dimensional and uint16: what encoders know texts by


def token(word: str) -> int:
    """The number of a word, 1 to `TOKENS` - 1, however it is capitalised."""
    return crc32(word.lower().encode()) % (TOKENS - 1) + 1


@lru_cache(maxsize=4096)
def tokens(text: str) -> np.ndarray:
    """The numbers of a text's words, (MOST_WORDS,) uint16, not to be written to; 0 after the last."""
    row = np.zeros(MOST_WORDS, np.uint16)
    words = re.findall(r"\w+", text)[:MOST_WORDS]
    row[: len(words)] = [token(word) for word in words]
    row.flags.writeable = False
    return row


@dataclasses.dataclass(frozen=True)
class WordsInput:
    """Texts become rows of the numbers of their words, as games show them."""

    name: ClassVar[str] = "words"
    modality: ClassVar[str] = "text"

    @property
    def space(self) -> spaces.Box:
        """(MOST_WORDS,) numbers of words."""
        return SPACE

    def fit(self, raw: Any, rate: int = 0) -> np.ndarray:
        """A list of texts -> (n, MOST_WORDS) uint16."""
        return np.stack([tokens(str(text)) for text in raw]) if len(raw) else np.zeros((0, MOST_WORDS), np.uint16)

    def read(self, source: str | Path) -> np.ndarray:
        """A text itself -> (MOST_WORDS,) uint16."""
        return tokens(str(source))

    def describe(self) -> dict[str, Any]:
        """The kind, which is all there is."""
        return {"kind": self.name}


INPUT = WordsInput
