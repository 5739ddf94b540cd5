"""One choice of several, where an agent was asked row by row or piece by piece."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lanista.envs.core import Array, Choice


def joined(pieces: Sequence[Choice]) -> Choice:
    """One choice for the rows of all pieces, which follow each other.

    Args:
        pieces: each of one row or of several. One that failed in all of its rows may have parts of any shape, or none.

    Returns:
        Their rows in order; parts that not all pieces with a good row have, or have in other shapes, are left out.
        Where that is the actions, every row has failed.
    """
    sizes = [len(piece.actions) for piece in pieces]
    each = list(zip(pieces, sizes, strict=True))
    failed: dict[int, str] = {}
    begin = 0
    for piece, rows in each:
        failed |= {begin + row: reason for row, reason in piece.failed.items()}
        begin += rows

    good = [len(piece.failed) < rows for piece, rows in each]  # of the others no part is looked at

    def stacked(name: str) -> Array | None:
        parts = [getattr(piece, name) for piece in pieces]
        told = [part for part, is_good in zip(parts, good, strict=True) if is_good]
        if not told or any(part is None or np.shape(part)[1:] != np.shape(told[0])[1:] for part in told):
            return None
        like = np.asarray(told[0])
        blanks = [np.zeros((rows, *like.shape[1:]), like.dtype) for rows in sizes]
        return np.concatenate([part if ok else blank for part, ok, blank in zip(parts, good, blanks, strict=True)])

    actions = stacked("actions")
    if actions is None:
        return Choice(np.zeros(begin, np.int64), failed=dict.fromkeys(range(begin), "malformed answer") | failed)
    waiting = None
    if any(piece.waiting is not None for piece in pieces):  # a piece that does not say so waits for nothing
        told = [np.zeros(n, bool) if piece.waiting is None else piece.waiting for piece, n in each]
        waiting = np.concatenate(told)
    return Choice(
        actions,
        stacked("policy"),
        stacked("value"),
        stacked("memory"),
        failed,
        waiting,
        stacked("seconds"),
    )
