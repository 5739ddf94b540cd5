"""Say which of 114 words was said: learnt from synthetic and real voices; other voices and people test it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.perception.classification import Classification, accuracy_and_f1, mistakes
from lanista.perception.data.spoken_words import WORDS
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.inputs.sound import SoundInput
from lanista.perception.sound_changes import changed
from lanista.perception.speech import SEGMENTS, cepstra, joined
from lanista.perception.task import Baseline, Recipe, Splits, split_rows
from lanista.plugs import required

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from lanista.perception.head import Answer

REPEATED = 40  # times that each recording of a person is learnt from, in other rooms each time: they are few
TESTED = ("asterisk", "ktuberling")  # speakers of the real recordings that are tested on, and never learnt from
LISTED = 34  # mistakes in the picture
BASELINE_EXAMPLES = 6000  # that a support vector machine still learns from in a minute


class SpokenWords(Classification):
    """Labels of spoken words."""

    modality = "sound"

    def __init__(self, voices: int = 0, real: bool = True, samples: int = 10_000) -> None:
        """Choose the voices.

        Args:
            voices: synthetic voices in each part, at most; 0 for all.
            real: people who are not tested are learnt from, beside the synthetic voices; else they validate.
            samples: of the window, 8,000 a second.
        """
        self.voices, self.real, self.samples = voices, real, samples
        self.recipe = Recipe(
            encoder="speech_crnn:step=40", epochs=9, minutes=15.0, batch_size=64, learning_rate=2e-3, patience=9
        )

    def load(self, seed: int) -> Splits:
        """Voices are split by the data set; the real speakers in those that are tested and those that are not.

        Raises:
            UsageError: a synthesiser or the real recordings are not on this machine.
        """
        # People first: who lacks them need not wait a quarter of an hour for the voices to hear of it.
        people = {name: labelled(part) for name, part in load_data("real_words").parts.items()}
        made = load_data(f"spoken_words:most={self.voices}" if self.voices else "spoken_words")
        parts = {name: labelled(part) for name, part in made.parts.items()}
        tested = joined([people[name] for name in TESTED])
        others = joined([part for name, part in people.items() if name not in TESTED])
        train, valid = parts["train"], joined([parts["valid"], others])
        if self.real:
            train, valid = joined([parts["train"], *[others] * REPEATED]), parts["valid"]
        count = len(set(parts["train"].groups))
        lines = (
            f"spoken_words ({data_source('spoken_words').licence}): {len(parts['train']):,} examples to learn from, by "
            f"{count} voices; {len(parts['test']):,} to test, by voices, accents and an engine never heard in training",
            f"real_words ({data_source('real_words').licence}): {len(tested)} recordings of {' and '.join(TESTED)} to "
            f"test; {len(others)} of other people {f'learnt from, {REPEATED} times each' if self.real else 'validate'}",
        )
        tests = {"unseen voices": parts["test"], "real recordings": tested}
        return Splits(train, valid, tests, WORDS, made.rate, lines)

    def input(self, splits: Splits) -> SoundInput:
        """1.25 seconds, 8,000 samples a second."""
        return SoundInput(splits.rate, self.samples)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Through rooms, telephones and noise, faster and slower."""
        return changed(batch, 8000, generator)

    def baseline(self, splits: Splits) -> Baseline:
        """A support vector machine on cepstra, as speech was recognised before networks."""
        required("sklearn", "perception", "the baseline of spoken_words")
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        rows = split_rows(len(splits.train), min(1.0, BASELINE_EXAMPLES / len(splits.train)), 0)[1]
        few = splits.train.take(rows)
        model = make_pipeline(StandardScaler(), SVC(C=10.0))
        model.fit(cepstra(few.inputs, splits.rate), np.asarray(few.targets))
        scores = {}
        for part, examples in splits.tests.items():
            told = model.predict(cepstra(examples.inputs, splits.rate))
            scores[part] = accuracy_and_f1(told, np.asarray(examples.targets))
        return Baseline(f"RBF SVM on 13 MFCC in {SEGMENTS} segments, {len(few):,} examples", scores)

    def draw_mistakes(
        self, axes: Axes, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits
    ) -> None:
        """A list of what was mistaken for what and who said it, the surest first."""
        rows, targets = mistakes(examples, answers, splits), np.asarray(examples.targets)
        lines = []
        for row in rows[:LISTED]:
            said = answers[row][0]
            word = splits.labels[targets[row]]
            lines.append(f"{word:>12}, heard {said.text:<12} {said.probability:4.0%}  {examples.groups[row]}")
        axes.axis("off")
        axes.set_title(f"{len(rows)} of {len(examples):,} mistaken; the surest", loc="left")
        axes.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=7, transform=axes.transAxes)


def labelled(part: Examples) -> Examples:
    """Those examples whose text is one of the words, with its index."""
    index = {word: place for place, word in enumerate(WORDS)}
    some = part.take([row for row, text in enumerate(part.targets) if text in index])
    return Examples(some.inputs, np.array([index[text] for text in some.targets], np.int64), some.groups)
