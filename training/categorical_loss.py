"""PPO's loss of a categorical policy and a value, with its gradient, in one compiled pass over the rows.

The same as `ppo.loss` on torch's operations, of which there are some forty a minibatch, each as long as its call.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from torch import Tensor

from lanista.agents.categorical import FAST, log_sum_exp

# Places of the means that are told.
POLICY, VALUE, ENTROPY, KL, DIVERGENCE, CLIPPED = range(6)
PARTS = 6


class Weights(NamedTuple):
    """Numbers of the loss, as `PPOSettings` names them.

    Attributes:
        value_scale: the value's squared error is divided by it.
    """

    clip_range: float
    value_coefficient: float
    entropy_coefficient: float
    kl_coefficient: float
    value_scale: float


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def loss_and_gradient(
    logits: Any, values: Any, actions: Any, old: Any, advantage: Any, returns: Any, before: Any, weights: Any,
    to_logits: Any, to_values: Any,
) -> Any:  # fmt: skip
    """The loss of some rows, and its gradient by what the network put out.

    Args:
        logits: (rows, num_actions) float32, hugely negative where illegal.
        values: (rows,) float32.
        actions: (rows,) int64.
        old: (rows,) log-probabilities of the actions when they were played.
        advantage, returns: (rows,) float32.
        before: (rows, num_actions) logits before the update; (0, num_actions) where the divergence has no weight.
        weights: of the loss.
        to_logits: (rows, num_actions) float32, gets the gradient; it may be `logits` itself.
        to_values: (rows,) float32, gets the gradient.

    Returns:
        (PARTS,) float64: means over the rows of the loss's parts.
    """
    rows, width = logits.shape
    parts = np.zeros(PARTS, np.float64)
    log_policy, policy = np.empty(width, np.float32), np.empty(width, np.float32)
    share = np.float32(1 / rows)
    low, high = np.float32(1 - weights.clip_range), np.float32(1 + weights.clip_range)
    entropy_share = np.float32(weights.entropy_coefficient) * share
    kl_share = np.float32(weights.kl_coefficient) * share
    value_share = np.float32(2 * weights.value_coefficient / weights.value_scale) * share
    for row in range(rows):
        whole = log_sum_exp(logits[row])
        entropy = np.float32(0)
        for k in range(width):
            log_policy[k] = logits[row, k] - whole
            policy[k] = math.exp(log_policy[k])
            entropy -= policy[k] * log_policy[k]
        action, gain = actions[row], advantage[row]
        log_ratio = log_policy[action] - old[row]
        ratio = np.float32(math.exp(log_ratio))
        clipped = min(max(ratio, low), high)
        plain, bound = ratio * gain, clipped * gain
        # Within the range both are the same; beyond it the bound, where it is less, has no slope.
        slope = -plain * share if plain <= bound else np.float32(0)
        divergence = np.float32(0)
        if len(before):
            earlier = log_sum_exp(before[row])
            for k in range(width):
                divergence += policy[k] * (log_policy[k] - (before[row, k] - earlier))
            for k in range(width):
                apart = log_policy[k] - (before[row, k] - earlier)
                to_logits[row, k] = policy[k] * (
                    entropy_share * (log_policy[k] + entropy) + kl_share * (apart - divergence) - slope
                )
        else:
            for k in range(width):
                to_logits[row, k] = policy[k] * (entropy_share * (log_policy[k] + entropy) - slope)
        to_logits[row, action] += slope
        miss = values[row] - returns[row]
        to_values[row] = value_share * miss
        parts[POLICY] -= min(plain, bound)
        parts[VALUE] += miss * miss
        parts[ENTROPY] += entropy
        parts[KL] += (ratio - np.float32(1)) - log_ratio
        parts[DIVERGENCE] += divergence
        parts[CLIPPED] += abs(ratio - np.float32(1)) > np.float32(weights.clip_range)
    parts /= rows
    parts[VALUE] /= weights.value_scale
    return parts


class _Loss(torch.autograd.Function):
    """`loss_and_gradient` as an operation of torch: the gradient is there when the loss is."""

    @staticmethod
    def forward(
        ctx: Any, logits: Tensor, values: Tensor, actions: Tensor, old: Tensor, advantage: Tensor, returns: Tensor,
        before: Tensor | None, weights: Weights,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        plain = logits.detach().contiguous().numpy()
        to_logits, to_values = np.empty_like(plain), np.empty(len(plain), np.float32)
        earlier = np.empty((0, plain.shape[1]), np.float32) if before is None else before.contiguous().numpy()
        columns: tuple[Any, ...] = (values.detach(), actions, old, advantage, returns)
        rows = [column.contiguous().numpy() for column in columns]
        parts = loss_and_gradient(
            plain, rows[0], rows[1], rows[2], rows[3], rows[4], earlier, weights, to_logits, to_values
        )
        ctx.gradient = torch.from_numpy(to_logits), torch.from_numpy(to_values)
        total = (
            parts[POLICY]
            + weights.value_coefficient * parts[VALUE]
            - weights.entropy_coefficient * parts[ENTROPY]
            + weights.kl_coefficient * parts[DIVERGENCE]
        )
        told = torch.from_numpy(parts.astype(np.float32))
        ctx.mark_non_differentiable(told)
        return torch.tensor(total, dtype=torch.float32), told

    @staticmethod
    def backward(ctx: Any, to_total: Tensor, to_told: Tensor) -> Any:
        to_logits, to_values = ctx.gradient
        return to_logits * to_total, to_values * to_total, None, None, None, None, None, None


def categorical_loss(
    logits: Tensor, values: Tensor, actions: Tensor, old: Tensor, advantage: Tensor, returns: Tensor,
    before: Tensor | None, weights: Weights,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """The loss, a scalar that knows its gradient by `logits` and `values`, and its parts (PARTS,).

    Args:
        logits: (rows, num_actions) float32 on the processor.
        values: (rows,) float32.
        actions, old, advantage, returns: as for `loss_and_gradient`.
        before: (rows, num_actions); None where the divergence has no weight.
        weights: of the loss.
    """
    apply: Any = _Loss.apply
    told: tuple[Tensor, Tensor] = apply(logits, values, actions, old, advantage, returns, before, weights)
    return told
