"""`gymnasium.utils.play` as it is: an Atari game at 60 frames a second in a window of its own, on a dummy screen."""

import contextlib
import os
import time
from typing import Any

from lanista.bench.worker import Work

FRAME = 1 / 60
LATE = FRAME + 0.005  # seconds after the frame before


class _EnoughError(Exception):
    """The slice is over."""


def begin(game: str) -> Work:
    """Make the environment, a step of which is one frame.

    Args:
        game: Gymnasium's id.
    """
    os.environ["SDL_VIDEODRIVER"] = "dummy"
    import ale_py
    import gymnasium
    import numpy as np
    from gymnasium.utils.play import play

    gymnasium.register_envs(ale_py)
    env = gymnasium.make(game, frameskip=1, repeat_action_probability=0.0, render_mode="rgb_array")

    def work(seconds: float) -> dict[str, float]:
        times: list[float] = []

        def step(*answer: Any) -> None:
            times.append(time.perf_counter())
            if times[-1] - times[0] > seconds:
                raise _EnoughError

        with contextlib.suppress(_EnoughError):
            play(env, fps=60, zoom=3, callback=step, noop=0)
        between = np.diff(times)
        rate, late = len(between) / float(between.sum()), float((between > LATE).mean())
        return {"steps": len(times), "rate": rate, "late": late}

    return work
