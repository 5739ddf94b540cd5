"""What several attributes are, of one thing or of each of some places: a verb, a colour, an object; cells of a view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head, check_texts

MOST_ATTRIBUTES, MOST_VALUES, MOST_PLACES = 100, 10_000, 100_000
BETWEEN, PLACES_BETWEEN = " ", ", "  # attributes of a place; places


class Attributes(Head):
    """Features (batch, dim), equal parts of them a place's -> a value of each attribute of each place."""

    def __init__(self, dim: int, attributes: Sequence[Sequence[str]], places: int = 1, dropout: float = 0.0) -> None:
        """Make the layer, which is the same for all places.

        Args:
            dim: the size of the features, a multiple of `places`.
            attributes: the names of each one's values, without spaces and commas.
            places: how many there are; the features are theirs, one place after the other.
            dropout: the share of features left out in training.
        """
        if not isinstance(attributes, list | tuple) or not 1 <= len(attributes) <= MOST_ATTRIBUTES:
            raise UsageError(f"the attributes of a head must be a list of 1 to {MOST_ATTRIBUTES} lists of names")
        named = [check_texts("the values of an attribute", values, MOST_VALUES) for values in attributes]
        if any(not name or set(name) & {" ", ","} for values in named for name in values):
            raise UsageError("the values of an attribute must be names without spaces and commas")
        if type(places) is not int or not 1 <= places <= MOST_PLACES or dim % places:
            raise UsageError(f"'places' of a head must be a whole number that {dim} features can be shared among")
        if type(dropout) not in (int, float) or not 0 <= dropout < 1:
            raise UsageError("'dropout' of a head must be a number in [0, 1)")
        super().__init__({"attributes": [list(values) for values in named], "places": places, "dropout": dropout})
        self.attributes, self.places = named, places
        self.sizes = [len(values) for values in named]
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(dim // places, sum(self.sizes))

    def numbers(self, targets: Any) -> np.ndarray:
        """Indices of values (n, places, attributes) as int64."""
        rows = np.asarray(targets, np.int64)
        if rows.shape[1:] != (self.places, len(self.sizes)) or (rows >= np.array(self.sizes)).any() or (rows < 0).any():
            raise UsageError(f"targets are indices of {self.sizes} values, (n, {self.places}, {len(self.sizes)})")
        return rows

    def forward(self, encoded: Tensor) -> list[Tensor]:
        """(batch, dim) -> for each attribute (batch, places, values), float32: logits."""
        logits = self.linear(self.dropout(encoded.reshape(len(encoded), self.places, -1))).float()
        return list(logits.split(self.sizes, -1))

    def loss(self, encoded: Tensor, targets: Tensor) -> Tensor:
        """Cross-entropy, on average over places, added up over attributes."""
        costs = [
            F.cross_entropy(logits.flatten(0, 1), targets[:, :, number].flatten())
            for number, logits in enumerate(self(encoded))
        ]
        return torch.stack(costs).sum()

    def answers(self, encoded: Tensor, most: int = 1) -> list[list[Answer]]:
        """The likeliest values of all, as of `text_of`, with the probability that all are right; one answer a row."""
        best = [logits.softmax(-1).max(-1) for logits in self(encoded)]
        chances = torch.stack([chance.double().log().sum(1) for chance, _ in best]).sum(0).exp().tolist()
        rows = torch.stack([index for _, index in best], -1).cpu().numpy()
        return [[Answer(self.text_of(row), chance)] for row, chance in zip(rows, chances, strict=True)]

    def text_of(self, values: np.ndarray) -> str:
        """Indices (places, attributes) as a text: names with spaces between, places with commas."""
        return text_of(values, self.attributes)


def text_of(values: np.ndarray, attributes: Sequence[Sequence[str]]) -> str:
    """Indices (places, attributes) as a text: names with spaces between, places with commas."""
    return PLACES_BETWEEN.join(
        BETWEEN.join(names[int(index)] for index, names in zip(place, attributes, strict=True)) for place in values
    )


def values_of(text: str, attributes: Sequence[Sequence[str]]) -> np.ndarray:
    """What `text_of` was given: (places, attributes) int64."""
    rows = [place.split(BETWEEN) for place in text.split(PLACES_BETWEEN)]
    return np.array(
        [[names.index(name) for name, names in zip(row, attributes, strict=True)] for row in rows], np.int64
    )
