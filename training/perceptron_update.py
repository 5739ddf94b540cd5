"""A whole PPO update of a small perceptron, all minibatches of all epochs, in one compiled call."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
import torch

from lanista.agents.categorical import FAST
from lanista.agents.policy_network import PolicyNetwork
from lanista.envs.core import Floats, Ints
from lanista.training.categorical_loss import KL, PARTS, Weights, loss_and_gradient
from lanista.training.perceptron import (
    Perceptron,
    finish,
    forward,
    layers_of,
    packed,
    place_of,
    rows_at_once,
    unpack,
    weights_of,
)

KL_MARGIN = 1.5  # times `target_kl` ends an update, as in Stable-Baselines3


class Steps(NamedTuple):
    """How the gradient steps are made, as `PPOSettings` and Adam name it."""

    learning_rate: float
    max_grad_norm: float
    target_kl: float
    beta1: float
    beta2: float
    eps: float


class Moments(NamedTuple):
    """Adam's state in flat arrays, in the order of `Perceptron.weights`."""

    mean: Floats  # (parameters,)
    square: Floats  # (parameters,)
    steps: float


def can_learn(network: PolicyNetwork, optimizer: torch.optim.Optimizer) -> bool:
    """Whether `learn` makes the steps of this optimiser: plain Adam over all weights, none of them frozen."""
    if type(optimizer) is not torch.optim.Adam or len(optimizer.param_groups) != 1:
        return False
    group = optimizer.param_groups[0]
    plain = not group["amsgrad"] and not group["weight_decay"] and not group["maximize"]
    return plain and all(parameter.requires_grad for parameter in network.parameters())


def learn(
    perceptron: Perceptron,
    network: PolicyNetwork,
    optimizer: torch.optim.Optimizer,
    columns: tuple[Any, ...],
    order: Ints,
    weights: Weights,
    max_grad_norm: float,
    target_kl: float,
) -> tuple[Floats, Floats]:
    """Make gradient steps; network and optimiser are changed in place.

    Args:
        perceptron: the network's, as it stands.
        network: what learns.
        optimizer: its Adam.
        columns: observations (rows, inputs) as the first layer gets them, legal (rows, num_actions) or
            (0, num_actions), actions, log-probabilities, advantages and returns (rows,), and logits before the update
            (rows, num_actions) or (0, num_actions).
        order: (steps, minibatch) the rows of each.
        weights: of the loss.
        max_grad_norm: gradients are scaled down to this norm.
        target_kl: the update ends where a minibatch's divergence is `KL_MARGIN` times this; 0 is never.

    Returns:
        (steps, PARTS) of the loss, of those minibatches that were seen, and (steps,) norms of the gradients, of those
        that were stepped.
    """
    tensors = weights_of(network)
    parameters = [tensor for layer in layers_of(network) for tensor in (layer.weight, layer.bias)]
    for parameter in parameters:
        if not optimizer.state[parameter]:
            optimizer.state[parameter] = {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
    states = [optimizer.state[parameter] for parameter in parameters]
    means, squares = [state["exp_avg"] for state in states], [state["exp_avg_sq"] for state in states]
    moments = Moments(packed(means), packed(squares), float(states[0]["step"]))
    group = optimizer.param_groups[0]
    beta1, beta2 = map(float, group["betas"])
    steps = Steps(float(group["lr"]), max_grad_norm, target_kl, beta1, beta2, float(group["eps"]))
    # Arrays that came from another process may not be written to, which is another type for the compiler.
    own = [np.require(column, requirements=["C", "W"]) for column in columns]
    taught: Any = _learn
    parts, norms = taught(perceptron.weights, moments, *own, order, perceptron.shape, perceptron.ends, weights, steps)
    unpack(perceptron.weights, tensors)
    unpack(moments.mean, means)
    unpack(moments.square, squares)
    for state in states:
        state["step"] += len(norms)
    return parts, norms


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def _learn(
    weights: Any, moments: Any, seen: Any, legal: Any, actions: Any, old: Any, advantage: Any, returns: Any,
    before: Any, order: Any, shape: Any, ends: Any, loss: Any, steps: Any,
) -> Any:  # fmt: skip
    """Step after step; see `learn`."""
    count, rows = order.shape
    gradient = np.empty_like(weights)
    hidden = np.empty((shape.trunks, shape.layers, rows, shape.dim), np.float32)
    logits, to_logits = np.empty((rows, shape.actions), np.float32), np.empty((rows, shape.actions), np.float32)
    raw, values, to_values = np.empty(rows, np.float32), np.empty(rows, np.float32), np.empty(rows, np.float32)
    parts, norms = np.empty((count, PARTS), np.float64), np.empty(count, np.float32)
    done = 0
    for step in range(count):
        at = order[step]
        some = seen[at]
        may = legal[at] if len(legal) else legal
        earlier = before[at] if len(before) else before
        forward(some, weights, shape, hidden, logits, raw)
        finish(logits, raw, may, ends, values)
        parts[step] = loss_and_gradient(
            logits, values, actions[at], old[at], advantage[at], returns[at], earlier, loss, to_logits, to_values
        )
        if steps.target_kl > 0 and parts[step, KL] > KL_MARGIN * steps.target_kl:
            return parts[: step + 1], norms[:done]
        for row in range(rows):
            to_values[row] *= ends.half
            if ends.squashed:
                squash = np.tanh(raw[row])
                to_values[row] *= np.float32(1) - squash * squash
        _backward(some, weights, shape, hidden, to_logits, to_values, gradient)
        norms[step] = _adam(weights, gradient, moments, moments.steps + step + 1, steps)
        done = step + 1
    return parts, norms


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def _backward(seen: Any, weights: Any, shape: Any, hidden: Any, to_logits: Any, to_values: Any, gradient: Any) -> None:
    """The gradient by all weights, from that by the logits and by the value's last layer."""
    rows, dim, actions = len(seen), shape.dim, shape.actions
    top, last = hidden[0, shape.layers - 1], hidden[shape.trunks - 1, shape.layers - 1]
    at = place_of(shape, shape.trunks, 0)
    policy = weights[at : at + dim * actions].reshape(dim, actions)
    gradient[at:] = 0
    by_policy = gradient[at : at + dim * actions].reshape(dim, actions)
    by_policy_bias = gradient[at + dim * actions : at + dim * actions + actions]
    at += dim * actions + actions
    value, by_value = weights[at : at + dim], gradient[at : at + dim]
    upward = np.zeros((shape.trunks, rows, dim), np.float32)
    by_value_bias = np.float32(0)
    for row in range(rows):
        for k in range(actions):
            by_policy_bias[k] += to_logits[row, k]
        by_value_bias += to_values[row]
        for j in range(dim):
            unit, summed = top[row, j], np.float32(0)
            for k in range(actions):
                by_policy[j, k] += unit * to_logits[row, k]
                summed += policy[j, k] * to_logits[row, k]
            upward[0, row, j] = summed
        for j in range(dim):
            by_value[j] += last[row, j] * to_values[row]
            upward[shape.trunks - 1, row, j] += value[j] * to_values[row]
    gradient[at + dim] = by_value_bias
    for trunk in range(shape.trunks):
        _trunk_backward(seen, weights, shape, trunk, hidden[trunk], upward[trunk], gradient)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def _trunk_backward(seen: Any, weights: Any, shape: Any, trunk: Any, hidden: Any, upward: Any, gradient: Any) -> None:
    """The gradient by a trunk's weights, from that by what it gives, (rows, dim), which is used up."""
    rows, dim = upward.shape
    at_once = rows_at_once(shape)
    below = np.empty((min(at_once, rows), dim), np.float32)
    for number in range(shape.layers - 1, -1, -1):
        wide = shape.inputs if number == 0 else dim
        at = place_of(shape, trunk, number)
        weight = weights[at : at + wide * dim].reshape(wide, dim)
        by_weight = gradient[at : at + wide * dim].reshape(wide, dim)
        by_bias = gradient[at + wide * dim : at + wide * dim + dim]
        by_weight[:] = 0
        by_bias[:] = 0
        for row in range(rows):
            for j in range(dim):
                if hidden[number, row, j] <= 0:
                    upward[row, j] = 0
                by_bias[j] += upward[row, j]
        for start in range(0, rows, at_once):
            stop = min(start + at_once, rows)
            part = upward[start:stop]
            if number:
                by_weight += np.dot(hidden[number - 1, start:stop].T, part)
                np.dot(part, weight.T, below[: stop - start])
                part[:] = below[: stop - start]
            else:
                by_weight += np.dot(seen[start:stop].T, part)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def _adam(weights: Any, gradient: Any, moments: Any, number: Any, steps: Any) -> Any:
    """One step (Kingma and Ba 2015, algorithm 1), of the gradient clipped by its norm, which is returned."""
    summed = 0.0
    for i in range(len(gradient)):
        summed += gradient[i] * gradient[i]
    norm = math.sqrt(summed)
    scale = np.float32(min(1.0, steps.max_grad_norm / (norm + 1e-6)))
    beta1, beta2, eps = np.float32(steps.beta1), np.float32(steps.beta2), np.float32(steps.eps)
    rate = np.float32(steps.learning_rate / (1 - steps.beta1**number))
    root = np.float32(1 / math.sqrt(1 - steps.beta2**number))
    one = np.float32(1)
    mean, square = moments.mean, moments.square
    for i in range(len(weights)):
        slope = gradient[i] * scale
        mean[i] = beta1 * mean[i] + (one - beta1) * slope
        square[i] = beta2 * square[i] + (one - beta2) * slope * slope
        weights[i] -= rate * mean[i] / (np.float32(math.sqrt(square[i])) * root + eps)
    return np.float32(norm)
