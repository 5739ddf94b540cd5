"""Random actions that are drawn before anything is measured, so that drawing them costs no side anything.

Imports nothing of ours, since peers that run where Lanista is not installed use it too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

PLIES = 128  # of actions that are drawn, and played again and again


def drawn_actions(space: Any, copies: int) -> Any:
    """Actions for `PLIES` steps of `copies` copies, the same in every process.

    Args:
        space: one copy's actions: Gymnasium's Discrete that counts from 0, or a bounded Box.
        copies: how many play.

    Returns:
        (PLIES, copies) int64, or (PLIES, copies, *shape) of the Box's type.
    """
    random = np.random.default_rng(0)
    if hasattr(space, "n"):
        return random.integers(0, int(space.n), (PLIES, copies))
    return random.uniform(space.low, space.high, (PLIES, copies, *space.shape)).astype(space.dtype)
