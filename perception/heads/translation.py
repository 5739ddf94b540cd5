"""Writes a text, token by token, looking back at all that the encoder read: a GRU decoder with attention.

After Bahdanau et al. 2015 and Luong et al. 2015. The attention stands between two GRUs, so that in training each of
them runs over the whole text at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head
from lanista.perception.inputs.text import load_tokenizer, token_ids

BEGIN, END = 2, 3
SPECIAL = ("[BOS]", "[EOS]")
GREATEST_LENGTH = 512
LEAST = -1e4
BEAM = 3  # hypotheses kept beside each other


class Translation(Head):
    """States of the source (batch, time, dim) -> texts."""

    sequence = True

    def __init__(
        self,
        dim: int,
        tokenizer: str,
        length: int = 48,
        width: int = 128,
        hidden: int = 192,
        dropout: float = 0.2,
        smoothing: float = 0.1,
    ) -> None:
        """Make the decoder.

        Args:
            dim: of the encoder's states.
            tokenizer: of what is written, as JSON; ids 2 and 3 are "[BOS]" and "[EOS]".
            length: the most tokens of what is written.
            width: of the tokens' embeddings, which are the output's weights too (Press and Wolf 2017).
            hidden: units of each GRU.
            dropout: the share of numbers that is left out in training.
            smoothing: label smoothing, in [0, 1).
        """
        sizes: Mapping[str, Any] = {"length": length, "width": width, "hidden": hidden}
        for name, value in sizes.items():
            if type(value) is not int or not 1 <= value <= (GREATEST_LENGTH if name == "length" else 4096):
                raise UsageError(f"'{name}' of the head 'translation' cannot be {value!r}")
        if not all(type(value) in (int, float) and 0 <= value < 1 for value in (dropout, smoothing)):
            raise UsageError("'dropout' and 'smoothing' of the head 'translation' must be numbers in [0, 1)")
        if not isinstance(tokenizer, str):
            raise UsageError("'tokenizer' of the head 'translation' must be the JSON of a tokeniser")
        words = load_tokenizer(tokenizer)
        if [words.id_to_token(BEGIN), words.id_to_token(END)] != list(SPECIAL):
            raise UsageError("'tokenizer' of the head 'translation' must have [BOS] and [EOS] as tokens 2 and 3")
        super().__init__({"tokenizer": tokenizer, **sizes, "dropout": dropout, "smoothing": smoothing})
        self.words = words
        self.length = length
        self.smoothing = smoothing
        self.embedding = nn.Embedding(words.get_vocab_size(), width, padding_idx=0)
        self.start = nn.Linear(dim, 2 * hidden)
        self.first = nn.GRU(width, hidden, batch_first=True)
        self.query = nn.Linear(hidden, dim, bias=False)
        self.second = nn.GRU(hidden + dim, hidden, batch_first=True)
        self.output = nn.Linear(2 * hidden + dim, width)
        self.bias = nn.Parameter(torch.zeros(words.get_vocab_size()))
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)
        with torch.no_grad():
            self.embedding.weight[0] = 0.0

    def numbers(self, targets: Any) -> np.ndarray:
        """Texts -> (n, length) int64 ids, each row ended by END where it fits, then 0."""
        ids = token_ids(self.words, targets, self.length).astype(np.int64)
        sizes = (ids != 0).sum(1)
        short = np.flatnonzero(sizes < self.length)
        ids[short, sizes[short]] = END
        return ids

    def begin(self, encoded: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        """The first states of both GRUs, each (1, batch, hidden), from the mean of the source's states."""
        states, lengths = encoded
        one, two = self.start(states.sum(1) / lengths[:, None]).tanh()[None].chunk(2, 2)
        return one.contiguous(), two.contiguous()

    def forward(
        self, encoded: tuple[Tensor, Tensor], before: Tensor, memory: tuple[Tensor, Tensor]
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What comes after some tokens.

        Args:
            encoded: (batch, time, dim), 0 after the end, and lengths (batch,).
            before: (batch, steps) tokens that were written.
            memory: the states of both GRUs before them.

        Returns:
            (batch, steps, width), to be compared with the embeddings by `logits`, and the states afterwards.
        """
        states, lengths = encoded
        inner, one = self.first(self.dropout(self.embedding(before)), memory[0])
        after = torch.arange(states.shape[1], device=states.device) >= lengths[:, None]
        scores = (self.query(inner) @ states.mT).float() * states.shape[2] ** -0.5
        seen = scores.masked_fill(after[:, None], LEAST).softmax(2).to(states.dtype) @ states
        outer, two = self.second(self.dropout(torch.cat([inner, seen], 2)), memory[1])
        said = self.output(self.dropout(torch.cat([inner, outer, seen], 2))).tanh()
        return said, (one, two)

    def logits(self, said: Tensor) -> Tensor:
        """(..., width) -> (..., tokens), float32."""
        return F.linear(self.dropout(said), self.embedding.weight).float() * 4.0 + self.bias

    def loss(self, encoded: Any, targets: Tensor) -> Tensor:
        """Cross-entropy of each token given the true ones before it; targets (batch, length), as from `numbers`."""
        targets = targets[:, : int((targets != 0).sum(1).max())]
        before = F.pad(targets[:, :-1], (1, 0), value=BEGIN)
        said, _ = self(encoded, before, self.begin(encoded))
        counts = targets != 0
        return F.cross_entropy(self.logits(said[counts]), targets[counts], label_smoothing=self.smoothing)

    def answers(self, encoded: Any, most: int = 1) -> list[list[Answer]]:
        """The likeliest texts that a beam search finds; their probability is the geometric mean of their tokens'."""
        beam = max(BEAM, min(most, 16))
        written, scores = self._search(encoded, beam)
        texts = self.words.decode_batch(written.flatten(0, 1).tolist(), skip_special_tokens=True)
        answers = []
        for row, chances in enumerate(scores.exp().tolist()):
            said = [text.strip() for text in texts[row * beam : (row + 1) * beam]]
            answers.append([Answer(*pair) for pair in zip(said[:most], chances, strict=False)])
        return answers

    def _search(self, encoded: tuple[Tensor, Tensor], beam: int) -> tuple[Tensor, Tensor]:
        """(batch, beam, steps) tokens and (batch, beam) mean log-probabilities, the best first."""
        count, device = len(encoded[0]), encoded[0].device
        states, lengths = (part.repeat_interleave(beam, 0) for part in encoded)
        memory = self.begin((states, lengths))
        written = torch.full((count * beam, 1), BEGIN, device=device)
        # The hypotheses of a row begin alike: all but the first are out until they differ.
        nothing = torch.tensor([0.0] + [-torch.inf] * (beam - 1), device=device)
        total = nothing.repeat(count, 1)
        done = torch.zeros(count, beam, dtype=torch.bool, device=device)
        sizes = torch.zeros(count, beam, device=device)
        offset = torch.arange(count, device=device)[:, None] * beam
        for _ in range(self.length):
            said, memory = self((states, lengths), written[:, -1:], memory)
            logits = self.logits(said[:, 0])
            logits[:, [0, 1, BEGIN]] = -torch.inf
            steps, tokens = logits.topk(beam, 1)  # no other can be among the best of all
            steps = (steps - logits.logsumexp(1, keepdim=True)).view(count, beam, beam)
            # What is done is followed by padding, at no cost, and by nothing else.
            tokens = torch.where(done[:, :, None], 0, tokens.view(count, beam, beam))
            steps = torch.where(done[:, :, None], nothing, steps)
            after = (sizes + ~done).clamp(min=1)
            sums = total[:, :, None] + steps
            best = (sums / after[:, :, None]).flatten(1).topk(beam, 1).indices
            parent, token = best // beam, tokens.flatten(1).gather(1, best)
            total = sums.flatten(1).gather(1, best)
            sizes, done = after.gather(1, parent), done.gather(1, parent) | (token == END)
            rows = (offset + parent).flatten()
            written = torch.cat([written[rows], token.view(-1, 1)], 1)
            memory = (memory[0][:, rows], memory[1][:, rows])
            if bool(done.all()):
                break
        return written.view(count, beam, -1), total / sizes.clamp(min=1)
