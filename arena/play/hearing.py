"""The ear of the page: an utterance and what may be said -> what was heard, and what it means.

The pretrained recogniser gives probabilities of words along time; each phrase of the grammar has its probability from
them (CTC), over all ways to lay its words along the sound. What counts is each meaning's share of all meanings, and how
likely all are beside what was heard best without a grammar: a cough should not be a move.
"""

from __future__ import annotations

import base64
import binascii
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from lanista.arena.play.spoken import Meaning
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.perception.recogniser import Recogniser

RECOGNISER, INSTRUCTIONS = "spoken_moves", "spoken_instructions"
RATE = 8000  # samples a second of an utterance
LONGEST = 4.0  # seconds
SHORTEST = 0.12
QUIET = 150  # of 32,767: what is never louder is silence
# Chosen on the validation voices: so no move of theirs was taken for another, and of illegal ones none for a legal.
SURE = 0.9  # a meaning with this share of all is taken at once,
NEAR = 0.05  # if all are this likely, beside what was heard best without a grammar;
LEAST = 0.001  # if they are less likely than this, nothing was heard that may be said
SHOWN = 2  # meanings that are asked about


@dataclass(frozen=True)
class Guess:
    """A meaning with its probability in [0, 1], if what was said has one of the meanings."""

    meaning: Meaning
    probability: float


@dataclass(frozen=True)
class Heard:
    """What was heard.

    Attributes:
        verdict: "sure" (do the first guess), "unsure" (ask which guess), "nothing" (that may be said here), "silence".
        words: those heard best without a grammar, each with its probability.
        guesses: the likeliest meanings, the likeliest first.
    """

    verdict: Literal["sure", "unsure", "nothing", "silence"]
    words: tuple[tuple[str, float], ...] = ()
    guesses: tuple[Guess, ...] = ()


class Ear:
    """Hears; the recogniser is loaded when it is first needed. Safe in threads: one utterance at a time."""

    def __init__(self, recogniser: str = RECOGNISER) -> None:
        self._name = recogniser
        self._lock = threading.RLock()
        self._model: Recogniser | None = None

    def load(self) -> Recogniser:
        """The recogniser.

        Raises:
            UsageError: it is not here.
        """
        from lanista.perception.heads.phrase import Phrase
        from lanista.perception.pretrained import load_recogniser

        with self._lock:
            if self._model is None:
                model = load_recogniser(self._name)
                if not isinstance(model.head, Phrase):
                    raise UsageError(f"the encoder '{self._name}' hears no phrases")
                self._model = model
            return self._model

    def hear(self, samples: np.ndarray, grammar: Mapping[str, Meaning]) -> Heard:
        """What was said.

        Args:
            samples: (n,) int16, 8,000 a second, at most 4 seconds.
            grammar: phrase -> what it means.

        Raises:
            UsageError: the recogniser is not here.
        """
        import torch

        from lanista.perception.heads.phrase import Phrase
        from lanista.perception.inputs.sound import SoundInput

        if len(samples) < SHORTEST * RATE or np.abs(samples.astype(np.int32)).max() < QUIET:
            return Heard("silence")
        with self._lock, torch.inference_mode():
            model = self.load()
            head = model.head
            assert isinstance(head, Phrase)
            wave = samples[: round(LONGEST * RATE)].astype(np.float32) / 32768
            learnt = model.encoder.shape[0]  # a shorter utterance has silence around it, as it had in training
            reader = SoundInput(RATE, max(learnt, len(wave)))
            encoded = model.encode(torch.from_numpy(reader.fit([wave])))
            words = tuple((answer.text, answer.probability) for answer in head.heard(encoded))
            free = " ".join(word for word, _ in words)
            phrases = list(grammar)
            costs = head.costs_of(encoded, [*phrases, free]).double().numpy() if phrases else np.zeros(0)
        if not words or not phrases:
            return Heard("nothing" if words else "silence", words)
        return judged(words, [(grammar[phrase], costs[row]) for row, phrase in enumerate(phrases)],
                      None if free in grammar else float(costs[-1]))  # fmt: skip


def judged(words: tuple[tuple[str, float], ...], costs: list[tuple[Meaning, float]], other: float | None) -> Heard:
    """Weigh the meanings.

    Args:
        words: as heard without a grammar.
        costs: each phrase's meaning and -log P(phrase).
        other: -log P of the words, where they are no phrase of the grammar.
    """
    least = min(cost for _, cost in costs)
    if math.isinf(least):
        return Heard("nothing", words)
    shares: dict[Meaning, float] = {}
    for meaning, cost in costs:
        shares[meaning] = shares.get(meaning, 0.0) + float(np.exp(least - cost))
    total = sum(shares.values())
    beside = 0.0 if other is None else math.log(total) - least + other
    ranked = sorted(shares.items(), key=lambda pair: -pair[1])[:SHOWN]
    guesses = tuple(Guess(meaning, share / total) for meaning, share in ranked)
    if beside < math.log(LEAST):
        return Heard("nothing", words, guesses)
    return Heard("sure" if guesses[0].probability >= SURE and beside >= math.log(NEAR) else "unsure", words, guesses)


def samples_of(text: object) -> np.ndarray | None:
    """(n,) int16 from the base64 that a browser sent; None if it is none, or too long."""
    if not isinstance(text, str) or len(text) > 4 * (2 * round(LONGEST * RATE) + 3) // 3 + 4:
        return None
    try:
        packed = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return np.frombuffer(packed[: len(packed) // 2 * 2], "<i2").astype(np.int16)
