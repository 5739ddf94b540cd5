"""A CNN for screens that are made of square tiles, as MiniGrid's and those of many old games: a cell a tile.

Each tile is read by itself and alike (patches as in Dosovitskiy et al. 2021, arXiv:2010.11929), and its features stay
where it is, so that what stands on them can tell left from right.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

GREATEST_TILE = 64


class TileCnn(Encoder):
    """A convolution over each tile, two layers on each cell, normalised, and all cells' features side by side."""

    modality = "picture"

    def __init__(
        self, shape: tuple[int, ...], scale: float = 1.0, tile: int = 8, channels: int = 64, cell: int = 32
    ) -> None:
        """Make the layers.

        Args:
            shape: (channels, height, width), in whole tiles.
            scale: of the pixels.
            tile: pixels of a tile's side.
            channels: of the inner layers.
            cell: features of each cell.
        """
        super().__init__(shape, {"tile": tile, "channels": channels, "cell": cell}, scale)
        if not 2 <= tile <= GREATEST_TILE or not 1 <= min(channels, cell) <= max(channels, cell) <= 4096:
            raise UsageError(f"tile_cnn takes tiles of 2 to {GREATEST_TILE} pixels, channels and cell of 1 to 4,096")
        if len(shape) != 3 or shape[1] % tile or shape[2] % tile:
            raise UsageError(f"tile_cnn needs pictures of (channels, height, width) in tiles of {tile}, not {shape}")
        self.rows, self.columns = shape[1] // tile, shape[2] // tile
        self.dim, self.film = cell * self.rows * self.columns, cell
        self.tiles = nn.Conv2d(shape[0], channels, tile, stride=tile)
        self.inner = nn.Conv2d(channels, channels, 1)
        self.last = nn.Conv2d(channels, cell, 1)
        for layer in (self.tiles, self.inner, self.last):
            nn.init.orthogonal_(layer.weight, math.sqrt(2))
            assert layer.bias is not None
            nn.init.zeros_(layer.bias)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, rows * columns * cell), row by row, a cell after the other."""
        return F.relu_(self._cells(observation)).flatten(1)

    def filmed(self, observation: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """As `features`; the numbers of every cell are scaled and shifted alike, before what is negative is cut off."""
        values = torch.addcmul(shift[:, None], self._cells(observation), (1 + scale)[:, None])
        return F.relu_(values).flatten(1)

    def places(self, observation: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, cell, rows, columns): each cell's features where it is."""
        return F.relu_(self._cells(observation)).transpose(1, 2).reshape(len(observation), -1, self.rows, self.columns)

    def _cells(self, observation: Tensor) -> Tensor:
        """(batch, rows * columns, cell), before the last ReLU.

        Tiles do not overlap: products of matrices do it, and take less time than convolutions.
        """
        tile = self.options["tile"]
        cut = observation.reshape(-1, self.shape[0], self.rows, tile, self.columns, tile)
        values = self.prepare(cut.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2))
        for layer in (self.tiles, self.inner):
            values = F.relu_(F.linear(values, layer.weight.flatten(1), layer.bias))
        values = F.linear(values, self.last.weight.flatten(1), self.last.bias)
        # Pretraining makes features fifty times as large as they were, and a policy on them would learn in leaps.
        return F.layer_norm(values, values.shape[-1:])
