"""Hear what an agent is told to do ("go to the red ball"), word by word; voices and an engine never heard test it.

Begun from the encoder of `spoken_words` (`--encoder spoken_words`) it learns in minutes. No recordings of people say
such instructions.
"""

from __future__ import annotations

from lanista.perception.data.spoken_instructions import WORDS
from lanista.perception.dataset import data_source, load_data
from lanista.perception.head import Head
from lanista.perception.heads.phrase import Phrase
from lanista.perception.inputs.sound import SoundInput
from lanista.perception.task import Recipe, Splits
from lanista.perception.tasks.spoken_moves import SpokenMoves


class SpokenInstructions(SpokenMoves):
    """Clauses of BabyAI's language, by CTC, and their words by what is attended to."""

    def __init__(self, voices: int = 0, samples: int = 24_000) -> None:
        """Choose the voices.

        Args:
            voices: synthetic voices in each part, at most; 0 for all.
            samples: of the window, 8,000 a second.
        """
        self.voices, self.samples = voices, samples
        self.recipe = Recipe(
            encoder="speech_crnn:step=40", epochs=6, minutes=15.0, batch_size=64, learning_rate=2e-3, patience=12
        )

    def load(self, seed: int) -> Splits:
        """Voices are split by the data set.

        Raises:
            UsageError: a synthesiser is not on this machine.
        """
        made = load_data(f"spoken_instructions:most={self.voices}" if self.voices else "spoken_instructions")
        train = made.parts["train"]
        whole = train.take([row for row, wave in enumerate(train.inputs) if len(wave) <= self.samples])
        lines = (
            f"spoken_instructions ({data_source('spoken_instructions').licence}): {len(whole):,} phrases to learn "
            f"from, by {len(set(train.groups))} voices; {len(made.parts['test']):,} to test, by voices, accents and an "
            "engine never heard in training",
        )
        return Splits(whole, made.parts["valid"], {"unseen voices": made.parts["test"]}, (), made.rate, lines)

    def input(self, splits: Splits) -> SoundInput:
        """3 seconds, 8,000 samples a second; the encoder hears longer ones too."""
        return SoundInput(splits.rate, self.samples)

    def head(self, dim: int, splits: Splits) -> Head:
        """Words along time, and which are in the whole: what an agent that is told something reuses."""
        return Phrase(dim, list(WORDS), dropout=0.1, sums_up=True)
