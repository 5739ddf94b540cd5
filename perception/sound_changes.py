"""What happens to sounds on their way to a listener: rooms, telephones, noise, other tempos; for training.

All are done to a whole batch at once, in torch; all chance comes from a generator.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor

LOUDEST = 32767.0
TEMPO = (0.85, 1.2)
SHIFT = 0.06  # of the window, to each side
SWAY = 0.25  # at most, of the tempo, to each side of its mean: intonation and haste within a word
SWINGS = (0.3, 2.5)  # of it in a window
GRID = 257  # frequencies at which the equaliser is drawn
POINTS = 9  # of a random equaliser's curve
DECIBELS = 5.0  # standard deviation of each point
HIGH_PASS, LOW_PASS = (30.0, 450.0), (2200.0, 5500.0)  # hertz, where half of the power is left
SLOPE = 6  # the exponent of these filters: 36 dB an octave
REVERBERATED = 0.35  # share of the sounds
DECAY = (0.03, 0.35)  # seconds until the room's answer is 60 dB down
WET = (0.1, 0.7)  # its strength, beside the sound itself
ROOMS = 16  # drawn for each batch
NOISY, NOISE = 0.6, (5.0, 40.0)  # share of the sounds; signal to noise, in dB
BABBLE = 0.3  # share of the noisy ones in which the noise is another of the batch
TELEPHONE = 0.3  # share that is companded to 8 bits, by ITU-T G.711's mu-law
MU = 255.0
GAPS, LONGEST_GAP = 2, 0.08  # stretches that are silenced, as by a bad line; share of the window
BANDS, WIDEST_BAND = 2, 0.12  # bands that are taken out; share of all frequencies


def changed(batch: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Sounds as they might be heard elsewhere.

    Args:
        batch: (batch, samples) of 16-bit size, centred in their window.
        rate: samples a second.
        generator: all chance comes from it.

    Returns:
        (batch, samples) float32 of the same size.
    """
    sounds = _tempo(batch.float() / LOUDEST, generator)
    sounds = _filtered(sounds, rate, generator)
    sounds = _noisy(sounds, generator)
    sounds = _telephone(sounds, generator)
    return _gaps(sounds, generator) * LOUDEST


def _uniform(bounds: tuple[float, float], shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    return torch.rand(shape, generator=generator) * (bounds[1] - bounds[0]) + bounds[0]


def _tempo(sounds: Tensor, generator: torch.Generator) -> Tensor:
    """Faster or slower about the middle and in swings, the pitch with it, and moved."""
    count, size = sounds.shape
    factor = _uniform(TEMPO, (count, 1), generator)
    shift = _uniform((-SHIFT, SHIFT), (count, 1), generator) * size
    time = torch.arange(size) - size / 2
    swings = 2 * math.pi * _uniform(SWINGS, (count, 1), generator) / size  # radians a sample
    depth, phase = _uniform((0, SWAY), (count, 1), generator), _uniform((0, 2 * math.pi), (count, 1), generator)
    # The integral of a tempo of 1 + depth * cos(swings * time + phase); nothing moves in the middle.
    swayed = time + depth / swings * (torch.sin(swings * time + phase) - torch.sin(phase))
    place = swayed * factor + size / 2 + shift
    inside = (place >= 0) & (place <= size - 1)
    place = place.clamp(0, size - 1.001)
    left = place.long()
    moved = torch.lerp(sounds.gather(1, left), sounds.gather(1, left + 1), place - left)
    return moved * inside


def _filtered(sounds: Tensor, rate: int, generator: torch.Generator) -> Tensor:
    """Through an equaliser and a room: one multiplication of spectra."""
    count, size = sounds.shape
    length = -(-(size + int(DECAY[1] * rate)) // 512) * 512
    spectrum = torch.fft.rfft(sounds, length)
    gain: Tensor = F.interpolate(_equaliser(count, rate, generator)[:, None], size=spectrum.shape[1], mode="linear")[
        :, 0
    ]
    rooms = _rooms(rate, length, generator)
    chosen = torch.randint(ROOMS, (count,), generator=generator)
    chosen = chosen.masked_fill(torch.rand(count, generator=generator) > REVERBERATED, ROOMS)
    heard = torch.fft.irfft(spectrum * gain * rooms[chosen], length)[:, :size]
    level: Tensor = heard / heard.abs().amax(1, keepdim=True).clamp(min=1e-4) * 0.7
    return level


def _equaliser(count: int, rate: int, generator: torch.Generator) -> Tensor:
    """A smooth random curve, a band-pass and some narrow bands taken out: (count, GRID) factors up to half the rate."""
    hertz = torch.linspace(0, rate / 2, GRID)
    curve = torch.randn(count, 1, POINTS, generator=generator) * DECIBELS
    gain = 10 ** (F.interpolate(curve, size=GRID, mode="linear", align_corners=True)[:, 0] / 20)
    high = _uniform(HIGH_PASS, (count, 1), generator)
    low = _uniform(LOW_PASS, (count, 1), generator)
    gain = gain * ((1 + (high / hertz.clamp(min=1)) ** SLOPE) * (1 + (hertz / low) ** SLOPE)).rsqrt()
    for _ in range(BANDS):
        width = torch.rand(count, 1, generator=generator) * WIDEST_BAND * rate / 2
        start = torch.rand(count, 1, generator=generator) * (rate / 2 - width)
        gain = gain.masked_fill((hertz >= start) & (hertz < start + width), 0.02)
    return gain


def _rooms(rate: int, length: int, generator: torch.Generator) -> Tensor:
    """Spectra of rooms' answers (ROOMS + 1, frequencies), the last of no room: noise that dies away exponentially."""
    time = torch.arange(int(DECAY[1] * rate)) / rate
    decay = _uniform(DECAY, (ROOMS, 1), generator)
    tail = torch.randn(ROOMS, len(time), generator=generator) * torch.exp(-6.9 * time / decay)
    tail = tail / tail.square().sum(1, keepdim=True).sqrt() * _uniform(WET, (ROOMS, 1), generator)
    tail[:, 0] += 1.0
    none = torch.zeros(1, len(time))
    none[0, 0] = 1.0
    spectra: Tensor = torch.fft.rfft(torch.cat([tail, none]), length)
    return spectra


def _noisy(sounds: Tensor, generator: torch.Generator) -> Tensor:
    """With noise of a random colour, white to brown, or with another of the sounds."""
    count, size = sounds.shape
    white = torch.randn(count, size, generator=generator)
    # A leaky sum makes white noise darker; the leak is its colour.
    kernel = _uniform((0.0, 0.95), (count, 1, 1), generator) ** torch.arange(24, dtype=torch.float32).flip(0)
    noise = F.conv1d(F.pad(white[None], (23, 0)), kernel, groups=count)[0]
    babble = (torch.rand(count, 1, generator=generator) < BABBLE) & (count > 1)
    noise = torch.where(babble, sounds.roll(1, 0), noise)
    strength = sounds.square().mean(1, keepdim=True).sqrt()
    ratio = 10 ** (-_uniform(NOISE, (count, 1), generator) / 20)
    ratio = torch.where(babble, ratio * 0.5, ratio)  # a voice misleads more than noise
    ratio = ratio.masked_fill(torch.rand(count, 1, generator=generator) > NOISY, 0.0)
    return sounds + noise * (strength * ratio / noise.square().mean(1, keepdim=True).sqrt().clamp(min=1e-6))


def _telephone(sounds: Tensor, generator: torch.Generator) -> Tensor:
    """Some companded to 8 bits, some of these too loud for them."""
    rows = torch.nonzero(torch.rand(sounds.shape[0], generator=generator) < TELEPHONE)[:, 0]
    loud = _uniform((0.4, 1.3), (len(rows), 1), generator)
    limited = (sounds[rows] * loud).clamp(-1, 1)
    # Of the 256 levels each has its loudness in a table: an exponential of every sample would be slow.
    levels = torch.expm1(torch.arange(128) / 127 * math.log1p(MU)) / MU
    steps = (torch.log1p(MU * limited.abs()) * (127 / math.log1p(MU))).round().long()
    return sounds.index_copy(0, rows, levels[steps].copysign(limited))


def _gaps(sounds: Tensor, generator: torch.Generator) -> Tensor:
    count, size = sounds.shape
    place = torch.arange(size)
    for _ in range(GAPS):
        width = torch.rand(count, 1, generator=generator) * LONGEST_GAP * size
        start = torch.rand(count, 1, generator=generator) * (size - width)
        sounds = sounds.masked_fill((place >= start) & (place < start + width), 0.0)
    return sounds
