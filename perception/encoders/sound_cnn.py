"""Sounds of games: a waveform -> log-mel frames, two convolutions along time, a linear layer.

For blips and noises of a second at most, heard anew at every step of a game. Unlike speech_crnn it keeps how loud a
sound is and when in the window it was, and takes a seventh of the time.
"""

from __future__ import annotations

import math

import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder
from lanista.perception.encoders.speech_crnn import WINDOW, LogMel

QUIETEST, LOUDEST = -4.0, 2.0  # decades of power in a band that are told apart; a tone as loud as can be reaches 2
LAYERS = ((5, 2), (3, 2))  # frames of a kernel, and stride along time


class SoundCnn(Encoder):
    """Log-mel frames, whose bands are the channels of two convolutions along time, then a layer of `dim` units."""

    modality = "sound"

    def __init__(
        self, shape: tuple[int, ...], scale: float = 1.0, rate: int = 8000, bands: int = 32, channels: int = 32,
        dim: int = 64,
    ) -> None:  # fmt: skip
        """Make the layers.

        Args:
            shape: (samples,) of one sound.
            scale: of the samples, to [-1, 1].
            rate: samples a second.
            bands: of the mel scale.
            channels: of the convolutions.
            dim: of the features.
        """
        super().__init__(shape, {"rate": rate, "bands": bands, "channels": channels, "dim": dim}, scale)
        if not 4000 <= rate <= 48_000 or not 16 <= bands <= 128:
            raise UsageError("sound_cnn takes 4,000 to 48,000 samples a second and 16 to 128 bands")
        if len(shape) != 1 or shape[0] < rate * 2 * WINDOW:
            raise UsageError(f"sound_cnn needs sounds of ({rate * 2 * WINDOW:.0f} or more samples,), not {shape}")
        if not (1 <= channels <= 512 and 1 <= dim <= 4096):
            raise UsageError(f"sound_cnn takes 1 to 512 channels and a 'dim' of 1 to 4,096, not {channels} and {dim}")
        self.dim = dim
        self.frames = LogMel(rate, bands)
        wide, long, layers = bands, 1 + shape[0] // self.frames.hop, []
        for kernel, stride in LAYERS:
            layers.append(nn.Conv1d(wide, channels, kernel, stride, padding=kernel // 2))
            wide, long = channels, (long - 1) // stride + 1
        self.layers = nn.ModuleList(layers)
        self.whole = nn.Linear(wide * long, dim)
        for module in (*self.layers, self.whole):
            nn.init.orthogonal_(module.weight, math.sqrt(2))
            nn.init.zeros_(module.bias)

    def spectrogram(self, observation: Tensor) -> Tensor:
        """(batch, samples) -> (batch, frames, bands): 0 for silence, 1 for a tone as loud as can be."""
        power: Tensor = self.frames(self.prepare(observation))
        scaled: Tensor = power.clamp(QUIETEST, LOUDEST).sub(QUIETEST) / (LOUDEST - QUIETEST)
        return scaled

    def features(self, observation: Tensor) -> Tensor:
        """(batch, samples) -> (batch, dim)."""
        values = self.spectrogram(observation).transpose(1, 2)
        for layer in self.layers:
            values = F.relu(layer(values))
        return F.relu(self.whole(values.flatten(1)))
