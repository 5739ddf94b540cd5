"""The bound of Atari: PPO on ale_py's vector environment as a bare loop in torch, and nothing else."""

from __future__ import annotations

from typing import Any

import torch
from ale_py.vector_env import AtariVectorEnv

from lanista.agents.policy_network import keep_memory
from lanista.bench.peers.atari_network import AtariNetwork
from lanista.bench.peers.torch_ppo import bare_loop
from lanista.bench.worker import Work


def begin(game: str, envs: int, dim: int, bfloat16: bool = False, **same: Any) -> Work:
    """Make the environments and the network.

    Args:
        game: ale_py's name.
        envs: how many.
        dim: units of the linear layer.
        bfloat16: compute in it.
        same: the other arguments of `bare_loop`.
    """
    torch.set_num_threads(1)
    keep_memory()
    torch.manual_seed(0)
    env: Any = AtariVectorEnv(game, envs, reward_clipping=True)
    network = AtariNetwork(int(env.single_action_space.n), dim)
    autocast = torch.autocast("cpu", torch.bfloat16) if bfloat16 else None
    return bare_loop(env, network, list(network.parameters()), envs=envs, autocast=autocast, **same)
