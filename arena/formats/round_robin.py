"""Round robin: everyone meets everyone else in the same number of games."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from lanista.arena.formats import Pairing
from lanista.arena.store import StoredGame


def pairings(names: Sequence[str], games: int, played: Sequence[StoredGame]) -> list[Pairing]:
    """All pairings at once; who was in the tournament before is not asked.

    Args:
        names: who takes part.
        games: of each two contestants, even.
        played: what was played so far.
    """
    # Openings in the outer loop: a tournament that is cut short has played about as much of each pairing.
    return [
        Pairing(one, other, number) for number in range(games // 2) for one, other in combinations(sorted(names), 2)
    ]
