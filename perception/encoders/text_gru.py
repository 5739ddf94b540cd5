"""Tokens of a text, read forwards and backwards by gated recurrent units, beside a bag of its tokens.

After Cho et al. 2014 (the unit), Lin et al. 2017 (attention over its states), Joulin et al. 2017 (the bag) and Wang et
al. 2017 (layers between which the text is compared with itself).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.encoder import Encoder

GREATEST_VOCABULARY = 2**20
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
        skipped: float = 0.0,
        read: int = 0,
        rarity: bool = False,
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
            skipped: the share of texts of which, in training, the bag alone is seen, so that it learns to stand alone:
                on few long texts the states learn by heart what the bag would learn of all.
            read: the states read so many tokens at most, and the bag all; 0 reads all.
            rarity: tokens count in the bag by the logarithm of their rank, learnt on from there: a tokeniser numbers
                frequent tokens first, and by Zipf's law that is what TF-IDF weighs by.
        """
        options = {
            "vocabulary": vocabulary,
            "width": width,
            "dim": dim,
            "bag": bag,
            "dropout": dropout,
            "layers": layers,
            "repeats": repeats,
            "skipped": skipped,
            "read": read,
            "rarity": rarity,
        }
        super().__init__(shape, options, scale)
        if len(shape) != 1 or scale != 1.0:
            raise UsageError(f"text_gru reads rows of tokens, of shape (most tokens,), not arrays of shape {shape}")
        if not 2 <= vocabulary <= GREATEST_VOCABULARY:
            raise UsageError(f"text_gru takes a vocabulary of 2 to {GREATEST_VOCABULARY} tokens, not {vocabulary}")
        if (
            not 1 <= min(width, dim, bag) <= max(width, dim, bag) <= 4096
            or dim % 2
            or not 0 <= min(dropout, skipped) <= max(dropout, skipped) < 1
        ):
            raise UsageError("text_gru takes width, dim (even) and bag of 1 to 4096, dropout and skipped in [0, 1)")
        if read < 0:
            raise UsageError(f"text_gru's 'read' is a number of tokens, or 0 for all, not {read}")
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
        self.skipped, self.read = skipped, read
        ranks = torch.log(2.0 + torch.arange(vocabulary)) / math.log(1.0 + vocabulary)
        self.rarity = nn.Parameter(ranks) if rarity else None  # (vocabulary,)
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.normal_(self.bag.weight, std=0.02)
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
        ids, lengths = self._tokens(observation)
        counts = _counting(ids, lengths)
        return self._states(ids, lengths, counts) * counts[:, :, None], lengths

    def features(self, observation: Tensor) -> Tensor:
        """(batch, length) -> (batch, dim)."""
        ids, lengths = self._tokens(observation)
        counts = _counting(ids, lengths)
        most = self.read or ids.shape[1]
        states = self._states(ids[:, :most], lengths.clamp(max=most), counts[:, :most])
        seen = counts[:, : states.shape[1]]
        greatest = states.masked_fill(~seen[:, :, None], LEAST).amax(1)
        scores = self.attention(states)[:, :, 0].float().masked_fill(~seen, LEAST)
        attended = (scores.softmax(1)[:, :, None] * states).sum(1)
        weights, length = _logarithmic(ids, counts, self.bag.num_embeddings, self.rarity)
        bag = (self.bag(ids) * weights[:, :, None]).sum(1) / length[:, None]
        read = torch.cat([greatest, attended], 1)
        if self.training and self.skipped:
            read = read * F.dropout(torch.ones_like(read[:, :1]), self.skipped)
        joined: Tensor = self.join(torch.cat([read, self.dropout(bag)], 1))
        return joined.float()


def _counting(ids: Tensor, lengths: Tensor) -> Tensor:
    """(batch, time) bool: not after the row's end."""
    return torch.arange(ids.shape[1], device=ids.device) < lengths[:, None]


def _occurrences(ids: Tensor) -> Tensor:
    """(batch, time): 1 if the token occurs earlier in the text, plus 2 if it occurs later."""
    places = torch.arange(ids.shape[1], device=ids.device)
    same = ids[:, :, None] == ids[:, None, :]
    earlier = (same & (places < places[:, None])).any(2)
    later = (same & (places > places[:, None])).any(2)
    return earlier.long() + 2 * later.long()


def _logarithmic(ids: Tensor, counts: Tensor, vocabulary: int, rarity: Tensor | None) -> tuple[Tensor, Tensor]:
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
