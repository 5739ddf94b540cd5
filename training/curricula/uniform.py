"""`uniform`: every training level alike, whatever happened on it."""

from __future__ import annotations

import numpy as np

from lanista.envs.core import Ints
from lanista.training.curriculum import Curriculum


class Uniform(Curriculum):
    """Draws each level with the same probability."""

    def choose(self, count: int, random: np.random.Generator) -> Ints:
        return random.integers(self.levels, size=count)
