"""A small residual CNN that keeps the places of a picture: a step of time is one place, row by row, 4 x 4 pixels each.

For what has to know where things are, such as cells of a board. The blocks are those of small_resnet.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder
from lanista.perception.encoders._even_light import even_light
from lanista.perception.encoders.small_resnet import Block, ChannelNorm


class PictureGrid(Encoder):
    """A convolution that halves, a block that halves, two that do not; each place's features."""

    modality = "picture"

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, channels: int = 20, dim: int = 56) -> None:
        """Make the layers.

        Args:
            shape: (channels, height, width).
            scale: of the pixels.
            channels: of the first convolution; the next have twice as many.
            dim: of the features.
        """
        super().__init__(shape, {"channels": channels, "dim": dim}, scale)
        if len(shape) != 3 or shape[1] < 4 or shape[2] < 4:
            raise UsageError(f"picture_grid needs pictures of (channels, height, width), not of shape {shape}")
        if not (1 <= channels <= 1024 and 1 <= dim <= 4096):
            raise UsageError("picture_grid takes 1 to 1,024 channels and features of 1 to 4,096")
        self.dim = dim
        self.stem = nn.Conv2d(shape[0], channels, 5, stride=2, padding=2)
        wide = 2 * channels
        self.blocks = nn.ModuleList([Block(channels, wide, 2), Block(wide, wide, 1), Block(wide, dim, 1)])
        self.norm = ChannelNorm(dim)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, height, width) -> (batch, height / 4 * width / 4, dim), row by row; lengths (batch,)."""
        values = even_light(self.prepare(observation)).contiguous(memory_format=torch.channels_last)
        values = self.stem(values)
        for block in self.blocks:
            values = block(values)
        places = F.relu(self.norm(values)).flatten(2).transpose(1, 2)
        return places, torch.full((places.shape[0],), places.shape[1], dtype=torch.int64, device=places.device)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, dim): the mean over the places."""
        mean: Tensor = self.sequence(observation)[0].float().mean(1)
        return mean
