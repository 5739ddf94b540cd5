"""A residual CNN for boards: every cell keeps its place, nothing is pooled.

After AlphaZero's tower (Silver et al. 2018), without batch normalisation: policy-gradient batches are large and a net
that behaves the same in training and play is worth more here.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder


class BoardResnet(Encoder):
    """A 3x3 convolution, `blocks` residual blocks of two, then a linear layer over all cells."""

    def __init__(
        self, shape: tuple[int, ...], scale: float = 1.0, channels: int = 32, blocks: int = 1, dim: int = 64
    ) -> None:
        super().__init__(shape, {"channels": channels, "blocks": blocks, "dim": dim}, scale)
        if len(shape) != 3:
            raise UsageError(f"board_resnet needs boards of (planes, rows, columns), not of shape {shape}; use mlp")
        planes, rows, columns = shape
        self.dim = dim
        self.stem = nn.Conv2d(planes, channels, 3, padding=1)
        self.first = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks))
        self.second = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks))
        self.whole = nn.Linear(channels * rows * columns, dim)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(module.weight, math.sqrt(2))
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        # Channels last is what the CPU's convolutions are fast at; weights in the same order need no reordering.
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, planes, rows, columns) -> (batch, dim)."""
        values = self.prepare(observation).contiguous(memory_format=torch.channels_last)
        # In place, which no gradient minds: activations go through memory once less. 7 % of an update in bfloat16.
        values = F.relu_(self.stem(values))
        for first, second in zip(self.first, self.second, strict=True):
            values = second(F.relu_(first(values))).add_(values).relu_()
        # Flattened in memory order: a reordering copy of every activation would be wasted.
        return F.relu_(self.whole(values.permute(0, 2, 3, 1).flatten(1)))
