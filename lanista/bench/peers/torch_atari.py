"""The bound of Atari: PPO on ale_py's vector environment as a bare loop in torch, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from ale_py.vector_env import AtariVectorEnv
from torch import Tensor, nn

from lanista.agents.policy_network import keep_memory
from lanista.bench.peers.atari_network import AtariNetwork
from lanista.bench.worker import Work, repeat


def begin(
    game: str, envs: int, plies: int, epochs: int, minibatch: int, learning_rate: float, entropy: float, gamma: float,
    gae_lambda: float, clip: float, value: float, norm: float, dim: int, bfloat16: bool = False,
) -> Work:  # fmt: skip
    """Make the environments and the network.

    Args:
        game: ale_py's name.
        envs, plies: rows of a batch.
        epochs, minibatch: passes over it, and rows a gradient step.
        learning_rate: Adam's.
        entropy, gamma, gae_lambda, clip, value, norm: of the loss and the advantages.
        dim: units of the linear layer.
        bfloat16: compute in it.
    """
    torch.set_num_threads(1)
    keep_memory()
    torch.manual_seed(0)
    env: Any = AtariVectorEnv(game, envs, reward_clipping=True)
    network = AtariNetwork(int(env.single_action_space.n), dim)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate, eps=1e-5, fused=True)
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=bfloat16)
    now: dict[str, Any] = {"seen": env.reset(seed=0)[0], "over": np.zeros(envs, bool)}

    def rollout() -> list[Tensor]:
        seen, over = now["seen"], now["over"]
        rows: list[list[Tensor]] = [[] for _ in range(6)]
        for _ in range(plies):
            frames = torch.from_numpy(seen)
            logits, worth = network(frames)
            log_policy = F.log_softmax(logits.float(), -1)
            action = (log_policy - torch.empty_like(log_policy).exponential_().log_()).argmax(-1)
            seen, reward, terminated, truncated, _ = env.step(action.numpy())
            log = log_policy.gather(1, action[:, None]).squeeze(1)
            told = (frames, action, log, worth.float(), torch.from_numpy(reward).float(), torch.from_numpy(over))
            for column, one in zip(rows, told, strict=True):
                column.append(one)
            over = terminated | truncated
        now.update(seen=seen, over=over)
        ahead, ended = network(torch.from_numpy(seen))[1].float(), torch.from_numpy(over)
        gain, gains = torch.zeros(envs), []
        for worth, reward, begun in zip(reversed(rows[3]), reversed(rows[4]), reversed(rows[5]), strict=True):
            goes_on = (~ended).float()
            gain = reward + gamma * goes_on * (ahead + gae_lambda * gain) - worth
            gains.append(gain)
            ahead, ended = worth, begun
        advantage = torch.cat(gains[::-1])
        return [*(torch.cat(column) for column in rows[:3]), advantage, advantage + torch.cat(rows[3])]

    def once() -> float:
        with torch.inference_mode(), autocast:
            batch = rollout()
        batch = [column.clone() for column in batch]  # out of inference mode: the gradient may keep them
        for _ in range(epochs):
            for pick in torch.split(torch.randperm(envs * plies), minibatch):
                frames, action, old, advantage, returns = (column[pick] for column in batch)
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                with autocast:
                    logits, worth = network(frames)
                log_policy = F.log_softmax(logits.float(), -1)
                ratio = (log_policy.gather(1, action[:, None]).squeeze(1) - old).exp()
                surrogate = -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
                spread = -(log_policy.exp() * log_policy).sum(-1).mean()
                loss = surrogate + value * F.mse_loss(worth.float(), returns) - entropy * spread
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(network.parameters(), norm)
                optimizer.step()
        return float(envs * plies)

    return lambda seconds: {"steps": repeat(once, seconds)}
