"""Environments of levels: what is seen shows the level, and a game that begins without one fails.

Importing this registers them, here and in other processes: `gym:level_environments:LanistaTestCorridor-v0`.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces

CORRIDOR = "gym:level_environments:LanistaTestCorridor-v0"
DRIFTING = "gym:level_environments:LanistaTestDrifting-v0"
SAME = "gym:level_environments:LanistaTestSame-v0"
GROUP = 1000  # a level is shown in groups of three digits, each exact in float32


class Corridor(gymnasium.Env[Any, Any]):
    """Pays 1 for each step that goes the way of the level's last bit; as long as asked for, or as the level says."""

    observation_space = spaces.Box(0, 10 * GROUP, (5,), np.float32)
    action_space = spaces.Discrete(2)

    def __init__(self, length: int = 0) -> None:
        self.length = length

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        assert seed is not None, "a game began on no level"
        super().reset(seed=seed)
        self.level, self.count = seed, 0
        self.hidden = int(self.np_random.integers(GROUP))  # what only the environment's own draws decide
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.count += 1
        over = self.count == (self.length or 3 + self.level % 5)
        return self._shown(), float(action == self.level % 2), over, False, {}

    def _shown(self) -> Any:
        groups = [self.level // GROUP**power % GROUP for power in range(3)]
        groups[2] += GROUP * (self.level // GROUP**3)
        return np.array([*groups, self.hidden, self.count], np.float32)


class Drifting(Corridor):
    """Begins differently each time, whatever its level."""

    begun = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        Drifting.begun += 1
        return super().reset(seed=Drifting.begun)


class Same(Corridor):
    """Has one level only."""

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        return super().reset(seed=7)


def shown_levels(observation: np.ndarray[Any, Any]) -> set[int]:
    """The levels in rows of (k, 5) observations."""
    groups = observation[:, :3].astype(np.int64)
    return set((groups @ np.array([1, GROUP, GROUP**2])).tolist())


for name in ("Corridor", "Drifting", "Same"):
    gymnasium.register(f"LanistaTest{name}-v0", f"{__name__}:{name}")
