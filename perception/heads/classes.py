"""One of some classes: a linear layer, cross-entropy, a probability for each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head, check_texts


class Classes(Head):
    """Features (batch, dim) -> logits (batch, labels)."""

    def __init__(self, dim: int, labels: Sequence[str], smoothing: float = 0.0, dropout: float = 0.0) -> None:
        """Make the layer.

        Args:
            dim: the size of the features.
            labels: the classes' names.
            smoothing: label smoothing (Szegedy et al. 2016), in [0, 1).
            dropout: the share of features left out in training.
        """
        labels = check_texts("the labels of a head", labels)
        if type(smoothing) not in (int, float) or type(dropout) not in (int, float):
            raise UsageError("'smoothing' and 'dropout' of a head must be numbers")
        super().__init__({"labels": list(labels), "smoothing": smoothing, "dropout": dropout})
        self.labels = labels
        self.smoothing = smoothing
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(dim, len(labels))

    def numbers(self, targets: Any) -> np.ndarray:
        """Indices of labels, (n,) int64, or the labels' chances, (n, labels) float32, as they are."""
        return np.asarray(targets, np.float32 if np.ndim(targets) == 2 else np.int64)

    def forward(self, encoded: Tensor) -> Tensor:
        """(batch, dim) -> (batch, labels), float32."""
        logits: Tensor = self.linear(self.dropout(encoded)).float()
        return logits

    def loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy; targets (batch,) or (batch, labels)."""
        return F.cross_entropy(self(encoded), targets, label_smoothing=self.smoothing)

    def answers(self, encoded: Tensor, most: int = 1) -> list[list[Answer]]:
        """The likeliest labels."""
        probabilities, indices = self(encoded).softmax(-1).topk(min(most, len(self.labels)), dim=-1)
        return [
            [Answer(self.labels[index], chance) for chance, index in zip(chances, row, strict=True)]
            for chances, row in zip(probabilities.tolist(), indices.tolist(), strict=True)
        ]
