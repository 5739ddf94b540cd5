"""RLlib's PPO on CartPole with the settings of its own tuned example, run after run until the pole is held up."""

from __future__ import annotations

import logging
import time
from itertools import count
from typing import Any

import gymnasium
import ray
import torch
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.rl_module.default_model_config import DefaultModelConfig
from ray.tune.registry import register_env

from lanista.bench.solved import is_solved, solved
from lanista.bench.worker import Work


class Heard(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Tells the return of each episode that ends: RLlib's own mean is of another window."""

    def __init__(self, env: Any, returns: list[float]) -> None:
        super().__init__(env)
        self.returns, self.sum = returns, 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.sum = 0.0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        answer = super().step(action)
        self.sum += float(answer[1])
        if answer[2] or answer[3]:
            self.returns.append(self.sum)
        return answer


def begin(envs: int) -> Work:
    """Start Ray.

    Args:
        envs: environments in the runner, which is in this process.
    """
    torch.set_num_threads(1)
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=1)
    seeds = count()

    def solve(seconds: float) -> dict[str, float]:
        returns: list[float] = []
        register_env("heard_cartpole", lambda config: Heard(gymnasium.make("CartPole-v1"), returns))
        end = time.process_time() + seconds
        algorithm = (
            PPOConfig()
            .environment("heard_cartpole")
            .env_runners(num_env_runners=0, num_envs_per_env_runner=envs)
            .learners(num_learners=0)
            .training(lr=0.0003, num_epochs=6, vf_loss_coeff=0.01)
            .rl_module(
                model_config=DefaultModelConfig(fcnet_hiddens=[32], fcnet_activation="linear", vf_share_layers=True)
            )
            .debugging(seed=next(seeds), log_level="ERROR")
            .build_algo()
        )
        steps = 0.0
        while not is_solved(returns) and (not steps or time.process_time() < end):
            algorithm.train()
            steps = sum(returns)  # each step pays 1; those of episodes under way are not among them
        algorithm.stop()
        return solved(is_solved(returns), steps)

    return solve
