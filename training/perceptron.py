"""Small perceptrons in flat arrays: asked and taught by compiled code, since torch's calls take longer than their sums.

Which networks these are says `perceptron_of`; for all others torch computes. Both give the same, to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numba
import numpy as np
import torch
from torch import Tensor, nn

from lanista.agents.action_heads import ILLEGAL, DiscreteHead
from lanista.agents.categorical import FAST
from lanista.agents.policy_network import PolicyNetwork
from lanista.agents.running_moments import CLIP, RunningMoments
from lanista.envs.core import Array, Floats
from lanista.perception.encoders.mlp import Mlp

MOST_WEIGHTS = 2**15  # of a layer; beyond, the arithmetic is most of it, and torch's is as good
ONE_THREAD = 2**18  # OpenBLAS multiplies matrices of at most so many products in the calling thread


class Shape(NamedTuple):
    """The sizes of a perceptron.

    Attributes:
        inputs: numbers of an observation.
        dim: units of each layer.
        layers: of a trunk.
        trunks: 2 where the value has one of its own, else 1.
        actions: logits.
    """

    inputs: int
    dim: int
    layers: int
    trunks: int
    actions: int


class Ends(NamedTuple):
    """What is done to a perceptron's input and to its value.

    Attributes:
        scale: the input is multiplied by it.
        normalized: whether the input is brought to mean 0 and deviation 1, and clipped, before.
        squashed: whether the value goes through tanh.
        middle, half: the value is `middle` plus `half` times what the last layer, or tanh, gives.
    """

    scale: np.float32
    normalized: bool
    squashed: bool
    middle: np.float32
    half: np.float32


@dataclass
class Perceptron:
    """A copy of a network's weights as flat arrays.

    A trunk's layers come first, of each its weights (inputs, outputs) and its biases; then the value's trunk, where it
    has one; then the policy's layer and the value's.

    Attributes:
        shape: its sizes.
        ends: what is around it.
        weights: all of them.
        mean, deviation: what the input is normalised by.
    """

    shape: Shape
    ends: Ends
    weights: Floats  # (parameters,)
    mean: Floats  # (inputs,)
    deviation: Floats  # (inputs,)
    modality: str

    def ask(self, observation: Mapping[str, Array], legal: Array | None) -> tuple[Floats, Floats]:
        """Logits (k, num_actions) and values (k,), as the network gives them."""
        seen = self.read(observation[self.modality])
        logits, values = ask(seen, _mask(legal, self.shape), self.weights, self.shape, self.ends)
        return logits, values

    def read(self, rows: Array) -> Floats:
        """Observations as the first layer gets them: (k, *shape) -> (k, inputs) float32."""
        flat = np.ascontiguousarray(rows.reshape(len(rows), -1), np.float32)
        seen: Floats = _prepared(flat, self.mean, self.deviation, self.ends)
        return seen


def _mask(legal: Array | None, shape: Shape) -> Array:
    """A mask for compiled code: no rows stand for none."""
    return np.ones((0, shape.actions), np.bool_) if legal is None else np.ascontiguousarray(legal)


def perceptron_of(network: PolicyNetwork) -> Perceptron | None:
    """A network's copy as it stands; None if it is no small perceptron with logits of single actions."""
    encoders = list(network.fusion.encoders.items())
    if len(encoders) != 1 or network.memory is not None or not isinstance(network.head, DiscreteHead):
        return None
    modality, encoder = encoders[0]
    if type(encoder) is not Mlp or encoder.activation != "relu" or encoder.layers[0].weight.device.type != "cpu":
        return None
    inputs, trunks = encoder.layers[0].weight.shape[1], 1 if network.value_fusion is None else 2
    shape = Shape(int(inputs), encoder.dim, len(encoder.layers), trunks, network.head.num_actions)
    tensors = weights_of(network)
    if shape.layers < 1 or shape.dim * max(shape.dim, shape.inputs) > MOST_WEIGHTS:
        return None
    if any(value.dtype != torch.float32 for value in tensors):
        return None
    mean, deviation = np.zeros(shape.inputs, np.float32), np.ones(shape.inputs, np.float32)
    if network.normalizer is not None:
        moments = network.normalizer.moments[modality]
        assert isinstance(moments, RunningMoments)
        mean, deviation = moments.mean.flatten().numpy(), moments.deviation.flatten().numpy()
    middle, half, squashed = 0.0, 1.0, network.value_range is not None
    if network.value_range is not None:
        low, high = network.value_range
        middle, half = (low + high) / 2, (high - low) / 2
    elif network.returns is not None:
        middle, half = float(network.returns.mean), float(network.returns.deviation)
    scale = np.float32(encoder.scale)
    ends = Ends(scale, network.normalizer is not None, squashed, np.float32(middle), np.float32(half))
    return Perceptron(shape, ends, packed(tensors), mean, deviation, modality)


def layers_of(network: PolicyNetwork) -> list[nn.Linear]:
    """A perceptron's linear layers in the order of the flat weights."""
    layers: list[Any] = []
    for fusion in (network.fusion, network.value_fusion):
        if fusion is not None:
            (encoder,) = fusion.encoders.values()
            layers += list(encoder.layers)  # type: ignore[arg-type]
    return [*layers, network.policy, network.value]


def weights_of(network: PolicyNetwork) -> list[Tensor]:
    """Weight and bias of each of `layers_of`, in turn."""
    return [tensor for layer in layers_of(network) for tensor in (layer.weight.detach(), layer.bias.detach())]


def packed(tensors: list[Tensor]) -> Floats:
    """Tensors of the shapes of `weights_of` in one flat array; matrices are turned to (inputs, outputs)."""
    return np.concatenate([tensor.numpy().T.ravel() for tensor in tensors])


def unpack(flat: Floats, tensors: list[Tensor]) -> None:
    """Put what `packed` gave back, in place."""
    place = 0
    with torch.no_grad():
        for tensor in tensors:
            part = torch.from_numpy(flat[place : place + tensor.numel()])
            tensor.copy_(part.view(tensor.T.shape).T if tensor.ndim == 2 else part)
            place += tensor.numel()


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def _prepared(rows: Any, mean: Any, deviation: Any, ends: Any) -> Any:
    """Observations normalised, clipped and scaled: (k, inputs) float32."""
    out = np.empty_like(rows)
    bound = np.float32(CLIP)
    for row in range(rows.shape[0]):
        for i in range(rows.shape[1]):
            value = rows[row, i]
            if ends.normalized:
                value = min(max((value - mean[i]) / deviation[i], -bound), bound)
            out[row, i] = value * ends.scale
    return out


@numba.njit(cache=True, error_model="numpy", nogil=True)
def rows_at_once(shape: Any) -> Any:
    """So many rows are multiplied by a layer that the library does not ask other threads for help."""
    return ONE_THREAD // (shape.dim * max(shape.dim, shape.inputs))


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def layer(source: Any, weight: Any, bias: Any, out: Any, at_once: Any) -> None:
    """A linear layer and ReLU: (rows, inputs) to (rows, outputs), with weight (inputs, outputs)."""
    rows, width = out.shape
    for start in range(0, rows, at_once):
        stop = min(start + at_once, rows)
        np.dot(source[start:stop], weight, out[start:stop])
        for row in range(start, stop):
            for j in range(width):
                out[row, j] = max(out[row, j] + bias[j], np.float32(0))


@numba.njit(cache=True, error_model="numpy", nogil=True)
def place_of(shape: Any, trunk: Any, number: Any) -> Any:
    """Where the weights of a trunk's layer begin; layer 0 of the trunk after the last: the policy's weights."""
    first = shape.inputs * shape.dim + shape.dim
    more = shape.dim * shape.dim + shape.dim
    return trunk * (first + (shape.layers - 1) * more) + (0 if number == 0 else first + (number - 1) * more)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def forward(seen: Any, weights: Any, shape: Any, hidden: Any, logits: Any, raw: Any) -> None:
    """All layers.

    Args:
        seen: (rows, inputs) float32.
        weights: as `Perceptron.weights`.
        shape: the sizes.
        hidden: (trunks, layers, rows, dim) float32, gets what each layer gives.
        logits: (rows, num_actions), gets the policy's.
        raw: (rows,), gets the value's last layer.
    """
    rows, dim, actions = len(seen), shape.dim, shape.actions
    at_once = rows_at_once(shape)
    for trunk in range(shape.trunks):
        for number in range(shape.layers):
            wide = shape.inputs if number == 0 else dim
            at = place_of(shape, trunk, number)
            weight = weights[at : at + wide * dim].reshape(wide, dim)
            bias = weights[at + wide * dim : at + wide * dim + dim]
            layer(seen if number == 0 else hidden[trunk, number - 1], weight, bias, hidden[trunk, number], at_once)
    at = place_of(shape, shape.trunks, 0)
    policy = weights[at : at + dim * actions].reshape(dim, actions)
    policy_bias = weights[at + dim * actions : at + dim * actions + actions]
    at += dim * actions + actions
    value, value_bias = weights[at : at + dim], weights[at + dim]
    top, last = hidden[0, shape.layers - 1], hidden[shape.trunks - 1, shape.layers - 1]
    for row in range(rows):
        for k in range(actions):
            logits[row, k] = policy_bias[k]
        summed = value_bias
        for j in range(dim):
            unit = top[row, j]
            for k in range(actions):
                logits[row, k] += unit * policy[j, k]
            summed += last[row, j] * value[j]
        raw[row] = summed


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def finish(logits: Any, raw: Any, legal: Any, ends: Any, values: Any) -> None:
    """Take illegal actions' logits away, and make the values of what the last layer gave."""
    for row in range(len(raw)):
        values[row] = ends.middle + ends.half * (np.tanh(raw[row]) if ends.squashed else raw[row])
        if len(legal):
            for k in range(logits.shape[1]):
                if not legal[row, k]:
                    logits[row, k] = np.float32(ILLEGAL)


@numba.njit(cache=True, fastmath=FAST, error_model="numpy", nogil=True)
def ask(seen: Any, legal: Any, weights: Any, shape: Any, ends: Any) -> Any:
    """Logits (rows, num_actions) and values (rows,) of what `Perceptron.read` gave."""
    rows = len(seen)
    hidden = np.empty((shape.trunks, shape.layers, rows, shape.dim), np.float32)
    logits, raw = np.empty((rows, shape.actions), np.float32), np.empty(rows, np.float32)
    values = np.empty(rows, np.float32)
    forward(seen, weights, shape, hidden, logits, raw)
    finish(logits, raw, legal, ends, values)
    return logits, values
