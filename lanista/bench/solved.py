"""When CartPole is solved, for all who learn it: the mean of the last 100 training episodes is 475 of 500.

This file imports nothing, since it also runs in environments where only a peer's library is installed.
"""

EPISODES = 100
STEPS = 100_000  # over which rates fall that fall with a run, as in rl-baselines3-zoo; a run may be longer
MEAN = 475.0


def is_solved(returns: list[float]) -> bool:
    """Whether these returns of training episodes, in order, end in a solution."""
    return len(returns) >= EPISODES and sum(returns[-EPISODES:]) / EPISODES >= MEAN


def solved(reached: bool, environment_steps: float) -> dict[str, float]:
    """What a run tells: it is one step of the race, whether it reached the mean or its time ran out."""
    return {"steps": 1.0, "solved": float(reached), "environment_steps": float(environment_steps)}
