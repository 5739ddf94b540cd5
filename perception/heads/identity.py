"""Whose picture is it? An embedding in which pictures of one person lie near each other, for people never seen before.

Trained to tell known people apart: by cross-entropy of a linear layer, which begins to learn at once, and of cosines
with its rows less a margin (CosFace, Wang et al. 2018, arXiv:1801.09414), which alone hardly begins.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head

SAME, OTHER = "the same person as before", "another person than before"
NOTHING_BEFORE = "nobody before to compare with"
MOST_PEOPLE = 1_000_000


class Identity(Head):
    """Features (batch, dim) -> embeddings (batch, size) of length 1.

    Its answers compare each picture of a batch with the one before it, since it knows no names.
    """

    def __init__(self, dim: int, people: int, size: int = 64, margin: float = 0.15, sharpness: float = 16.0) -> None:
        """Make the layers.

        Args:
            dim: the size of the features.
            people: how many are told apart in training.
            size: of the embeddings.
            margin: by which the cosine with the right person must be the greatest.
            sharpness: what cosines are multiplied by.
        """
        if type(people) is not int or type(size) is not int or not (1 <= people <= MOST_PEOPLE and 1 <= size <= 4096):
            raise UsageError(f"a head 'identity' takes 1 to {MOST_PEOPLE} people and embeddings of 1 to 4096 numbers")
        if type(margin) not in (int, float) or type(sharpness) not in (int, float) or not 0 <= margin < 1:
            raise UsageError("'margin' of a head must be a number in [0, 1), 'sharpness' a number")
        super().__init__({"people": people, "size": size, "margin": margin, "sharpness": sharpness})
        self.margin, self.sharpness = margin, sharpness
        self.embedding = nn.Linear(dim, size)
        self.people = nn.Linear(size, people)
        # Logistic regression of "the same person" on the cosine, learnt from the pairs of each batch.
        self.slope = nn.Parameter(torch.tensor([10.0]))
        self.threshold = nn.Parameter(torch.tensor([0.4]))

    def numbers(self, targets: Any) -> np.ndarray:
        """Indices of people, as they are: (n,) int64."""
        return np.asarray(targets, np.int64)

    def forward(self, encoded: Tensor) -> Tensor:
        """(batch, dim) -> (batch, size), float32, of length 1."""
        return F.normalize(self.embedding(encoded).float(), dim=-1)

    def loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropies of who it is, and of "the same person" over the batch's pairs; targets (batch,)."""
        raw = self.embedding(encoded).float()
        embeddings = F.normalize(raw, dim=-1)
        cosines = (embeddings @ F.normalize(self.people.weight, dim=-1).T).float()
        right = F.one_hot(targets, cosines.shape[1])
        loss = F.cross_entropy(self.people(raw).float(), targets)
        loss = loss + 0.5 * F.cross_entropy(self.sharpness * (cosines - self.margin * right), targets)
        between = (embeddings @ embeddings.T).detach()
        pairs = torch.triu(torch.ones_like(between), 1) > 0
        same = (targets[:, None] == targets)[pairs].float()
        logits = (self.slope * (between[pairs] - self.threshold)).float()
        if not bool(same.any()):
            return loss + 0.0 * logits.sum()
        each = F.binary_cross_entropy_with_logits(logits, same, reduction="none")
        # Both kinds of pairs weigh alike, few as those of one person are.
        return loss + 0.1 * (each[same > 0].mean() + each[same == 0].mean())

    def likeness(self, one: Tensor, other: Tensor) -> Tensor:
        """How likely two embeddings (n, size) are of one person: (n,)."""
        chances: Tensor = (self.slope * ((one * other).sum(-1) - self.threshold)).sigmoid()
        return chances

    def answers(self, encoded: Tensor, most: int = 1) -> list[list[Answer]]:
        """Of each picture whether it is of the same person as the one before it in the batch."""
        embeddings = self(encoded)
        chances = self.likeness(embeddings[1:], embeddings[:-1]).tolist()
        rows = [[Answer(NOTHING_BEFORE, 1.0)]] if len(embeddings) else []
        for chance in chances:
            both = [Answer(SAME, chance), Answer(OTHER, 1 - chance)]
            rows.append(sorted(both, key=lambda answer: -answer.probability)[:most])
        return rows
