"""A board or card game of EnvPool's, C++, random legal play in one batch."""

import envpool
import numpy as np

from lanista.bench.worker import Work, repeat


def begin(copies: int, game: str = "ConnectFour-v1") -> Work:
    """Make `copies` games on one thread.

    Args:
        copies: stepped together.
        game: EnvPool's id.
    """
    env = envpool.make(game, env_type="gymnasium", num_envs=copies, num_threads=1)
    random = np.random.default_rng(0)
    legal = env.reset()[1]["legal_action_mask"]

    def play() -> float:
        nonlocal legal
        drawn = random.random(legal.shape, dtype=np.float32)
        info = env.step((drawn * legal).argmax(1).astype(np.int32))[4]
        legal = info["legal_action_mask"]
        return int((info["elapsed_step"] > 0).sum())  # the others began anew instead of moving

    return lambda seconds: {"steps": repeat(play, seconds)}
