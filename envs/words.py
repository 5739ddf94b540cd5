"""Texts that games show as rows of tokens: a number for each word, the same in every game.

Words are hashed (Weinberger et al. 2009, arXiv:0902.2206), so that no game needs a vocabulary of its own and what is
learnt about a word in one level holds in the next. Two words of the same number are read as one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from zlib import crc32

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array

MOST_WORDS = 64  # of a text; what follows is not read
TOKENS = 4096  # 0 is no word
UNKNOWN = "unknown"  # what stands for a word that no text of a game has, so that it is not taken for one of those
SPACE = spaces.Box(0, TOKENS - 1, (MOST_WORDS,), np.uint16)  # one-dimensional and uint16: what encoders know texts by


def token(word: str) -> int:
    """The number of a word, 1 to `TOKENS` - 1, however it is capitalised."""
    return crc32(word.lower().encode()) % (TOKENS - 1) + 1


@lru_cache(maxsize=4096)
def tokens(text: str) -> Array:
    """The numbers of a text's words, (MOST_WORDS,) uint16, not to be written to; 0 after the last."""
    row = np.zeros(MOST_WORDS, np.uint16)
    words = re.findall(r"\w+", text)[:MOST_WORDS]
    row[: len(words)] = [token(word) for word in words]
    row.flags.writeable = False
    return row
