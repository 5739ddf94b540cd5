"""The CNN of "Human-level control through deep reinforcement learning" (Mnih et al. 2015, Nature): for game screens."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

LAYERS = ((32, 8, 4), (64, 4, 2), (64, 3, 1))  # channels, kernel, stride
LEAST = 36  # pixels; one place is left after the three layers


class NatureCnn(Encoder):
    """Three convolutions without padding, then a linear layer of `dim` units, each followed by ReLU.

    The paper's pictures are 84 x 84 and its linear layer has 512 units; with 256 the weights are 3.5 MB.
    """

    modality = "picture"

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, dim: int = 256) -> None:
        super().__init__(shape, {"dim": dim}, scale)
        if len(shape) != 3 or min(shape[1:]) < LEAST:
            raise UsageError(
                f"nature_cnn needs pictures of (channels, height, width) of at least {LEAST} pixels, not of shape "
                f"{shape}; use small_resnet"
            )
        if dim < 1:
            raise UsageError(f"'dim' of nature_cnn must be at least 1, not {dim}")
        self.dim = dim
        wide, (height, width), layers = shape[0], shape[1:], []
        for channels, kernel, stride in LAYERS:
            layers.append(nn.Conv2d(wide, channels, kernel, stride))
            wide, height, width = channels, (height - kernel) // stride + 1, (width - kernel) // stride + 1
        self.layers = nn.ModuleList(layers)
        self.whole = nn.Linear(wide * height * width, dim)
        for module in (*self.layers, self.whole):
            nn.init.orthogonal_(module.weight, math.sqrt(2))
            nn.init.zeros_(module.bias)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, dim)."""
        values = self.prepare(observation).contiguous(memory_format=torch.channels_last)
        for layer in self.layers:
            values = F.relu_(layer(values))  # in place: activations go through memory once less
        # Flattened in memory order, as in board_resnet.
        return F.relu_(self.whole(values.permute(0, 2, 3, 1).flatten(1)))
