"""A vector environment of another library as its own documentation steps it, random play in one batch."""

from typing import Any

import numpy as np

from lanista.bench.drawn_actions import PLIES, drawn_actions
from lanista.bench.worker import Work, repeat


def begin(library: str, name: str, copies: int) -> Work:
    """Make `copies` environments on one thread.

    Args:
        library: "ale_py", "envpool", "gymnasium" (the environment's own vector form), or "gymnasium sync" (Gymnasium's
            own loop over single environments).
        name: the environment's, in that library.
        copies: stepped together.
    """
    env, space = _made(library, name, copies)
    actions = list(drawn_actions(space, copies))
    env.reset()

    def play() -> float:
        ends: list[Any] = []
        for drawn in actions:
            _, _, terminated, truncated, _ = env.step(drawn)
            ends += (terminated, truncated)
        over = np.array(ends).reshape(PLIES, 2, copies).any(axis=1)
        return PLIES * copies - int(over.sum())  # each game that ended begins anew in the place of a move

    return lambda seconds: {"steps": repeat(play, seconds)}


def _made(library: str, name: str, copies: int) -> tuple[Any, Any]:
    """The environment, and the actions of one of its copies."""
    if library == "envpool":
        import envpool

        env = envpool.make(name, env_type="gymnasium", num_envs=copies, num_threads=1, seed=0)
        return env, env.action_space
    if library == "ale_py":
        from ale_py.vector_env import AtariVectorEnv

        # Its own default, as ours: a thread for each processor it may use, of which there is one here.
        env = AtariVectorEnv(name, copies)
        return env, env.single_action_space
    import gymnasium

    mode = "sync" if library == "gymnasium sync" else "vector_entry_point"
    env = gymnasium.make_vec(name, num_envs=copies, vectorization_mode=mode)
    return env, env.single_action_space
