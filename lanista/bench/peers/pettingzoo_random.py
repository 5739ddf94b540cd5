"""Random games one at a time through PettingZoo's AEC loop, as its documentation shows it, without any store."""

from __future__ import annotations

from pettingzoo.classic import connect_four_v3

from lanista.bench.worker import Work, repeat


def begin() -> Work:
    """Make the environment."""
    env = connect_four_v3.env()

    def play() -> float:
        env.reset()
        for agent in env.agent_iter():
            observation, _, terminated, truncated, _ = env.last()
            over = terminated or truncated
            env.step(None if over else env.action_space(agent).sample(observation["action_mask"]))
        return 1

    return lambda seconds: {"steps": repeat(play, seconds)}
