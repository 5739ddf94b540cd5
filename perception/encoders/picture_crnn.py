"""A CNN over a picture, then a GRU from left to right and back: for lines of writing, such as plates.

After Shi, Bai and Yao 2015 (arXiv:1507.05717), with the residual blocks of small_resnet.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder
from lanista.perception.encoders._even_light import even_light
from lanista.perception.encoders.small_resnet import Block, ChannelNorm

LOWERED = 8  # pixels of the height to a row of the last convolution


class PictureCrnn(Encoder):
    """Three stages of convolutions; each column's rows to one vector; a bidirectional GRU over the columns."""

    modality = "picture"

    def __init__(self, shape: tuple[int, ...], scale: float = 1.0, channels: int = 32, hidden: int = 96) -> None:
        """Make the layers.

        Args:
            shape: (channels, height, width); a step of time is 4 pixels wide.
            scale: of the pixels.
            channels: of the first convolution; the next have 2 and 4 times as many.
            hidden: units of the GRU in each direction.
        """
        super().__init__(shape, {"channels": channels, "hidden": hidden}, scale)
        if len(shape) != 3 or shape[1] < 4 or shape[2] < 4:
            raise UsageError(f"picture_crnn needs pictures of (channels, height, width), not of shape {shape}")
        if not (1 <= channels <= 1024 and 1 <= hidden <= 4096):
            raise UsageError("picture_crnn takes 1 to 1,024 channels and a GRU of 1 to 4,096 units")
        self.dim = 2 * hidden
        self.stem = nn.Conv2d(shape[0], channels, 5, stride=2, padding=2)
        self.blocks = nn.ModuleList([Block(channels, 2 * channels, 2), Block(2 * channels, 4 * channels, (2, 1))])
        self.norm = ChannelNorm(4 * channels)
        rows = -(-shape[1] // LOWERED)
        self.column = nn.Linear(4 * channels * rows, self.dim)
        self.column_norm = nn.LayerNorm(self.dim)
        self.gru = nn.GRU(self.dim, hidden, batch_first=True, bidirectional=True)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, channels, height, width) -> (batch, width / 4, dim), from left to right, and the lengths (batch,)."""
        values = even_light(self.prepare(observation)).contiguous(memory_format=torch.channels_last)
        values = self.stem(values)
        for block in self.blocks:
            values = block(values)
        columns = F.relu(self.norm(values)).permute(0, 3, 2, 1).flatten(2)  # (batch, time, rows x channels)
        columns = F.relu(self.column_norm(self.column(columns)))
        # What a column shows by itself goes past the GRU: reading begins to be learnt in a fraction of the steps.
        steps = columns + self.gru(columns)[0]
        return steps, torch.full((steps.shape[0],), steps.shape[1], dtype=torch.int64, device=steps.device)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, dim): the mean along time."""
        steps, _ = self.sequence(observation)
        mean: Tensor = steps.float().mean(1)
        return mean
