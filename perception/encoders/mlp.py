"""A multi-layer perceptron over the flattened observation."""

from __future__ import annotations

import itertools
import math

import torch
from torch import Tensor, nn

from lanista.errors import UsageError, unknown
from lanista.perception.encoder import Encoder

MOST_LAYERS = 1000
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


class Mlp(Encoder):
    """`depth` linear layers of `dim` units, each followed by ReLU, or by tanh."""

    def __init__(
        self, shape: tuple[int, ...], scale: float = 1.0, dim: int = 64, depth: int = 2, activation: str = "relu"
    ) -> None:
        # Told only where it is another than it always was, so that older versions read what they can.
        other = {} if activation == "relu" else {"activation": activation}
        super().__init__(shape, {"dim": dim, "depth": depth, **other}, scale)
        if activation not in ACTIVATIONS:
            raise unknown("activation of mlp", activation, ACTIVATIONS)
        if dim < 1 or not 1 <= depth <= MOST_LAYERS:
            raise UsageError(f"an mlp has 1 to {MOST_LAYERS} layers of at least 1 unit, not {depth} of {dim}")
        self.dim = dim
        self.activation = activation
        sizes = [math.prod(shape), *([dim] * depth)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        for layer in self.layers:
            nn.init.orthogonal_(layer.weight, math.sqrt(2))  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, *shape) -> (batch, dim)."""
        values = self.prepare(observation).flatten(1)
        activate = ACTIVATIONS[self.activation]
        for layer in self.layers:
            values = activate(layer(values))
        return values
