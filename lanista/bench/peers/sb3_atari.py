"""Stable-Baselines3's PPO with its CnnPolicy on ale_py's vector environment, the same that all sides step."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from ale_py.vector_env import AtariVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import VecEnv

from lanista.bench.worker import Work, repeat


class Frames(VecEnv):
    """ale_py's vector environment as SB3 takes one.

    It begins an ended game in the step after its end, and SB3 reads the observation that comes with an end as the next
    game's first: the one step between is learned from as any other, which costs no time.
    """

    def __init__(self, game: str, envs: int) -> None:
        self.env = AtariVectorEnv(game, envs, reward_clipping=True)
        space = self.env.single_observation_space
        super().__init__(envs, gymnasium.spaces.Box(0, 255, space.shape, np.uint8), self.env.single_action_space)
        self._actions: Any = None

    def reset(self) -> Any:
        return self.env.reset(seed=0)[0]

    def step_async(self, actions: Any) -> None:
        self._actions = actions

    def step_wait(self) -> Any:
        seen, rewards, terminated, truncated, _ = self.env.step(self._actions)
        over = terminated | truncated
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for number in np.flatnonzero(over):
            infos[number] = {"terminal_observation": seen[number], "TimeLimit.truncated": bool(truncated[number])}
        return seen, rewards.astype(np.float32), over, infos

    def close(self) -> None:
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        return [None] * self.num_envs

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        raise NotImplementedError("nothing is set in these environments")

    def env_method(self, method_name: str, *arguments: Any, indices: Any = None, **named: Any) -> list[Any]:
        raise NotImplementedError("these environments have no methods of their own")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        return [False] * self.num_envs


def begin(
    game: str, envs: int, plies: int, epochs: int, minibatch: int, learning_rate: float, entropy: float, gamma: float,
    gae_lambda: float, clip: float, value: float, norm: float, dim: int,
) -> Work:  # fmt: skip
    """Build the model; the arguments are those of `torch_atari.begin`."""
    torch.set_num_threads(1)
    model = PPO(
        "CnnPolicy",
        Frames(game, envs),
        n_steps=plies,
        n_epochs=epochs,
        batch_size=minibatch,
        learning_rate=learning_rate,
        clip_range=clip,
        ent_coef=entropy,
        gamma=gamma,
        gae_lambda=gae_lambda,
        vf_coef=value,
        max_grad_norm=norm,
        policy_kwargs={"features_extractor_kwargs": {"features_dim": dim}},
        seed=0,
        device="cpu",
    )

    def once() -> float:
        before = model.num_timesteps
        model.learn(envs * plies, reset_num_timesteps=False)
        return float(model.num_timesteps - before)

    return lambda seconds: {"steps": repeat(once, seconds)}
