"""Rows of token ids: how long each is, and how its tokens weigh in a bag."""

from __future__ import annotations

import torch
from torch import Tensor

from lanista.errors import UsageError

GREATEST_VOCABULARY = 2**20


def check_vocabulary(name: str, shape: tuple[int, ...], scale: float, vocabulary: int) -> None:
    """Refuse what is no row of tokens.

    Raises:
        UsageError: the shape is not (most tokens,), the tokens would be scaled, or there are too few or too many.
    """
    if len(shape) != 1 or scale != 1.0:
        raise UsageError(f"{name} reads rows of tokens, of shape (most tokens,), not arrays of shape {shape}")
    if not 2 <= vocabulary <= GREATEST_VOCABULARY:
        raise UsageError(f"{name} takes a vocabulary of 2 to {GREATEST_VOCABULARY} tokens, not {vocabulary}")


def rows_and_lengths(observation: Tensor, vocabulary: int) -> tuple[Tensor, Tensor]:
    """Token ids (batch, longest) int64 and how many of each row count (batch,), at least 1."""
    ids = observation.long().clamp(0, vocabulary - 1)
    places = torch.arange(1, ids.shape[1] + 1, device=ids.device)
    lengths = ((ids != 0) * places).amax(1).clamp(min=1)
    if not torch.compiler.is_exporting():
        ids = ids[:, : int(lengths.max())] if len(ids) else ids
    return ids, lengths


def within(ids: Tensor, lengths: Tensor) -> Tensor:
    """(batch, time) bool: not after the row's end."""
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]


def bag_weights(ids: Tensor, counts: Tensor, vocabulary: int, rarity: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The weights of a bag in which a token that occurs n times counts 1 + ln n, as in TF-IDF.

    Args:
        ids: (batch, time) tokens.
        counts: (batch, time) bool: which of them belong to the text.
        vocabulary: how many tokens there are.
        rarity: (vocabulary,) what each token's height is multiplied by, if anything.

    Returns:
        A weight for each token (batch, time), and the length of the vector of all tokens' counts (batch,).
    """
    real = counts.float()
    times = torch.zeros(ids.shape[0], vocabulary, device=ids.device).scatter_add(1, ids, real).gather(1, ids)
    heights = (1 + times.clamp(min=1).log()) * real
    if rarity is not None:
        heights = heights * rarity[ids]
    weights = heights / times.clamp(min=1)
    return weights, (weights * heights).sum(1).clamp(min=1e-6).sqrt()
