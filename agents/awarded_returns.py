"""What players have of a game that the rules of the game did not end: forfeits and adjudications."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lanista.agents.adjudication import RESIGN
from lanista.envs.core import GameSpec


def forfeit_returns(spec: GameSpec, sums: Sequence[float], failed: Sequence[int]) -> tuple[float, ...]:
    """What each player has of a game that some lost by a failure.

    Args:
        spec: the game.
        sums: each player's rewards until then.
        failed: the players that failed.

    Returns:
        The least return of the game for those that failed, the greatest for the others. Where the game has no such
        bound: one less than the least of all sums so far and 0, one more than the greatest, so that the order holds.
    """
    least, greatest = spec.returns
    least = least if math.isfinite(least) else min(0.0, *sums) - 1
    greatest = greatest if math.isfinite(greatest) else max(0.0, *sums) + 1
    return tuple(float(least if player in failed else greatest) for player in range(spec.players))


def adjudicated_returns(spec: GameSpec, reason: str, sums: Sequence[float], player: int) -> tuple[float, ...]:
    """What each player has of a game that was adjudicated.

    Args:
        spec: the game, of two players.
        reason: one of `adjudication.ADJUDICATED`.
        sums: each player's rewards until then.
        player: whose turn it was.

    Returns:
        The least return for who gave up and the greatest for the other; of a draw the same for both, the middle of the
        game's returns, or where these have no bounds the mean of the sums.
    """
    if reason == RESIGN:
        return forfeit_returns(spec, sums, [player])
    least, greatest = spec.returns
    bounded = math.isfinite(least) and math.isfinite(greatest)
    even = (least + greatest) / 2 if bounded else sum(sums) / len(sums)
    return (float(even),) * spec.players
