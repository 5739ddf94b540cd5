"""A classic game of PettingZoo's, random legal play through its AEC loop."""

import importlib
import random
from typing import Any

import numpy as np

from lanista.bench.worker import Work, repeat


def begin(game: str = "connect_four_v3", **options: Any) -> Work:
    """Make a standard environment.

    Args:
        game: its module in `pettingzoo.classic`.
        options: of the environment.
    """
    env = importlib.import_module(f"pettingzoo.classic.{game}").env(**options)

    def play() -> float:
        env.reset()
        steps = 0
        while True:
            observation, _, terminated, truncated, _ = env.last()
            if terminated or truncated:
                return steps
            # Quicker than the action space's own `sample`.
            env.step(random.choice(np.flatnonzero(observation["action_mask"]).tolist()))
            steps += 1

    return lambda seconds: {"steps": repeat(play, seconds)}
