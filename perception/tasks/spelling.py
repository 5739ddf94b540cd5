"""Write down a word that was said, by ear: words, voices and people of the tests are in no training example."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.transcript import Transcript
from lanista.perception.inputs.sound import SoundInput
from lanista.perception.sound_changes import changed
from lanista.perception.speech import cepstra, joined
from lanista.perception.task import Baseline, Recipe, Splits, Task
from lanista.plugs import required

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
LEAST_LETTERS = 3  # of the real words: single letters are not spelt as they sound
TESTED = ("asterisk", "ktuberling")  # speakers of the real recordings that are tested on; the others validate
LISTED = 40  # examples in the picture


class Spelling(Task):
    """Spoken words to letters."""

    modality = "sound"
    measure = "character_error_rate"
    lower_is_better = True

    def __init__(self, voices: int = 0, samples: int = 11_000) -> None:
        """Choose the voices.

        Args:
            voices: synthetic voices in each part, at most; 0 for all.
            samples: of the window, 8,000 a second.
        """
        self.voices, self.samples = voices, samples
        self.recipe = Recipe(
            encoder="speech_crnn:layers=2", epochs=16, minutes=13.0, batch_size=64, learning_rate=2e-3, patience=16
        )

    def load(self, seed: int) -> Splits:
        """Words and voices are split by the data set, the real speakers here; neither is shared by two parts.

        Raises:
            UsageError: a synthesiser, the list of words or the real recordings are not on this machine.
        """
        # People first: who lacks them need not wait for the voices to hear of it.
        people = {name: written(part) for name, part in load_data("real_words").parts.items()}
        made = load_data(f"spelt_words:most={self.voices}" if self.voices else "spelt_words")
        tested = joined([people[name] for name in TESTED])
        others = joined([part for name, part in people.items() if name not in TESTED])
        train, valid = made.parts["train"], joined([made.parts["valid"], others])
        lines = (
            f"spelt_words ({data_source('spelt_words').licence}): {len(train):,} examples of "
            f"{len(set(train.targets)):,} words by {len(set(train.groups))} voices to learn from; "
            f"{len(made.parts['test']):,} of "
            f"{len(set(made.parts['test'].targets))} other words by other voices to test",
            f"real_words ({data_source('real_words').licence}): {len(tested)} recordings of {' and '.join(TESTED)} to "
            f"test, of words not learnt; {len(others)} of other people among those that validate",
        )
        tests = {"unseen words": made.parts["test"], "real recordings": tested}
        return Splits(train, valid, tests, (), made.rate, lines)

    def input(self, splits: Splits) -> SoundInput:
        """1.4 seconds, 8,000 samples a second."""
        return SoundInput(splits.rate, self.samples)

    def head(self, dim: int, splits: Splits) -> Head:
        """Letters along time, by CTC."""
        return Transcript(dim, ALPHABET, dropout=0.1)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Through rooms, telephones and noise, faster and slower."""
        return changed(batch, 8000, generator)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Character error rate, by jiwer, and the share of words without an error."""
        return error_rates(list(examples.targets), [answer[0].text for answer in answers])

    def baseline(self, splits: Splits) -> Baseline:
        """The spelling of the training example whose cepstra are nearest."""
        required("sklearn", "perception", "the baseline of spelling")
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

        scaler = StandardScaler()
        known = scaler.fit_transform(cepstra(splits.train.inputs, splits.rate))
        nearest = NearestNeighbors(n_neighbors=1).fit(known)
        scores = {}
        for part, examples in splits.tests.items():
            told = scaler.transform(cepstra(examples.inputs, splits.rate))
            rows = nearest.kneighbors(told, return_distance=False)[:, 0]
            scores[part] = error_rates(list(examples.targets), [splits.train.targets[row] for row in rows])
        return Baseline("nearest training example by MFCC", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Examples from the whole of the part, and errors by the length of words."""
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        texts = [answer[0].text for answer in answers]
        lengths = np.array([len(text) for text in examples.targets])
        rates = []
        for length in np.unique(lengths):
            rows = np.flatnonzero(lengths == length)
            told = error_rates([examples.targets[row] for row in rows], [texts[row] for row in rows])
            rates.append(told[self.measure])
        left.bar(np.unique(lengths), rates, color="tab:blue")
        left.set(xlabel="letters of the word", ylabel="character error rate", ylim=(0, None))
        lines = []
        for row in np.linspace(0, len(examples) - 1, min(LISTED, len(examples))).astype(int):
            mark = " " if texts[row] == examples.targets[row] else "x"
            lines.append(f"{mark} {examples.targets[row]:>12} -> {texts[row]:<14}")
        right.axis("off")
        right.set_title("said -> written", loc="left")
        for column in range(2):
            shown = "\n".join(lines[column::2])
            right.text(column / 2, 1, shown, va="top", family="monospace", fontsize=8, transform=right.transAxes)


def error_rates(said: list[str], told: list[str]) -> dict[str, float]:
    """Character error rate over all of the texts, by jiwer, and the share of texts that are right."""
    required("jiwer", "perception", "character error rates")
    import jiwer

    right = sum(one == other for one, other in zip(said, told, strict=True))
    return {"character_error_rate": float(jiwer.cer(said, told)), "words_right": right / len(said)}


def written(part: Examples) -> Examples:
    """Those of the real recordings that are words."""
    long = [len(text) >= LEAST_LETTERS and set(text) <= set(ALPHABET) for text in part.targets]
    return part.take(np.flatnonzero(long))
