"""A text read along time: a linear layer a step, connectionist temporal classification (Graves et al. 2006)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  torch's own name for it
from torch import Tensor, nn

from lanista.errors import UsageError
from lanista.perception.head import Answer, Head

BLANK = 0
MOST_CHARACTERS = 20_000
BEAM = 16  # texts kept at each step where more than one answer is asked for
NEAR = 8  # characters tried at each step, the likeliest


class Transcript(Head):
    """Features along time (batch, time, dim) -> log-probabilities (batch, time, 1 + characters); 0 is the blank."""

    sequence = True

    def __init__(self, dim: int, alphabet: str, dropout: float = 0.0) -> None:
        """Make the layer.

        Args:
            dim: the size of the features.
            alphabet: the characters that can be written, each once; the first has the number 1.
            dropout: the share of features left out in training.
        """
        if not isinstance(alphabet, str) or not 1 <= len(alphabet) <= MOST_CHARACTERS:
            raise UsageError(f"the alphabet of a head must be a text of 1 to {MOST_CHARACTERS} characters")
        if len(set(alphabet)) != len(alphabet):
            raise UsageError("the alphabet of a head must have each character once")
        if type(dropout) not in (int, float) or not 0 <= dropout < 1:
            raise UsageError("'dropout' of a head must be a number in [0, 1)")
        super().__init__({"alphabet": alphabet, "dropout": dropout})
        self.alphabet = alphabet
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(dim, 1 + len(alphabet))

    def numbers(self, targets: Sequence[str]) -> np.ndarray:
        """Texts -> (n, longest) int64: the characters' places in the alphabet from 1 on, then 0 to the end.

        Raises:
            UsageError: a text has a character that is not in the alphabet.
        """
        place = {character: number for number, character in enumerate(self.alphabet, 1)}
        rows = np.full((len(targets), max(map(len, targets), default=0)), BLANK, np.int64)
        for row, text in zip(rows, targets, strict=True):
            try:
                row[: len(text)] = [place[character] for character in text]
            except KeyError as error:
                raise UsageError(f"the text '{text}' has {error}, which is not in '{self.alphabet}'") from None
        return rows

    def forward(self, encoded: tuple[Tensor, Tensor]) -> Tensor:
        """((batch, time, dim), lengths) -> (batch, time, 1 + characters), logarithms of probabilities, float32."""
        logits: Tensor = self.linear(self.dropout(encoded[0]))
        return logits.float().log_softmax(-1)

    def loss(self, encoded: tuple[Tensor, Tensor], targets: Tensor) -> Tensor:
        """-log P(text), a character, on average; a text that is longer than its time allows counts as 0."""
        lengths = (targets != BLANK).sum(1)
        return (self._costs(self(encoded), encoded[1], targets) / lengths.clamp(min=1)).mean()

    def _costs(self, steps: Tensor, times: Tensor, targets: Tensor) -> Tensor:
        """-log P(text) of each text: steps (batch, time, 1 + characters), targets (batch, longest) -> (batch,)."""
        lengths = (targets != BLANK).sum(1)
        return F.ctc_loss(steps.transpose(0, 1), targets, times, lengths, BLANK, "none", zero_infinity=True)

    def answers(self, encoded: tuple[Tensor, Tensor], most: int = 1) -> list[list[Answer]]:
        """What is read: for one answer the likeliest path's text, for more a beam of texts; P(text) for each."""
        steps, times = self(encoded), encoded[1]
        if most == 1:
            return self._greedy(steps, times)
        lengths = times.tolist()
        return [self._beam(row[:time].tolist(), most) for row, time in zip(steps, lengths, strict=True)]

    def _greedy(self, steps: Tensor, times: Tensor) -> list[list[Answer]]:
        best = steps.argmax(-1)
        counts = torch.arange(steps.shape[1], device=steps.device) < times[:, None]
        kept = (best != BLANK) & counts  # of equal neighbours the first is kept
        kept[:, 1:] &= best[:, 1:] != best[:, :-1]
        texts = [best[row][kept[row]].tolist() for row in range(len(best))]
        targets = torch.full((len(texts), max(1, max(map(len, texts), default=0))), BLANK)
        for row, text in enumerate(texts):
            targets[row, : len(text)] = torch.tensor(text, dtype=torch.long)
        chances = (-self._costs(steps, times, targets)).exp().tolist()
        return [[Answer(self._text(text), min(1.0, p))] for text, p in zip(texts, chances, strict=True)]

    def _text(self, numbers: Sequence[int]) -> str:
        return "".join(self.alphabet[number - 1] for number in numbers)

    def _beam(self, steps: Sequence[Sequence[float]], most: int) -> list[Answer]:
        """Prefix beam search (Hannun et al. 2014) without a language model."""
        beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -math.inf)}  # log P, ending in blank or not
        for step in steps:
            likely = np.argsort(step)[::-1][:NEAR].tolist()
            grown: dict[tuple[int, ...], tuple[float, float]] = {}

            def add(
                text: tuple[int, ...],
                blank: float,
                plain: float,
                grown: dict[tuple[int, ...], tuple[float, float]] = grown,
            ) -> None:
                before = grown.get(text, (-math.inf, -math.inf))
                grown[text] = (_log_sum(before[0], blank), _log_sum(before[1], plain))

            for text, (blank, plain) in beam.items():
                whole = _log_sum(blank, plain)
                for number in likely:
                    if number == BLANK:
                        add(text, whole + step[BLANK], -math.inf)
                    elif text and number == text[-1]:
                        add(text, -math.inf, plain + step[number])
                        add((*text, number), -math.inf, blank + step[number])
                    else:
                        add((*text, number), -math.inf, whole + step[number])
            ranked = sorted(grown.items(), key=lambda item: -_log_sum(*item[1]))
            beam = dict(ranked[: max(BEAM, 2 * most)])
        ranked = sorted(beam.items(), key=lambda item: -_log_sum(*item[1]))[:most]
        return [Answer(self._text(text), min(1.0, math.exp(_log_sum(*chances)))) for text, chances in ranked]


def _log_sum(one: float, other: float) -> float:
    """log(exp(one) + exp(other))."""
    high, low = (one, other) if one > other else (other, one)
    return high if low == -math.inf else high + math.log1p(math.exp(low - high))
