"""One encoder for a dictionary observation: an encoder a modality, their features side by side, or joined."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder, build_encoder, encoder_from
from lanista.perception.joint import Part, build_joint, joint_from
from lanista.perception.repeated import KINDS as REPEATED
from lanista.perception.repeated import Repeated

AUTO = "auto"
LARGE = 36  # pixels; the least that nature_cnn reads
SPOKEN = 4000  # samples; nothing is said in half a second, but games blip


class Fusion(nn.Module):
    """Features of all modalities in the order of their names: side by side, or joined by layers on them."""

    def __init__(self, encoders: Mapping[str, Encoder], joint: str | Mapping[str, Any] = "none") -> None:
        """Join encoders.

        Args:
            encoders: modality name -> its encoder.
            joint: as of `perception.joint.build_joint`, or what `Joint.describe` gave.

        Raises:
            UsageError: there is no such joint, or not of these encoders.
        """
        super().__init__()
        self.encoders = nn.ModuleDict({name: encoders[name] for name in sorted(encoders)})
        inner = [encoders[name] for name in sorted(encoders)]
        parts = [Part(encoder.dim, len(encoder.shape) == 3, encoder.film) for encoder in inner]
        self.joint = build_joint(joint, parts) if isinstance(joint, str) else joint_from(joint, parts)
        self.dim = sum(part.size for part in parts) if self.joint is None else self.joint.dim
        self._repeated = {name: Repeated() for name, encoder in self.encoders.items() if len(encoder.shape) == 1}  # type: ignore[arg-type]

    def forward(self, observation: Mapping[str, Tensor]) -> Tensor:
        """Modality name -> (batch, *shape), to (batch, dim)."""
        inner = [partial(self._features, name, observation[name]) for name in self.encoders]
        if self.joint is not None:
            return self.joint.read(inner, [partial(self._filmed, name, observation[name]) for name in self.encoders])
        features = [read() for read in inner]
        return features[0] if len(features) == 1 else torch.cat(features, dim=-1)

    def _features(self, name: str, rows: Tensor) -> Tensor:
        encoder: Encoder = self.encoders[name]  # type: ignore[assignment]
        if rows.dtype in REPEATED and name in self._repeated:
            return self._repeated[name].features(encoder, rows)
        return encoder(rows)  # type: ignore[no-any-return]

    def _filmed(self, name: str, rows: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        encoder: Encoder = self.encoders[name]  # type: ignore[assignment]
        return encoder.filmed(rows, scale, shift)

    def repeats(self, observation: Mapping[str, Tensor]) -> Tensor | None:
        """Which rows are best learnt from together: (batch,) a number for each sound that an encoder learns to hear.

        A sound that is said once a game stands in many rows, and is read once a minibatch that has any of them.

        Args:
            observation: modality name -> (batch, *shape).
        """
        for name, repeated in self._repeated.items():
            if observation[name].dtype == torch.int16 and name not in self.frozen:
                return repeated.numbers(observation[name])
        return None

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

    Pictures are bytes, maps of symbols bytes of which only some are used, sounds 16-bit numbers with a sign, texts rows
    of 16-bit numbers without, one for each word. Sounds are taken for speech unless they are shorter than half a
    second. What is none of them goes through an MLP.
    """
    if not isinstance(space, spaces.Box):
        return "mlp"
    if len(space.shape) == 3:
        if space.dtype != np.uint8 or float(space.high.max()) == 1.0:
            return "board_resnet"
        if float(space.high.max()) < 255.0:
            return "symbol_cnn"
        return "nature_cnn" if min(space.shape[1:]) >= LARGE else "small_resnet"
    if len(space.shape) == 1 and space.dtype == np.uint16:
        return "text_gru"
    sound = len(space.shape) == 1 and space.dtype == np.int16 and float(space.high.max()) == 32767.0
    if not sound:
        return "mlp"
    return "speech_crnn" if space.shape[0] >= SPOKEN else "sound_cnn"


def build_fusion(
    observation: spaces.Dict, encoder: str | Mapping[str, str | Encoder] = AUTO, joint: str = "none"
) -> Fusion:
    """Encoders for all modalities of a space.

    Args:
        observation: modality name -> space.
        encoder: an encoder's string for every modality, or `auto` for the one that suits each space; or for each
            modality its own string or an encoder that is there already.
        joint: as of `perception.joint.build_joint`.
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
    return Fusion(made, joint)


def fusion_from(description: Mapping[str, Any], joint: Any = None) -> Fusion:
    """Make the encoders from what `Fusion.describe` gave, with the joint that `Joint.describe` gave."""
    if not description or not all(isinstance(value, dict) for value in description.values()):
        raise UsageError("a network's description needs 'encoders', an object with one encoder a modality")
    encoders = {name: encoder_from(value) for name, value in description.items()}
    return Fusion(encoders, "none" if joint is None else joint)
