"""One encoder for a dictionary observation: an encoder a modality, their features side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from gymnasium import spaces
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, build_encoder, encoder_from


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

    def describe(self) -> dict[str, Any]:
        """What `fusion_from` needs to make the same again, as plain data."""
        return {name: encoder.describe() for name, encoder in self.encoders.items()}  # type: ignore[operator]


def default_encoder(space: spaces.Space[Any]) -> str:
    """The encoder that suits a space: boards are convolved, the rest goes through an MLP."""
    shape = space.shape
    return "board_resnet" if shape is not None and len(shape) == 3 else "mlp"


def build_fusion(observation: spaces.Dict, encoder: str = "auto") -> Fusion:
    """Fresh encoders for all modalities of a space.

    Args:
        observation: modality name -> space.
        encoder: an encoder's string for every modality, or `auto` for the one that suits each space.
    """
    made = {}
    for name, space in observation.spaces.items():
        if not isinstance(space, spaces.Box):
            raise UsageError(f"no encoder reads the modality '{name}', a {type(space).__name__}; only Box is read yet")
        made[name] = build_encoder(default_encoder(space) if encoder == "auto" else encoder, space)
    return Fusion(made)


def fusion_from(description: Mapping[str, Any]) -> Fusion:
    """Make the encoders from what `Fusion.describe` gave."""
    if not description or not all(isinstance(value, dict) for value in description.values()):
        raise UsageError("a network's description needs 'encoders', an object with one encoder a modality")
    return Fusion({name: encoder_from(value) for name, value in description.items()})
