"""Tokens of a text, read forwards and backwards by gated recurrent units, beside a bag of its tokens.

After Cho et al. 2014 (the unit), Lin et al. 2017 (attention over its states) and Joulin et al. 2017 (the bag).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

GREATEST_VOCABULARY = 2**20
LEAST = -1e4  # for what is not to be chosen; bfloat16 holds it


class TextGru(Encoder):
    """Embeddings, a GRU each way, and three summaries: the greatest states, attended states, a bag of tokens.

    Padding (token 0 after the last other token) is never read: a text gives the same features however long its row.
    Each direction is a GRU of its own; the rows of the backward one are reversed before and after it. That is what
    packed sequences give; on CPUs it trains twice as fast as they do, and it can be exported.
    """

    modality = "text"

    def __init__(
        self,
        shape: tuple[int, ...],
        scale: float = 1.0,
        vocabulary: int = 8192,
        width: int = 64,
        dim: int = 128,
        bag: int = 32,
        dropout: float = 0.0,
    ) -> None:
        """Make the encoder.

        Args:
            shape: (most tokens,).
            scale: must be 1.
            vocabulary: how many tokens there are.
            width: of the embeddings.
            dim: of the features; each direction's GRU has half of it.
            bag: the width of the bag's own embeddings.
            dropout: the share of the embeddings' and states' numbers that is left out in training.
        """
        options = {"vocabulary": vocabulary, "width": width, "dim": dim, "bag": bag, "dropout": dropout}
        super().__init__(shape, options, scale)
        if len(shape) != 1 or scale != 1.0:
            raise UsageError(f"text_gru reads rows of tokens, of shape (most tokens,), not arrays of shape {shape}")
        if not 2 <= vocabulary <= GREATEST_VOCABULARY:
            raise UsageError(f"text_gru takes a vocabulary of 2 to {GREATEST_VOCABULARY} tokens, not {vocabulary}")
        if not 1 <= min(width, dim, bag) <= max(width, dim, bag) <= 4096 or dim % 2 or not 0 <= dropout < 1:
            raise UsageError("text_gru takes width, dim (even) and bag of 1 to 4096, and dropout in [0, 1)")
        self.dim = dim
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.bag = nn.Embedding(vocabulary, bag, padding_idx=0)
        self.onward = nn.GRU(width, dim // 2, batch_first=True)
        self.backward_ = nn.GRU(width, dim // 2, batch_first=True)
        self.attention = nn.Linear(dim, 1)
        self.join = nn.Linear(2 * dim + bag, dim)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.normal_(self.bag.weight, std=0.1)
        with torch.no_grad():
            self.embedding.weight[0] = 0.0
            self.bag.weight[0] = 0.0

    def _tokens(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Token ids (batch, longest) int64 and how many of each row count (batch,), at least 1."""
        ids = observation.long().clamp(0, self.embedding.num_embeddings - 1)
        places = torch.arange(1, ids.shape[1] + 1, device=ids.device)
        lengths = ((ids != 0) * places).amax(1).clamp(min=1)
        if not torch.compiler.is_exporting():
            ids = ids[:, : int(lengths.max())] if len(ids) else ids
        return ids, lengths

    def _states(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, dim); what stands after a row's end means nothing."""
        values = self.dropout(self.embedding(ids))
        places = torch.arange(ids.shape[1], device=ids.device)
        mirrored = (lengths[:, None] - 1 - places) % ids.shape[1]  # its own inverse, within each row's length
        mirror = mirrored[:, :, None]
        onward, _ = self.onward(values)
        backward, _ = self.backward_(values.gather(1, mirror.expand(-1, -1, values.shape[2])))
        backward = backward.gather(1, mirror.expand(-1, -1, backward.shape[2]))
        states: Tensor = self.dropout(torch.cat([onward, backward], 2))
        return states

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """States at each token: (batch, length) -> (batch, longest, dim), 0 after a row's end, and the lengths."""
        ids, lengths = self._tokens(observation)
        return self._states(ids, lengths) * _counting(ids, lengths)[:, :, None], lengths

    def features(self, observation: Tensor) -> Tensor:
        """(batch, length) -> (batch, dim)."""
        ids, lengths = self._tokens(observation)
        states, counts = self._states(ids, lengths), _counting(ids, lengths)
        greatest = states.masked_fill(~counts[:, :, None], LEAST).amax(1)
        scores = self.attention(states)[:, :, 0].float().masked_fill(~counts, LEAST)
        attended = (scores.softmax(1)[:, :, None] * states).sum(1)
        bag = (self.bag(ids) * counts[:, :, None]).sum(1) / lengths[:, None].sqrt()
        joined: Tensor = self.join(torch.cat([greatest, attended, self.dropout(bag)], 1))
        return joined.float()


def _counting(ids: Tensor, lengths: Tensor) -> Tensor:
    """(batch, time) bool: not after the row's end."""
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]
