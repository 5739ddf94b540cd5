"""Stable-Baselines3's PPO with its MlpPolicy on CartPole: steps a second, or whole runs until the pole is held up."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import count
from typing import Any

import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from lanista.bench.solved import EPISODES, STEPS, is_solved, solved
from lanista.bench.worker import Work, repeat

LONGEST = 10 * STEPS


def begin(
    envs: int, plies: int, epochs: int, minibatch: int, learning_rate: float, entropy: float, gamma: float,
    gae_lambda: float, clip: float, value: float, norm: float, solving: bool = False,
) -> Work:  # fmt: skip
    """Build the model.

    Args:
        envs, plies: rows of a batch.
        epochs, minibatch: passes over it, and rows a gradient step.
        learning_rate: Adam's.
        entropy, gamma, gae_lambda, clip, value, norm: SB3's `ent_coef`, `gamma`, `gae_lambda`, `clip_range`, `vf_coef`
            and `max_grad_norm`.
        solving: a slice is a run from the start, rate and clip range fall to nothing over it as in rl-baselines3-zoo,
            and the layers are SB3's own, with tanh.
    """
    torch.set_num_threads(1)

    def made(seed: int) -> Any:
        def falling(start: float) -> float | Callable[[float], float]:
            # Of SB3's progress over `LONGEST`; a run that goes on after `STEPS` does so with a tenth.
            return (lambda left: start * max(1 - (1 - left) * LONGEST / STEPS, 0.1)) if solving else start

        return PPO(
            "MlpPolicy",
            make_vec_env("CartPole-v1", n_envs=envs, seed=seed, vec_env_cls=DummyVecEnv),
            n_steps=plies,
            n_epochs=epochs,
            batch_size=minibatch,
            learning_rate=falling(learning_rate),
            clip_range=falling(clip),
            ent_coef=entropy,
            gamma=gamma,
            gae_lambda=gae_lambda,
            vf_coef=value,
            max_grad_norm=norm,
            policy_kwargs=None if solving else {"activation_fn": nn.ReLU},
            seed=seed,
            device="cpu",
            stats_window_size=EPISODES,
        )

    if solving:
        seeds = count()
        return lambda seconds: _solve(made(next(seeds)), seconds)
    model = made(0)

    def once() -> float:
        before = model.num_timesteps
        model.learn(envs * plies, reset_num_timesteps=False)
        return float(model.num_timesteps - before)

    return lambda seconds: {"steps": repeat(once, seconds)}


class _Watch(BaseCallback):
    """Ends a run when it is solved, or at its limit."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.end = time.process_time() + seconds
        self.solved = False

    def _on_step(self) -> bool:
        told = self.model.ep_info_buffer
        returns = [float(one["r"]) for one in told or ()]
        self.solved = is_solved(returns)
        return not self.solved and time.process_time() < self.end


def _solve(model: Any, seconds: float) -> dict[str, float]:
    watch = _Watch(seconds)
    model.learn(LONGEST, callback=watch)
    return solved(watch.solved, model.num_timesteps)
