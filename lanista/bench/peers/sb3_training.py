"""Stable-Baselines3's MaskablePPO through the wrapper of PettingZoo's own tutorial, with the same network.

The tutorial has one environment; as many side by side as is best for it are used here.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import torch
from pettingzoo.classic import connect_four_v3
from pettingzoo.utils import BaseWrapper
from sb3_contrib import MaskablePPO
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import Tensor

from lanista.bench.peers.board_network import BoardFeatures
from lanista.bench.worker import Work, repeat


class SelfPlayWrapper(BaseWrapper, gymnasium.Env[Any, Any]):  # type: ignore[misc]
    """The tutorial's `SB3ActionMaskWrapper`: whoever is to move is the one agent that SB3 sees."""

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.env.reset(seed, options)
        first = self.possible_agents[0]
        self.observation_space = self.env.observation_space(first)["observation"]
        self.action_space = self.env.action_space(first)
        return self.observe(self.agent_selection), {}

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        mover = self.agent_selection
        self.env.step(action)
        return (
            self.observe(self.agent_selection),
            self._cumulative_rewards[mover],
            self.terminations[mover],
            self.truncations[mover],
            self.infos[mover],
        )

    def observe(self, agent: str) -> Any:
        return self.env.observe(agent)["observation"]

    def action_mask(self) -> Any:
        """The legal actions of whoever is to move."""
        return self.env.observe(self.agent_selection)["action_mask"]


class Extractor(BaseFeaturesExtractor):
    """The network up to its heads, as SB3 takes it; the heads are SB3's, without layers between."""

    def __init__(self, observation_space: Any, channels: int, blocks: int, dim: int) -> None:
        super().__init__(observation_space, dim)
        self.features = BoardFeatures((2, 6, 7), channels, blocks, dim)

    def forward(self, observations: Tensor) -> Tensor:
        features: Tensor = self.features(observations.permute(0, 3, 1, 2))
        return features


def masked() -> Any:
    """One environment."""
    env = SelfPlayWrapper(connect_four_v3.env())
    env.reset()  # the spaces are there only after
    return ActionMasker(env, lambda _: env.action_mask())  # of a name it would call the bound method, with `env` too


def begin(
    envs: int, batch: int, epochs: int, minibatch: int, learning_rate: float, channels: int, blocks: int, dim: int
) -> Work:
    """Build the model.

    Args:
        envs: environments side by side.
        batch, epochs, minibatch: rows of an update, passes over them, rows a gradient step.
        learning_rate: Adam's.
        channels, blocks, dim: of the network.
    """
    torch.set_num_threads(1)
    model = MaskablePPO(
        "MlpPolicy",
        DummyVecEnv([masked] * envs),
        learning_rate=learning_rate,
        n_steps=batch // envs,
        batch_size=minibatch,
        n_epochs=epochs,
        gamma=1.0,
        gae_lambda=0.95,
        clip_range=0.2,
        ent_coef=0.03,
        vf_coef=0.5,
        max_grad_norm=0.5,
        policy_kwargs={
            "features_extractor_class": Extractor,
            "features_extractor_kwargs": {"channels": channels, "blocks": blocks, "dim": dim},
            "net_arch": [],
            "ortho_init": False,  # it cannot write to weights in channels-last order, which are faster
        },
        device="cpu",
    )

    def once() -> float:
        before = model.num_timesteps
        model.learn(batch, reset_num_timesteps=False)
        return float(model.num_timesteps - before)

    return lambda seconds: {"steps": repeat(once, seconds)}
