"""Stock RLlib: its own runner, connectors and learner on PettingZoo's Connect Four, with the same network.

Self-play as RLlib's documentation has it: every agent is mapped to one module.
"""

from __future__ import annotations

import logging
import os
from typing import Any

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # before ray is imported

import ray
import torch
from pettingzoo.classic import connect_four_v3
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.columns import Columns
from ray.rllib.core.rl_module.apis.value_function_api import ValueFunctionAPI
from ray.rllib.core.rl_module.multi_rl_module import MultiRLModuleSpec
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.core.rl_module.torch import TorchRLModule
from ray.rllib.env.wrappers.pettingzoo_env import PettingZooEnv
from ray.rllib.utils.metrics import ENV_RUNNER_RESULTS, NUM_ENV_STEPS_SAMPLED_LIFETIME
from ray.tune.registry import register_env
from torch import Tensor

from lanista.bench.peers.board_network import BoardNetwork
from lanista.bench.worker import Work, repeat


class BoardModule(TorchRLModule, ValueFunctionAPI):  # type: ignore[misc]
    """RLlib's module around the plain network; the mask is applied inside."""

    def setup(self) -> None:
        self.net = BoardNetwork((2, 6, 7), 7, **self.model_config["network"])

    def _heads(self, batch: dict[str, Any]) -> tuple[Tensor, Tensor]:
        seen = batch[Columns.OBS]
        logits, value = self.net(seen["observation"].permute(0, 3, 1, 2), seen["action_mask"].bool())
        return logits, value

    def _forward(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        return {Columns.ACTION_DIST_INPUTS: self._heads(batch)[0]}

    def _forward_train(self, batch: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        logits, value = self._heads(batch)
        # The value goes along as the embedding, else the loss would run the network again for it.
        return {Columns.ACTION_DIST_INPUTS: logits, Columns.EMBEDDINGS: value}

    def compute_values(self, batch: dict[str, Any], embeddings: Any | None = None) -> Tensor:
        return self._heads(batch)[1] if embeddings is None else embeddings


def begin(
    envs: int, batch: int, epochs: int, minibatch: int, learning_rate: float, channels: int, blocks: int, dim: int
) -> Work:
    """Build the algorithm.

    Args:
        envs: environments in the runner.
        batch, epochs, minibatch: rows of an update, passes over them, rows a gradient step.
        learning_rate: Adam's.
        channels, blocks, dim: of the network.
    """
    torch.set_num_threads(1)
    logging.getLogger("ray").setLevel(logging.ERROR)
    ray.init(address="local", include_dashboard=False, log_to_driver=False, num_cpus=1)
    register_env("connect_four", lambda config: PettingZooEnv(connect_four_v3.env()))
    module = RLModuleSpec(
        module_class=BoardModule, model_config={"network": {"channels": channels, "blocks": blocks, "dim": dim}}
    )
    algorithm = (
        PPOConfig()
        .environment("connect_four")
        .multi_agent(policies={"main"}, policy_mapping_fn=lambda agent, episode, **kwargs: "main")
        # Left on, each step would validate all episodes that ended in this batch again.
        .env_runners(num_env_runners=0, num_envs_per_env_runner=envs, episodes_to_numpy=False)
        .learners(num_learners=0)
        .training(
            train_batch_size_per_learner=batch,
            num_epochs=epochs,
            minibatch_size=minibatch,
            lr=learning_rate,
            gamma=1.0,
            lambda_=0.95,
            clip_param=0.2,
            entropy_coeff=0.03,
            vf_loss_coeff=0.5,
            grad_clip=0.5,
            use_kl_loss=False,
        )
        .rl_module(rl_module_spec=MultiRLModuleSpec(rl_module_specs={"main": module}))
        .debugging(log_level="ERROR")
        .build_algo()
    )
    done = 0.0

    def once() -> float:
        nonlocal done
        before, done = done, float(algorithm.train()[ENV_RUNNER_RESULTS][NUM_ENV_STEPS_SAMPLED_LIFETIME])
        return done - before

    return lambda seconds: {"steps": repeat(once, seconds)}
