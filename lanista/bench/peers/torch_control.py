"""The bound of small networks: PPO on CartPole as a bare loop in torch, for this environment and nothing else.

Gymnasium's own vector environment and a network of two trunks.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import torch
from torch import Tensor, nn

from lanista.bench.peers.torch_ppo import bare_loop
from lanista.bench.worker import Work


def trunk(outputs: int) -> nn.Sequential:
    """A perceptron of two layers of 64 units over CartPole's four numbers."""
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


def begin(envs: int, **same: Any) -> Work:
    """Make the environments and the network.

    Args:
        envs: how many.
        same: the other arguments of `bare_loop`.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    actor, critic = trunk(2), trunk(1)
    env = gymnasium.make_vec("CartPole-v1", num_envs=envs, vectorization_mode="vector_entry_point")

    def network(observation: Tensor) -> tuple[Tensor, Tensor]:
        return actor(observation), critic(observation).squeeze(-1)

    return bare_loop(env, network, [*actor.parameters(), *critic.parameters()], envs=envs, **same)
