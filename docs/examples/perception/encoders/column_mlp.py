"""One perceptron for every column of a board, then a layer over all columns: for games in which stones fall."""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder


class ColumnMlp(Encoder):
    """Each column's cells go through the same linear layer, all columns together through another; each has ReLU."""

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, width: int = 32, dim: int = 64) -> None:
        """Make the encoder.

        Args:
            shape: (planes, rows, columns).
            scale: as for `Encoder`.
            width: units a column.
            dim: of the features.
        """
        super().__init__(shape, {"width": width, "dim": dim}, scale)
        if len(shape) != 3:
            raise UsageError(f"column_mlp needs boards of (planes, rows, columns), not of shape {shape}; use mlp")
        if width < 1 or dim < 1:
            raise UsageError(f"width and dim of column_mlp must be at least 1, not {width} and {dim}")
        planes, rows, columns = shape
        self.dim = dim
        self.column = nn.Linear(planes * rows, width)
        self.whole = nn.Linear(width * columns, dim)
        for layer in (self.column, self.whole):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            nn.init.zeros_(layer.bias)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, planes, rows, columns) -> (batch, dim)."""
        columns = self.prepare(observation).flatten(1, 2).transpose(1, 2)  # (batch, columns, planes * rows)
        return F.relu(self.whole(F.relu(self.column(columns)).flatten(1)))
