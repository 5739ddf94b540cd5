"""A CNN for maps whose cells hold bytes that are names and no measures, as MiniGrid's: object, colour, state.

Each byte has a vector of its own for each plane; a cell's are added up (the "bag of words" of BabyAI 1.1, Hui et al.
2020, arXiv:2007.12770), and convolutions that keep every cell's place follow.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

MOST_SYMBOLS = 256


class SymbolCnn(Encoder):
    """Embeddings of each cell's bytes, two 3x3 convolutions, then a linear layer over all cells."""

    def __init__(
        self, shape: tuple[int, ...], scale: float = 1.0, symbols: int = 16, channels: int = 32, dim: int = 128
    ) -> None:
        """Make the encoder.

        Args:
            shape: (planes, rows, columns) of whole numbers from 0 on.
            scale: is not used: the numbers are names.
            symbols: how many there are of each plane; greater ones count as the last.
            channels: of the embeddings and the convolutions.
            dim: of the features.
        """
        super().__init__(shape, {"symbols": symbols, "channels": channels, "dim": dim}, scale)
        if len(shape) != 3:
            raise UsageError(f"symbol_cnn needs maps of (planes, rows, columns), not of shape {shape}")
        if not 2 <= symbols <= MOST_SYMBOLS or not 1 <= min(channels, dim) <= max(channels, dim) <= 4096:
            raise UsageError(f"symbol_cnn takes 2 to {MOST_SYMBOLS} symbols, channels and dim of 1 to 4096")
        planes, rows, columns = shape
        self.dim, self.symbols, self.film = dim, symbols, 2 * channels
        self.names = nn.ModuleList(nn.Embedding(symbols, channels) for _ in range(planes))
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)
        self.whole = nn.Linear(channels * rows * columns, dim)
        for module in (self.first, self.second, self.whole):
            nn.init.orthogonal_(module.weight, math.sqrt(2))
            nn.init.zeros_(module.bias)  # type: ignore[arg-type]
        for table in self.names:
            nn.init.normal_(table.weight, std=planes**-0.5)  # type: ignore[arg-type]

    def features(self, observation: Tensor) -> Tensor:
        """(batch, planes, rows, columns) -> (batch, dim)."""
        values = F.relu_(self.second(F.relu_(self.first(self._cells(observation)))))
        return F.relu_(self.whole(values.permute(0, 2, 3, 1).flatten(1)))

    def filmed(self, observation: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """As `features`; both convolutions' channels are scaled and shifted, those of the first first."""
        times, plus = (1 + scale)[:, :, None, None].chunk(2, 1), shift[:, :, None, None].chunk(2, 1)
        values = F.relu_(torch.addcmul(plus[0], self.first(self._cells(observation)), times[0]))
        values = F.relu_(torch.addcmul(plus[1], self.second(values), times[1]))
        return F.relu_(self.whole(values.permute(0, 2, 3, 1).flatten(1)))

    def _cells(self, observation: Tensor) -> Tensor:
        """(batch, planes, rows, columns) -> each cell's vectors added up: (batch, channels, rows, columns)."""
        ids = observation.long().clamp(0, self.symbols - 1)
        values = sum(table(ids[:, plane]) for plane, table in enumerate(self.names))
        assert isinstance(values, Tensor)
        return values.permute(0, 3, 1, 2)  # channels last in memory, as the CPU's convolutions like it
