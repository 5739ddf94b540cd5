"""The network of the row `training` in plain torch, for peers that do without ours.

The same layers as `board_resnet` with a policy and a value on it: a 3x3 convolution, residual blocks of two, a linear
layer over all cells.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn


class BoardFeatures(nn.Module):
    """Boards (batch, planes, rows, columns) -> (batch, dim)."""

    def __init__(self, shape: tuple[int, int, int], channels: int, blocks: int, dim: int) -> None:
        super().__init__()
        planes, rows, columns = shape
        self.stem = nn.Conv2d(planes, channels, 3, padding=1)
        self.first = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks))
        self.second = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in range(blocks))
        self.whole = nn.Linear(channels * rows * columns, dim)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, boards: Tensor) -> Tensor:
        values = boards.float().contiguous(memory_format=torch.channels_last)
        values = F.relu(self.stem(values))
        for first, second in zip(self.first, self.second, strict=True):
            values = F.relu(values + second(F.relu(first(values))))
        return F.relu(self.whole(values.permute(0, 2, 3, 1).flatten(1)))


class BoardNetwork(nn.Module):
    """Boards and legal actions -> logits and value in [-1, 1]."""

    def __init__(self, shape: tuple[int, int, int], actions: int, channels: int, blocks: int, dim: int) -> None:
        super().__init__()
        self.features = BoardFeatures(shape, channels, blocks, dim)
        self.policy = nn.Linear(dim, actions)
        self.value = nn.Linear(dim, 1)

    def forward(self, boards: Tensor, legal: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(boards)
        return self.policy(features).masked_fill(~legal, -1e9), torch.tanh(self.value(features)).squeeze(-1)
