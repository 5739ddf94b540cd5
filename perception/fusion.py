"""One encoder for a dictionary observation: an encoder a modality, their features side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, build_encoder, encoder_from

AUTO = "auto"
LARGE = 36  # pixels; the least that nature_cnn reads


class Fusion(nn.Module):
    """Features of all modalities, concatenated in the order of their names."""

    def __init__(self, encoders: Mapping[str, Encoder]) -> None:
        """Join encoders.

        Args:
            encoders: modality name -> its encoder.
        """
        super().__init__()
        self.encoders = nn.ModuleDict({name: encoders[name] for name in sorted(encoders)})
        self.dim = sum(encoder.dim for encoder in encoders.values())

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Modality name -> (batch, *shape), to (batch, dim)."""
        features = [encoder(observation[name]) for name, encoder in self.encoders.items()]
        return features[0] if len(features) == 1 else torch.cat(features, dim=-1)

    @property
    def frozen(self) -> list[str]:
        """The modalities whose encoders stay as they are."""
        return [name for name, one in self.encoders.items() if not any(p.requires_grad for p in one.parameters())]

    def freeze(self, names: Iterable[str]) -> None:
        """Keep the encoders of these modalities as they are."""
        for name in names:
            self.encoders[name].requires_grad_(False)

    def describe(self) -> dict[str, Any]:
        """What `fusion_from` needs to make the same again, as plain data."""
        return {name: encoder.describe() for name, encoder in self.encoders.items()}  # type: ignore[operator]


def default_encoder(space: spaces.Space[Any]) -> str:
    """The encoder that suits a space: boards keep their cells, pictures shrink, sounds are heard, texts are read.

    Pictures are bytes, sounds 16-bit numbers with a sign, texts rows of 16-bit numbers without, one for each word.
    What is none of them goes through an MLP.
    """
    if not isinstance(space, spaces.Box):
        return "mlp"
    if len(space.shape) == 3:
        if space.dtype != np.uint8 or float(space.high.max()) != 255.0:
            return "board_resnet"
        return "nature_cnn" if min(space.shape[1:]) >= LARGE else "small_resnet"
    if len(space.shape) == 1 and space.dtype == np.uint16:
        return "text_gru"
    sound = len(space.shape) == 1 and space.dtype == np.int16 and float(space.high.max()) == 32767.0
    return "speech_crnn" if sound else "mlp"


def build_fusion(observation: spaces.Dict, encoder: str | Mapping[str, str | Encoder] = AUTO) -> Fusion:
    """Encoders for all modalities of a space.

    Args:
        observation: modality name -> space.
        encoder: an encoder's string for every modality, or `auto` for the one that suits each space; or for each
            modality its own string or an encoder that is there already.
    """
    made = {}
    for name, space in observation.spaces.items():
        if not isinstance(space, spaces.Box):
            raise UsageError(f"no encoder reads the modality '{name}', a {type(space).__name__}; only Box is read yet")
        word = encoder if isinstance(encoder, str) else encoder[name]
        if isinstance(word, Encoder):
            made[name] = word
        else:
            made[name] = build_encoder(default_encoder(space) if word == AUTO else word, space)
    return Fusion(made)


def fusion_from(description: Mapping[str, Any]) -> Fusion:
    """Make the encoders from what `Fusion.describe` gave."""
    if not description or not all(isinstance(value, dict) for value in description.values()):
        raise UsageError("a network's description needs 'encoders', an object with one encoder a modality")
    return Fusion({name: encoder_from(value) for name, value in description.items()})
