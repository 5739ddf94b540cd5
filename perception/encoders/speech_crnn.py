"""Speech: a waveform -> log-mel frames, convolutions, a bidirectional GRU; features along time, or of the whole.

The frames are computed inside, so that whoever reuses the encoder hands it samples. After Deep Speech 2 (Amodei et al.
2016), small, with group normalisation, which does the same to a row in any batch.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

WINDOW = 0.032  # seconds
HOP = 0.01
DYNAMIC = 5.0  # decades of power below the greatest that are kept: about what companded telephone speech has
LEAST_POWER = 1e-10
GROUPS = 8
STEPS = (20, 40)  # milliseconds from features to features


class LogMel(nn.Module):
    """Samples -> logarithms of the power in mel bands, a frame each 10 ms, as librosa computes them."""

    def __init__(self, rate: int, bands: int) -> None:
        """Make the tables: they follow from the numbers and are not saved.

        Args:
            rate: samples a second.
            bands: from 60 Hz to half of the rate.
        """
        super().__init__()
        self.size, self.hop = round(rate * WINDOW), round(rate * HOP)
        count = self.size // 2 + 1
        time = np.arange(self.size)
        angle = 2 * np.pi * np.outer(time, np.arange(count)) / self.size
        window = 0.5 - 0.5 * np.cos(2 * np.pi * time / self.size)  # Hann's, periodic
        waves = np.concatenate([np.cos(angle), np.sin(angle)], 1) * window[:, None]
        self.register_buffer("waves", torch.tensor(waves, dtype=torch.float32), persistent=False)
        filters = mel_filters(rate, self.size, bands)
        self.register_buffer("filters", torch.tensor(filters.T, dtype=torch.float32), persistent=False)
        self.waves: Tensor
        self.filters: Tensor

    def forward(self, samples: Tensor) -> Tensor:
        """(batch, samples) in [-1, 1] -> (batch, 1 + samples // hop, bands), log10 of power."""
        padded = F.pad(samples, (self.size // 2, self.size // 2))
        with torch.autocast(samples.device.type, enabled=False):  # bfloat16 holds 48 dB, and 50 are looked at
            spectrum = padded.unfold(1, self.size, self.hop) @ self.waves
            real, imaginary = spectrum.chunk(2, dim=-1)
            power = (real.square() + imaginary.square()) @ self.filters
            decades: Tensor = power.clamp(min=LEAST_POWER).log10()
        return decades


def mel_filters(rate: int, size: int, bands: int) -> np.ndarray:
    """Triangles over the frequencies of a Fourier transform: (bands, size // 2 + 1).

    Their corners are equally far apart on Slaney's mel scale (linear to 1,000 Hz, logarithmic above), each of unit
    area; the same as `librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, fmin=60)`.
    """
    knee, step = 1000.0, np.log(6.4) / 27

    def mel(hertz: float) -> float:
        return hertz * 3 / 200 if hertz < knee else 15 + float(np.log(hertz / knee)) / step

    mels = np.linspace(mel(60.0), mel(rate / 2), bands + 2)
    corners = np.where(mels < 15, mels * 200 / 3, knee * np.exp(step * (mels - 15)))
    frequencies = np.arange(size // 2 + 1) * rate / size
    rising = (frequencies - corners[:-2, None]) / (corners[1:-1] - corners[:-2])[:, None]
    falling = (corners[2:, None] - frequencies) / (corners[2:] - corners[1:-1])[:, None]
    area = 2 / (corners[2:] - corners[:-2])
    filters: np.ndarray = np.maximum(0, np.minimum(rising, falling)) * area[:, None]
    return filters


class SpeechCrnn(Encoder):
    """Log-mel frames, three convolutions, a GRU in both directions; the frames' features or their attended mean.

    A sound may be of any length above 32 ms: the shape's is only what it is trained on.
    """

    modality = "sound"
    any_length = True

    def __init__(
        self,
        shape: tuple[int, ...],
        scale: float = 1.0,
        rate: int = 8000,
        bands: int = 40,
        channels: int = 32,
        hidden: int = 128,
        layers: int = 1,
        step: int = 20,
        dropout: float = 0.0,
    ) -> None:
        """Make the layers.

        Args:
            shape: (samples,) of one sound.
            scale: of the samples, to [-1, 1].
            rate: samples a second.
            bands: of the mel scale.
            channels: of the first convolution; the others have twice as many.
            hidden: units of the GRU in each direction.
            layers: of the GRU.
            step: milliseconds from features to features, 20 or 40.
            dropout: the share of what the GRU reads and says that is left out in training.
        """
        options = {"rate": rate, "bands": bands, "channels": channels, "hidden": hidden, "layers": layers}
        super().__init__(shape, {**options, "step": step, "dropout": dropout}, scale)
        if not 4000 <= rate <= 48_000 or not 16 <= bands <= 128:
            raise UsageError("speech_crnn takes 4,000 to 48,000 samples a second and 16 to 128 bands")
        if len(shape) != 1 or shape[0] < rate * 2 * WINDOW:
            raise UsageError(f"speech_crnn needs sounds of ({rate * 2 * WINDOW:.0f} or more samples,), not {shape}")
        if channels % GROUPS or not (8 <= channels <= 512 and 1 <= hidden <= 2048 and 1 <= layers <= 8):
            raise UsageError(
                f"speech_crnn takes channels in multiples of {GROUPS}, to 512, to 2,048 units, to 8 layers"
            )
        if not 0 <= dropout < 1:
            raise UsageError(f"speech_crnn's 'dropout' is a share in [0, 1), not {dropout}")
        if step not in STEPS:
            raise UsageError(f"speech_crnn takes a 'step' of {STEPS[0]} or {STEPS[1]} milliseconds, not {step}")
        self.dim = 2 * hidden
        self.frames = LogMel(rate, bands)
        wide = 2 * channels
        self.convolutions = nn.ModuleList(
            [
                nn.Conv2d(1, channels, 5, 2, padding=2, bias=False),
                nn.Conv2d(channels, wide, 3, (1, 2), padding=1, bias=False),
                nn.Conv2d(wide, wide, 3, (step // 20, 2), padding=1, bias=False),
            ]
        )
        self.norms = nn.ModuleList([nn.GroupNorm(GROUPS, channels), *(nn.GroupNorm(GROUPS, wide) for _ in range(2))])
        self.flat = nn.Linear(wide * ((bands + 7) // 8), 2 * hidden)
        self.flat_norm = nn.LayerNorm(2 * hidden)
        self.gru = nn.GRU(2 * hidden, hidden, layers, batch_first=True, bidirectional=True)
        self.attention = nn.Linear(2 * hidden, 1)
        self.dropout = nn.Dropout(dropout)

    def spectrogram(self, observation: Tensor) -> Tensor:
        """(batch, samples) -> (batch, frames, bands) in [-1, 1]: the loudest is 1, what is 50 dB below it or less -1.

        Relative to the loudest and not to the mean, so that the silence around a sound does not change the sound.
        """
        power: Tensor = self.frames(self.prepare(observation))
        power = power - power.amax((1, 2), keepdim=True)
        scaled: Tensor = power.clamp(min=-DYNAMIC) * (2 / DYNAMIC) + 1
        return scaled

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, samples) -> (batch, time, dim), a step each 20 or 40 ms, and the lengths (batch,): all of time."""
        # Not channels last: torch's group normalisation is five times as slow there.
        values = self.spectrogram(observation)[:, None]
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            values = F.relu(norm(convolution(values)))
        values = values.permute(0, 2, 1, 3).flatten(2)
        steps, _ = self.gru(self.dropout(F.relu(self.flat_norm(self.flat(values)))))
        steps = self.dropout(steps)
        return steps, torch.full((steps.shape[0],), steps.shape[1], dtype=torch.int64, device=steps.device)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, samples) -> (batch, dim): the mean along time, weighted by what the attention finds telling."""
        return self.attended(self.sequence(observation)[0])

    def attended(self, steps: Tensor) -> Tensor:
        """(batch, time, dim) -> (batch, dim), float32."""
        weights = self.attention(steps).float().softmax(1)
        mean: Tensor = (steps.float() * weights).sum(1)
        return mean
