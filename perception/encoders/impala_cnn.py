"""The deep residual CNN of IMPALA (Espeholt et al. 2018, arXiv:1802.01561, figure 3): for game screens, any size."""

from __future__ import annotations

import itertools
import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

CHANNELS = (16, 32, 32)
BLOCKS = 2  # a stage


class Block(nn.Module):
    """ReLU, convolution, twice, around a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, values: Tensor) -> Tensor:
        """(batch, channels, h, w) -> the same."""
        inner: Tensor = self.second(F.relu(self.first(F.relu(values))))
        return values + inner


class Stage(nn.Module):
    """A convolution, max pooling that halves, residual blocks."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(wide_in, wide_out, 3, padding=1)
        self.blocks = nn.ModuleList(Block(wide_out) for _ in range(BLOCKS))

    def forward(self, values: Tensor) -> Tensor:
        """(batch, in, h, w) -> (batch, out, h / 2, w / 2), rounded up."""
        values = F.max_pool2d(self.widen(values), 3, 2, padding=1)
        for block in self.blocks:
            values = block(values)
        return values


class ImpalaCnn(Encoder):
    """Three stages of 16, 32 and 32 channels, times `width`, then a linear layer of `dim` units."""

    modality = "picture"

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, width: int = 1, dim: int = 256) -> None:
        super().__init__(shape, {"width": width, "dim": dim}, scale)
        if len(shape) != 3 or min(shape[1:]) < 4:
            raise UsageError(f"impala_cnn needs pictures of (channels, height, width), not of shape {shape}")
        if width < 1 or dim < 1:
            raise UsageError(f"'width' and 'dim' of impala_cnn must be at least 1, not {width} and {dim}")
        self.dim = dim
        wides = [shape[0], *(width * channels for channels in CHANNELS)]
        self.stages = nn.ModuleList(Stage(a, b) for a, b in itertools.pairwise(wides))
        height, width_left = (-(-side // 2 ** len(CHANNELS)) for side in shape[1:])
        self.whole = nn.Linear(wides[-1] * height * width_left, dim)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.orthogonal_(module.weight, math.sqrt(2))
                nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        for stage in self.stages:
            for block in stage.blocks:  # type: ignore[union-attr]
                # Each block begins near the identity, so that depth costs nothing at first (Zhang et al. 2019).
                with torch.no_grad():
                    block.second.weight.mul_(0.1)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, dim)."""
        values = self.prepare(observation).contiguous(memory_format=torch.channels_last)
        for stage in self.stages:
            values = stage(values)
        return F.relu(self.whole(F.relu(values).permute(0, 2, 3, 1).flatten(1)))
