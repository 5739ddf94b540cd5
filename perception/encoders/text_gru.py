"""Tokens of a text, read forwards and backwards by gated recurrent units, beside a bag of its tokens.

After Cho et al. 2014 (the unit), Lin et al. 2017 (attention over its states), Joulin et al. 2017 (the bag) and Wang et
al. 2017 (layers between which the text is compared with itself).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder
from lanista.perception.encoders._token_rows import bag_weights, check_vocabulary, rows_and_lengths, within

HEAD = 32  # numbers of a state that are compared at once
LEAST = -1e4  # for what is not to be chosen; bfloat16 holds it


class Both(nn.Module):
    """A GRU each way."""

    def __init__(self, wide_in: int, wide_out: int) -> None:
        super().__init__()
        self.onward = nn.GRU(wide_in, wide_out // 2, batch_first=True)
        self.back = nn.GRU(wide_in, wide_out // 2, batch_first=True)

    def forward(self, values: Tensor, lengths: Tensor) -> Tensor:
        """(batch, time, in) -> (batch, time, out); what stands after a row's end means nothing."""
        places = torch.arange(values.shape[1], device=values.device)
        # Each row's places from its end to its beginning, then those after its end: its own inverse.
        mirror = ((lengths[:, None] - 1 - places) % values.shape[1])[:, :, None]
        onward, _ = self.onward(values)
        back, _ = self.back(values.gather(1, mirror.expand(-1, -1, values.shape[2])))
        return torch.cat([onward, back.gather(1, mirror.expand(-1, -1, back.shape[2]))], 2)


class Comparison(nn.Module):
    """Each state looks at all others of its text (Vaswani et al. 2017), then a GRU each way reads what was found."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.heads = max(1, dim // HEAD)
        self.norm = nn.LayerNorm(dim)
        self.parts = nn.Linear(dim, 3 * dim)
        self.both = Both(2 * dim, dim)

    def forward(self, states: Tensor, lengths: Tensor, counts: Tensor) -> Tensor:
        """(batch, time, dim), lengths (batch,), which count (batch, time) -> (batch, time, dim)."""
        parts = self.parts(self.norm(states)).unflatten(2, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=counts[:, None, None])
        found = found.transpose(1, 2).flatten(2)
        read: Tensor = self.both(torch.cat([states, found], 2), lengths)
        return states + read


class TextGru(Encoder):
    """Embeddings, a GRU each way, and three summaries: the greatest states, attended states, a bag of tokens.

    Padding (token 0 after the last other token) is never read: a text gives the same features however long its row.
    Each direction is a GRU of its own; the rows of the backward one are reversed before and after it. That is what
    packed sequences give; on CPUs it trains twice as fast as they do, and it can be exported.

    With more `layers`, the text's states are compared with each other and read again, as reading for an answer needs.
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
        layers: int = 1,
        repeats: bool = False,
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
            layers: 1 to 4; each after the first compares all states with each other.
            repeats: tell of each token whether it occurs earlier and later in the text too, as of a passage's words
                whether the question has them (Chen et al. 2017).
        """
        options = {
            "vocabulary": vocabulary,
            "width": width,
            "dim": dim,
            "bag": bag,
            "dropout": dropout,
            "layers": layers,
            "repeats": repeats,
        }
        super().__init__(shape, options, scale)
        check_vocabulary("text_gru", shape, scale, vocabulary)
        if not 1 <= min(width, dim, bag) <= max(width, dim, bag) <= 4096 or dim % 2 or not 0 <= dropout < 1:
            raise UsageError("text_gru takes width, dim (even) and bag of 1 to 4096, dropout in [0, 1)")
        if not 1 <= layers <= 4 or (layers > 1 and dim % HEAD):
            raise UsageError(f"text_gru takes 1 to 4 layers, and dim in multiples of {HEAD} if there are more than one")
        self.dim = dim
        self.embedding = nn.Embedding(vocabulary, width, padding_idx=0)
        self.repeats = nn.Embedding(4, width) if repeats else None  # row 1 * earlier + 2 * later
        self.bag = nn.Embedding(vocabulary, bag, padding_idx=0)
        self.both = Both(width, dim)
        self.layers = nn.ModuleList(Comparison(dim) for _ in range(layers - 1))
        self.attention = nn.Linear(dim, 1)
        self.join = nn.Linear(2 * dim + bag, dim)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.normal_(self.bag.weight, std=0.02)
        with torch.no_grad():
            self.embedding.weight[0] = 0.0
            self.bag.weight[0] = 0.0

    def _states(self, ids: Tensor, lengths: Tensor, counts: Tensor) -> Tensor:
        """(batch, time, dim); what stands after a row's end means nothing."""
        values = self.embedding(ids)
        if self.repeats is not None:
            values = values + self.repeats(_occurrences(ids))
        states: Tensor = self.dropout(self.both(self.dropout(values), lengths))
        for layer in self.layers:
            states = self.dropout(layer(states, lengths, counts))
        return states

    def sequence(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """States at each token: (batch, length) -> (batch, longest, dim), 0 after a row's end, and the lengths."""
        ids, lengths = rows_and_lengths(observation, self.embedding.num_embeddings)
        counts = within(ids, lengths)
        return self._states(ids, lengths, counts) * counts[:, :, None], lengths

    def features(self, observation: Tensor) -> Tensor:
        """(batch, length) -> (batch, dim)."""
        ids, lengths = rows_and_lengths(observation, self.embedding.num_embeddings)
        counts = within(ids, lengths)
        states = self._states(ids, lengths, counts)
        greatest = states.masked_fill(~counts[:, :, None], LEAST).amax(1)
        scores = self.attention(states)[:, :, 0].float().masked_fill(~counts, LEAST)
        attended = (scores.softmax(1)[:, :, None] * states).sum(1)
        weights, length = bag_weights(ids, counts, self.bag.num_embeddings)
        bag = (self.bag(ids) * weights[:, :, None]).sum(1) / length[:, None]
        joined: Tensor = self.join(torch.cat([greatest, attended, self.dropout(bag)], 1))
        return joined.float()


def _occurrences(ids: Tensor) -> Tensor:
    """(batch, time): 1 if the token occurs earlier in the text, plus 2 if it occurs later."""
    places = torch.arange(ids.shape[1], device=ids.device)
    same = ids[:, :, None] == ids[:, None, :]
    earlier = (same & (places < places[:, None])).any(2)
    later = (same & (places > places[:, None])).any(2)
    return earlier.long() + 2 * later.long()
