"""A bare PPO loop in torch, the bound of small and of large networks: a rollout, advantages, epochs, and nothing else.

With what makes torch itself fast: no gradients and no `torch.distributions` in the rollout, log_softmax, fused Adam.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.bench.worker import Work, repeat


def bare_loop(
    env: Any, network: Callable[[Tensor], tuple[Tensor, Tensor]], parameters: Sequence[nn.Parameter], *,
    envs: int, plies: int, epochs: int, minibatch: int, learning_rate: float, entropy: float, gamma: float,
    gae_lambda: float, clip: float, value: float, norm: float, autocast: AbstractContextManager[Any] | None = None,
) -> Work:  # fmt: skip
    """Learn in a vector environment of Discrete actions.

    Args:
        env: as Gymnasium's vector environments.
        network: observations (rows, *shape) -> logits (rows, num_actions) and values (rows,).
        parameters: what it learns with.
        envs, plies: rows of a batch.
        epochs, minibatch: passes over it, and rows a gradient step.
        learning_rate: Adam's.
        entropy, gamma, gae_lambda, clip, value, norm: of the loss and the advantages.
        autocast: in which the network computes; None: in none.
    """
    precision = autocast if autocast is not None else nullcontext()
    optimizer = torch.optim.Adam(parameters, lr=learning_rate, eps=1e-5, fused=True)
    now: dict[str, Any] = {"seen": env.reset(seed=0)[0], "over": np.zeros(envs, bool)}

    def rollout() -> list[Tensor]:
        seen, over = now["seen"], now["over"]
        rows: list[list[Tensor]] = [[] for _ in range(6)]
        for _ in range(plies):
            observation = torch.from_numpy(seen)
            logits, worth = network(observation)
            log_policy = F.log_softmax(logits.float(), -1)
            # The greatest of log-probabilities with Gumbel noise is a draw from the policy.
            action = (log_policy - torch.empty_like(log_policy).exponential_().log_()).argmax(-1)
            seen, reward, terminated, truncated, _ = env.step(action.numpy())
            log = log_policy.gather(1, action[:, None]).squeeze(1)
            told = (observation, action, log, worth.float(), torch.from_numpy(reward).float(), torch.from_numpy(over))
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
        with torch.inference_mode(), precision:
            batch = rollout()
        batch = [column.clone() for column in batch]  # out of inference mode: the gradient may keep them
        for _ in range(epochs):
            for pick in torch.split(torch.randperm(envs * plies), minibatch):
                observation, action, old, advantage, returns = (column[pick] for column in batch)
                advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
                with precision:
                    logits, worth = network(observation)
                log_policy = F.log_softmax(logits.float(), -1)
                ratio = (log_policy.gather(1, action[:, None]).squeeze(1) - old).exp()
                surrogate = -torch.min(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage).mean()
                spread = -(log_policy.exp() * log_policy).sum(-1).mean()
                loss = surrogate + value * F.mse_loss(worth.float(), returns) - entropy * spread
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(parameters, norm)
                optimizer.step()
        return float(envs * plies)

    return lambda seconds: {"steps": repeat(once, seconds)}
