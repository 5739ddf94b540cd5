"""A phrase heard along time: words of a short list, by connectionist temporal classification.

As `transcript`, with whole words for characters. What may have been said can be given as a list of phrases (a grammar):
`costs_of` says how likely each of them is, over all ways to lay its words along time.

A second layer can tell which words are in the phrase from the features of the whole: it teaches an encoder to attend to
words, which agents that reuse those features gain by.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, check_texts
from lanista.perception.heads.transcript import BLANK, Transcript

FIRST_SIGN = 0x4E00  # the words' numbers as characters, of which `Transcript` has an alphabet
MOST_WORDS = 5000


class Phrase(Transcript):
    """Features along time (batch, time, dim) -> log-probabilities (batch, time, 1 + words); 0 is the blank."""

    def __init__(self, dim: int, words: Sequence[str], dropout: float = 0.0, sums_up: bool = False) -> None:
        """Make the layer, or both.

        Args:
            dim: the size of the features.
            words: those that can be heard, each once, without spaces.
            dropout: the share of features left out in training.
            sums_up: train the features of the whole too.
        """
        words = check_texts("the words of a head", words, MOST_WORDS)
        if len(set(words)) != len(words) or any(word.split() != [word] for word in words):
            raise UsageError("the words of a head must be different and have no spaces")
        super().__init__(dim, "".join(chr(FIRST_SIGN + place) for place in range(len(words))), dropout)
        if type(sums_up) is not bool:
            raise UsageError("'sums_up' of a head must be true or false")
        # A head that was saved before there was the second layer is described as it was.
        self.options = {"words": list(words), "dropout": dropout, **({"sums_up": True} if sums_up else {})}
        self.words, self.sums_up = words, sums_up
        self.whole = nn.Linear(dim, len(words)) if sums_up else None

    def numbers(self, targets: Sequence[str]) -> np.ndarray:
        """Phrases -> (n, longest) int64: the words' places in the list from 1 on, then 0 to the end.

        Raises:
            UsageError: a phrase has a word that is not in the list.
        """
        place = {word: number for number, word in enumerate(self.words, 1)}
        phrases = [text.split() for text in targets]
        rows = np.full((len(phrases), max(map(len, phrases), default=0)), BLANK, np.int64)
        for row, phrase in zip(rows, phrases, strict=True):
            for at, word in enumerate(phrase):
                if word not in place:
                    raise UsageError(f"'{word}' is not among the {len(place)} words of this head")
                row[at] = place[word]
        return rows

    def whole_loss(self, features: Tensor, targets: Tensor) -> Tensor:
        """Binary cross-entropy of which words are in the phrase, a word of it, on average; their order is not asked."""
        assert self.whole is not None
        said = torch.zeros(len(targets), 1 + len(self.words)).scatter_(1, targets, 1.0)[:, 1:]
        logits = self.whole(self.dropout(features)).float()
        costs = F.binary_cross_entropy_with_logits(logits, said, reduction="none").sum(1)
        return (costs / (targets != BLANK).sum(1).clamp(min=1)).mean()

    def costs_of(self, encoded: tuple[Tensor, Tensor], phrases: Sequence[str]) -> Tensor:
        """-log P(phrase) of each of some phrases.

        Args:
            encoded: of one sound: (1, time, dim) and its length (1,).
            phrases: at least one.

        Returns:
            (phrases,) float32; infinite where a phrase does not fit into the steps.
        """
        targets = torch.from_numpy(self.numbers(phrases))
        steps, count = self(encoded), len(phrases)
        costs = self._costs(steps.expand(count, -1, -1), encoded[1].expand(count), targets)
        words = targets != BLANK
        again = (targets[:, 1:] == targets[:, :-1]) & words[:, 1:]  # between equal words there must be a blank
        impossible = words.sum(1) + again.sum(1) > int(encoded[1][0])  # to these the loss in training gives 0
        return costs.masked_fill(impossible, float("inf"))

    def heard(self, encoded: tuple[Tensor, Tensor]) -> list[Answer]:
        """The words of the likeliest path of one sound, each with the greatest probability it has in a step."""
        chances, best = self(encoded)[0].exp().max(-1)
        found: list[Answer] = []
        before = BLANK
        for chance, number in zip(chances.tolist(), best.tolist(), strict=True):
            if number != BLANK and number == before:
                found[-1] = Answer(found[-1].text, max(found[-1].probability, chance))
            elif number != BLANK:
                found.append(Answer(self.words[number - 1], chance))
            before = number
        return found

    def _text(self, numbers: Sequence[int]) -> str:
        return " ".join(self.words[number - 1] for number in numbers)
