"""What the tasks of speech share: cepstra, by which simple methods hear, and examples of several speakers joined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lanista.perception.dataset import Examples
from lanista.perception.inputs.sound import level, trimmed
from lanista.plugs import required

SEGMENTS = 16  # of the cepstra along time


def cepstra(waves: Sequence[np.ndarray], rate: int) -> np.ndarray:
    """Mel-frequency cepstral coefficients without the mean of each, in equally long segments: (n, 13 x SEGMENTS)."""
    required("librosa", "perception", "cepstra of sounds")
    import librosa

    rows = []
    for wave in waves:
        table = librosa.feature.mfcc(
            y=level(trimmed(wave, rate)), sr=rate, n_mfcc=13, n_fft=256, hop_length=80, n_mels=40, fmin=60
        )
        table = table - table.mean(1, keepdims=True)
        places = np.linspace(0, table.shape[1] - 1, SEGMENTS)
        rows.append(np.stack([np.interp(places, np.arange(table.shape[1]), row) for row in table]).ravel())
    return np.asarray(rows, np.float32)


def joined(parts: Sequence[Examples]) -> Examples:
    """Sounds of several parts, labelled by index or text, as one."""
    inputs = [wave for part in parts for wave in part.inputs]
    groups = [group for part in parts for group in part.groups]
    targets = [part.targets for part in parts]
    whole = (
        np.concatenate(targets) if isinstance(targets[0], np.ndarray) else [text for some in targets for text in some]
    )
    return Examples(inputs, whole, groups)
