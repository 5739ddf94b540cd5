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

returns: list[float] = []  # of a run's episodes, here and not in a closure, of which Ray would hand on a copy


class Heard(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Tells the return of each episode that ends: RLlib's own mean is of another window."""

    def __init__(self, env: Any) -> None:
        super().__init__(env)
        self.sum = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.sum = 0.0
        return super().reset(seed=seed, options=options)

    def step(self, action: Any) -> Any:
        answer = super().step(action)
        self.sum += float(answer[1])
        if answer[2] or answer[3]:
            returns.append(self.sum)
        return answer


def made(config: Any) -> Heard:
    """An environment for RLlib."""
    return Heard(gymnasium.make("CartPole-v1"))


def begin(envs: int) -> Work:
    """Start Ray.

    Args:
        envs: environments in the runner, which is in this process.
    """
    torch.set_num_threads(1)
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=1)
    register_env("heard_cartpole", made)
    seeds = count()

    def solve(seconds: float) -> dict[str, float]:
        returns.clear()
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
        for update in count():
            if is_solved(returns) or (update and time.process_time() >= end):
                break
            algorithm.train()
        algorithm.stop()
        return solved(is_solved(returns), sum(returns))  # each step pays 1; those of episodes under way are left out

    return solve
