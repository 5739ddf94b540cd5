"""The tokens of a text as a bag: which there are and how often, not in which order.

After Joulin et al. 2017 (arXiv:1607.01759, averaged embeddings under a linear classifier), with the weights of TF-IDF:
for texts that are long and few it tells the topic better than what reads them in order.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder
from lanista.perception.encoders._token_rows import bag_weights, check_vocabulary, rows_and_lengths, within

MOST_PAIRS = 2**20
FACTOR = 1_000_003  # a prime: it spreads pairs of tokens over their places


class TextBag(Encoder):
    """The weighted mean of the embeddings of a text's tokens, and of pairs of neighbours.

    Padding (token 0 after the last other token) and unknown tokens (1) weigh nothing.
    """

    modality = "text"

    def __init__(
        self,
        shape: tuple[int, ...],
        scale: float = 1.0,
        vocabulary: int = 8192,
        dim: int = 64,
        pairs: int = 0,
        dropout: float = 0.0,
    ) -> None:
        """Make the encoder.

        Args:
            shape: (most tokens,).
            scale: must be 1.
            vocabulary: how many tokens there are.
            dim: of the embeddings and of the features.
            pairs: places for embeddings of pairs of neighbours, which share them by chance; 0 reads no pairs.
            dropout: the share of the features' numbers that is left out in training.
        """
        super().__init__(shape, {"vocabulary": vocabulary, "dim": dim, "pairs": pairs, "dropout": dropout}, scale)
        check_vocabulary("text_bag", shape, scale, vocabulary)
        if not 1 <= dim <= 4096 or not 0 <= dropout < 1 or not 0 <= pairs <= MOST_PAIRS:
            raise UsageError(f"text_bag takes a dim of 1 to 4096, 0 to {MOST_PAIRS} places of pairs, dropout in [0, 1)")
        self.dim = dim
        self.embedding = nn.Embedding(vocabulary, dim)
        self.pairs = nn.Embedding(pairs, dim) if pairs else None
        self.dropout = nn.Dropout(dropout)
        # A tokeniser numbers frequent tokens first: the logarithm of the rank is, by Zipf's law, that of the rarity.
        ranks = torch.log(2.0 + torch.arange(vocabulary)) / math.log(1.0 + vocabulary)
        self.register_buffer("rarity", ranks, persistent=False)  # (vocabulary,)
        self.rarity: Tensor
        for embedding in self.embedding, self.pairs:
            if embedding is not None:
                nn.init.normal_(embedding.weight, std=0.02)

    def features(self, observation: Tensor) -> Tensor:
        """(batch, length) -> (batch, dim)."""
        ids, lengths = rows_and_lengths(observation, self.embedding.num_embeddings)
        known = within(ids, lengths) & (ids > 1)
        weights, length = bag_weights(ids, known, self.embedding.num_embeddings, self.rarity)
        bag = (self.embedding(ids) * weights[:, :, None]).sum(1) / length[:, None]
        if self.pairs is not None:
            first, second = ids[:, :-1], ids[:, 1:]
            both = known[:, :-1] & known[:, 1:]
            places = (first * FACTOR + second) % self.pairs.num_embeddings
            heights = (self.rarity[first] * self.rarity[second] * both)[:, :, None]
            bag = bag + (self.pairs(places) * heights).sum(1) / heights.square().sum(1).clamp(min=1e-6).sqrt()
        kept: Tensor = self.dropout(bag)
        return kept.float()
