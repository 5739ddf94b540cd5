"""Connect Four, solved by BitBully, a program of its own under the AGPL that is run beside ours and not linked into it.

Its scores count how soon: the sooner a win or the later a loss, the better. `pip install bitbully`.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lanista.envs.core import Floats
from lanista.errors import UsageError

PLIES = (11, 26)  # what is asked by default: earlier takes seconds a position, later is easy
COLUMNS = 7
SECONDS = 3600


def values(games: Sequence[Sequence[int]]) -> Floats:
    """What each column is worth after these moves: the greater, the better; NaN is full.

    Above 0 it wins, below it loses; BitBully's scores, which grow the sooner a win and the later a loss comes.

    Returns:
        (games, 7), for the player to move.

    Raises:
        UsageError: the solver is not installed, or failed.
    """
    if importlib.util.find_spec("bitbully") is None:
        raise UsageError("perfect play of connect_four needs the solver BitBully (AGPL): pip install bitbully")
    asked = json.dumps([[int(move) for move in moves] for moves in games])
    try:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("_bitbully.py"))],
            input=asked, capture_output=True, text=True, timeout=SECONDS,
        )  # fmt: skip
        found = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"BitBully did not answer: {error}") from None
    told = np.full((len(games), COLUMNS), np.nan, np.float32)
    for row, scores in enumerate(found):
        for column, score in scores.items():
            told[row, int(column)] = score
    return told
