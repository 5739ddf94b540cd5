"""Which row follows which: compiled, since a batch of small environments is hundreds of plies of a few rows."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np

UNKNOWN = -2  # what follows is not known yet
END = -1  # nothing follows: the game ended


@numba.njit(cache=True, nogil=True)
def link(
    copies: Any, players: Any, starts: Any, gained: Any, terminated: Any, truncated: Any, over: Any,
    cut_copies: Any, cut_players: Any, cut_starts: Any, upcoming_copies: Any, upcoming_players: Any, shared: Any,
) -> Any:  # fmt: skip
    """Follow each seat, or each copy, backward from what is upcoming.

    Args:
        copies, players: (rows,) of all plies, one after the other.
        starts: (plies + 1,) where each ply's rows begin.
        gained: (plies, copies, players) rewards.
        terminated, truncated: (plies, copies, players) bool.
        over: (plies, copies) bool: the copy's game is over, or void.
        cut_copies, cut_players: (cuts,) the seats that were cut off, ply after ply.
        cut_starts: (plies + 1,) where each ply's begin.
        upcoming_copies, upcoming_players: (upcoming,) the seats that act next.
        shared: whether the copy's next row, whoever moves, is what follows a row; else it is its own seat's.

    Returns:
        following: (rows,) a row, or `rows` plus a place among the upcoming and then the cuts, `END` or `UNKNOWN`;
        rewards: (rows,) float32 what the row's player got until then;
        sign: (rows,) float32, -1 where what follows is the other player's.
    """
    rows, plies = len(copies), len(starts) - 1
    following, rewards = np.empty(rows, np.int64), np.empty(rows, np.float32)
    sign = np.ones(rows, np.float32)
    ahead = np.full(gained.shape[1:], UNKNOWN, np.int64)
    pending = np.zeros(gained.shape[1:], np.float32)
    mover = np.zeros(gained.shape[1], np.int64)
    for place in range(len(upcoming_copies)):
        copy, player = upcoming_copies[place], upcoming_players[place]
        mover[copy] = player
        if shared:
            ahead[copy] = rows + place
        else:
            ahead[copy, player] = rows + place
    for ply in range(plies - 1, -1, -1):
        for copy in range(gained.shape[1]):
            for player in range(gained.shape[2]):
                if over[ply, copy] or terminated[ply, copy, player] or truncated[ply, copy, player]:
                    pending[copy, player] = 0
                    ahead[copy, player] = END
                pending[copy, player] += gained[ply, copy, player]
        for cut in range(cut_starts[ply], cut_starts[ply + 1]):
            copy, player = cut_copies[cut], cut_players[cut]
            mover[copy] = player
            if shared:
                ahead[copy] = rows + len(upcoming_copies) + cut
            else:
                ahead[copy, player] = rows + len(upcoming_copies) + cut
        for row in range(starts[ply], starts[ply + 1]):
            copy, player = copies[row], players[row]
            following[row] = ahead[copy, player]
            rewards[row] = pending[copy, player]
            if shared:
                sign[row] = 1 if mover[copy] == player else -1
                mover[copy] = player
                pending[copy] = 0
                ahead[copy] = row
            else:
                pending[copy, player] = 0
                ahead[copy, player] = row
    return following, rewards, sign
