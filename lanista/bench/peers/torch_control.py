"""The bound of small networks: PPO on CartPole as a bare loop in torch, for this environment and nothing else.

Gymnasium's own vector environment, a network of two trunks, a rollout, advantages, epochs; with what makes torch itself
fast: no gradients and no `torch.distributions` in the rollout, log_softmax, fused Adam.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.bench.worker import Work, repeat


def trunk(outputs: int) -> nn.Sequential:
    """A perceptron of two layers of 64 units over CartPole's four numbers."""
    return nn.Sequential(nn.Linear(4, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


def begin(
    envs: int, plies: int, epochs: int, minibatch: int, learning_rate: float, entropy: float, gamma: float,
    gae_lambda: float, clip: float, value: float, norm: float,
) -> Work:  # fmt: skip
    """Make the environments and the network.

    Args:
        envs, plies: rows of a batch.
        epochs, minibatch: passes over it, and rows a gradient step.
        learning_rate: Adam's.
        entropy, gamma, gae_lambda, clip, value, norm: of the loss and the advantages.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    actor, critic = trunk(2), trunk(1)
    parameters = [*actor.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, eps=1e-5, fused=True)
    env = gymnasium.make_vec("CartPole-v1", num_envs=envs, vectorization_mode="vector_entry_point")
    now: dict[str, Any] = {"seen": env.reset(seed=0)[0], "over": np.zeros(envs, bool)}

    @torch.inference_mode()
    def rollout() -> list[Tensor]:
        seen, over = now["seen"], now["over"]
        rows: list[list[Tensor]] = [[] for _ in range(6)]
        for _ in range(plies):
            observation = torch.from_numpy(seen)
            log_policy, worth = F.log_softmax(actor(observation), -1), critic(observation).squeeze(-1)
            # The greatest of log-probabilities with Gumbel noise is a draw from the policy.
            action = (log_policy - torch.empty_like(log_policy).exponential_().log_()).argmax(-1)
            seen, reward, terminated, truncated, _ = env.step(action.numpy())
            log = log_policy.gather(1, action[:, None]).squeeze(1)
            told = (observation, action, log, worth, torch.from_numpy(reward).float(), torch.from_numpy(over))
            for column, one in zip(rows, told, strict=True):
                column.append(one)
            over = terminated | truncated
        now.update(seen=seen, over=over)
        ahead, ended = critic(torch.from_numpy(seen)).squeeze(-1), torch.from_numpy(over)
        gain, gains = torch.zeros(envs), []
        for worth, reward, begun in zip(reversed(rows[3]), reversed(rows[4]), reversed(rows[5]), strict=True):
            goes_on = (~ended).float()
            gain = reward + gamma * goes_on * (ahead + gae_lambda * gain) - worth
            gains.append(gain)
            ahead, ended = worth, begun
        advantage, worth = torch.cat(gains[::-1]), torch.cat(rows[3])
        return [*(torch.cat(column) for column in rows[:3]), advantage, advantage + worth]

    def once() -> float:
        batch = [column.clone() for column in rollout()]  # out of inference mode: the gradient may keep them
        for _ in range(epochs):
            for pick in torch.split(torch.randperm(envs * plies), minibatch):
                observation, action, old, advantage, returns = (column[pick] for column in batch)
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                log_policy = F.log_softmax(actor(observation), -1)
                ratio = (log_policy.gather(1, action[:, None]).squeeze(1) - old).exp()
                surrogate = -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
                spread = -(log_policy.exp() * log_policy).sum(-1).mean()
                loss = surrogate + value * F.mse_loss(critic(observation).squeeze(-1), returns) - entropy * spread
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, norm)
                optimizer.step()
        return float(envs * plies)

    return lambda seconds: {"steps": repeat(once, seconds)}
