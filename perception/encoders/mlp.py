"""A multi-layer perceptron over the flattened observation."""

from __future__ import annotations

import itertools
import math

import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.perception.encoder import Encoder


class Mlp(Encoder):
    """`depth` linear layers of `dim` units, each followed by ReLU."""

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, dim: int = 64, depth: int = 2) -> None:
        super().__init__(shape, {"dim": dim, "depth": depth}, scale)
        self.dim = dim
        sizes = [math.prod(shape), *([dim] * depth)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(sizes))
        for layer in self.layers:
            nn.init.orthogonal_(layer.weight, math.sqrt(2))  # type: ignore[arg-type]
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, *shape) -> (batch, dim)."""
        values = self.prepare(observation).flatten(1)
        for layer in self.layers:
            values = F.relu(layer(values))
        return values
