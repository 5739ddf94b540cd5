"""`first-legal`: always the legal action with the lowest number. A floor without any chance in it."""

from __future__ import annotations

import numpy as np
from gymnasium import spaces

from lanista.envs.core import Array, Choice, GameSpec, Turn
from lanista.errors import UsageError


def make() -> FirstLegalAgent:
    """The agent that plays the first legal action."""
    return FirstLegalAgent()


class FirstLegalAgent:
    """Plays the legal action with the lowest number; of a MultiDiscrete action, in each of its parts."""

    name = "first-legal"
    quick = True  # as `random`

    def __init__(self) -> None:
        self._spec: GameSpec | None = None

    def start(self, spec: GameSpec, seed: int) -> None:
        """Be told which game is played.

        Raises:
            UsageError: its actions are not counted, so that none is the first.
        """
        for role in spec.roles:
            if not isinstance(role.action, spaces.Discrete | spaces.MultiDiscrete):
                raise UsageError(f"first-legal needs actions that are counted; those of {spec.name} are {role.action}")
        self._spec = spec

    def act(self, turn: Turn, memory: Array | None = None) -> Choice:
        """The first legal action of each row: (k,), or (k, m) for MultiDiscrete."""
        if self._spec is None:
            raise UsageError("the agent 'first-legal' was not started: call start(spec, seed) before act")
        space = self._spec.role(int(turn.players[0])).action
        if isinstance(space, spaces.MultiDiscrete):
            if turn.legal is None:
                return Choice(np.zeros((len(turn), len(space.nvec)), np.int64))
            parts = np.split(turn.legal, np.cumsum(space.nvec)[:-1], axis=1)
            return Choice(np.stack([part.argmax(axis=1) for part in parts], axis=1))
        if turn.legal is None:
            return Choice(np.zeros(len(turn), np.int64))
        return Choice(turn.legal.argmax(axis=1))
