"""Encoders as Stable-Baselines3's features extractors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gymnasium import spaces
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import Tensor

from lanista.agents.encoder_words import fusion_of_words
from lanista.agents.running_moments import ObservationNormalizer
from lanista.errors import UsageError

ONLY = "observation"


class EncoderFeatures(BaseFeaturesExtractor):
    """One encoder for a Box, or one a modality for a Dict, under any of SB3's policies."""

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        encoder: str | Path = "auto",
        freeze: bool = False,
        normalizer: ObservationNormalizer | None = None,
    ) -> None:
        """Make the encoders; SB3 calls this.

        Args:
            observation_space: a Box, or a Dict of them.
            encoder: as `lanista train --encoder`: a pretrained one's folder or name, an id, or a word a modality.
            freeze: pretrained weights stay as they are.
            normalizer: normalises the modalities of a Dict before they are read; several extractors, such as those of
                DQN's two networks, may share one.

        Raises:
            UsageError: the encoder is unknown or does not read the observations.
        """
        dictionary = isinstance(observation_space, spaces.Dict)
        whole = observation_space if dictionary else spaces.Dict({ONLY: observation_space})
        assert isinstance(whole, spaces.Dict)
        fusion = fusion_of_words(whole, str(encoder), freeze)
        super().__init__(observation_space, fusion.dim)
        self.dictionary = dictionary
        self.fusion = fusion
        self.normalizer = normalizer

    def forward(self, observations: Any) -> Tensor:
        """(batch, *shape), or modality -> that, to (batch, dim)."""
        if self.normalizer is not None:
            observations = self.normalizer(observations)
        values: Tensor = self.fusion(observations if self.dictionary else {ONLY: observations})
        return values


def sb3_policy(
    encoder: str | Path = "auto",
    freeze: bool = False,
    normalizer: ObservationNormalizer | None = None,
    **options: Any,
) -> dict[str, Any]:
    """What SB3's algorithms take as `policy_kwargs` to stand on an encoder.

    SB3 would divide pictures by 255 before a features extractor sees them; the encoder does that itself, so it is told
    not to. Nor may it initialise all layers orthogonally, pretrained ones among them.

    Args:
        encoder: as `lanista train --encoder`.
        freeze: pretrained weights stay as they are.
        normalizer: as for `EncoderFeatures`.
        **options: other policy keywords, such as `net_arch`.

    Raises:
        UsageError: a keyword is one of those that are set here.
    """
    ours = {
        "features_extractor_class": EncoderFeatures,
        "features_extractor_kwargs": {"encoder": str(encoder), "freeze": freeze, "normalizer": normalizer},
        "normalize_images": False,
        "ortho_init": False,
    }
    for name in options:
        if name in ours:
            raise UsageError(f"'{name}' is set by sb3_policy itself")
    return {"net_arch": [], **options, **ours}
