"""`handicapped:depth=4,random=0.2`: minimax that plays so many of its moves at random; an opponent of any strength."""

from __future__ import annotations

import numpy as np

from lanista.agents.kinds.minimax import MinimaxAgent
from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.envs.draws import mixed, random_legal
from lanista.errors import UsageError


def make(depth: int = 1, random: float = 0.2) -> HandicappedAgent:
    """The agent that now and then does not think.

    Args:
        depth: of its search, in plies.
        random: the share of moves that are drawn from the legal ones, in [0, 1].
    """
    if not 0 <= random <= 1:
        raise UsageError(f"handicapped plays a share of 0 to 1 of its moves at random, not {random:g}")
    return HandicappedAgent(depth, random)


class HandicappedAgent:
    """Minimax, but for a share of the moves."""

    def __init__(self, depth: int, random: float) -> None:
        self.name = f"handicapped:depth={depth},random={random:g}"
        self._thinker, self._random, self._seed = MinimaxAgent(depth), random, 0

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played; minimax refuses what it cannot play."""
        self._thinker.start(spec, seed)
        self._seed = seed

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """A move a row. All chance comes from the row's own draw, so a game is played again from its seed."""
        assert turn.legal is not None  # (k, num_actions)
        own = mixed(turn.draws, np.uint64(self._seed % 2**64))
        careless = (mixed(own, np.uint64(1)) >> np.uint64(11)) * 2.0**-53 < self._random  # (k,)
        thought = self._thinker.act(turn).actions
        return Choice(np.where(careless, random_legal(turn.legal, mixed(own, np.uint64(2))), thought))
