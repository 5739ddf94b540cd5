"""PettingZoo's connect_four_v3, random legal play through its AEC loop."""

import random

import numpy as np
from pettingzoo.classic import connect_four_v3

from lanista.bench.worker import Work, repeat


def begin() -> Work:
    """Make its standard environment."""
    env = connect_four_v3.env()

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
