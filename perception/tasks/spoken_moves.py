"""Hear a move or a command said at a board ("column four", "d four", "undo"), word by word; other voices test it.

Begun from the encoder of `spoken_words` (`--encoder spoken_words`) it learns in minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.perception.data.spoken_moves import ALPHABET, DIGITS, LETTERS, WORDS
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.phrase import Phrase
from lanista.perception.inputs.sound import SoundInput, level, trimmed
from lanista.perception.sound_changes import changed
from lanista.perception.speech import cepstra, joined
from lanista.perception.task import Baseline, Recipe, Splits, Task, split_rows
from lanista.plugs import required

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TESTED = ("asterisk",)  # speakers of the real recordings that are tested on, and never learnt from
REPEATED = 6  # times that each recording of another person is learnt from
JOINED = 300  # phrases made of recordings of words
PAUSES = (0.02, 0.25)  # seconds between their words
BASELINE_EXAMPLES = 3000
LISTED = 40  # examples in the picture
WIDEST = 54  # characters of an example, of which two stand side by side


class SpokenMoves(Task):
    """Phrases of 82 words, by CTC."""

    modality = "sound"
    measure = "phrase_accuracy"

    def __init__(self, voices: int = 0, samples: int = 18_000) -> None:
        """Choose the voices.

        Args:
            voices: synthetic voices in each part, at most; 0 for all.
            samples: of the window, 8,000 a second.
        """
        self.voices, self.samples = voices, samples
        self.recipe = Recipe(
            encoder="speech_crnn:step=40", epochs=10, minutes=15.0, batch_size=64, learning_rate=2e-3, patience=12
        )

    def load(self, seed: int) -> Splits:
        """Voices are split by the data set; of the real speakers one is tested and the others learnt from.

        Raises:
            UsageError: a synthesiser or the real recordings are not on this machine.
        """
        # People first: who lacks them need not wait for the voices to hear of it.
        people = {name: _known(part) for name, part in load_data("real_words").parts.items()}
        made = load_data(f"spoken_moves:most={self.voices}" if self.voices else "spoken_moves")
        tested = joined([people[name] for name in TESTED])
        others = joined([part for name, part in people.items() if name not in TESTED])
        whole = [row for row, wave in enumerate(made.parts["train"].inputs) if len(wave) <= self.samples]
        train = joined([made.parts["train"].take(whole), *[others] * REPEATED])
        lines = (
            f"spoken_moves ({data_source('spoken_moves').licence}): {len(whole):,} phrases to learn from, by "
            f"{len(set(made.parts['train'].groups))} voices; {len(made.parts['test']):,} to test, by voices, accents "
            "and an engine never heard in training",
            f"real_words ({data_source('real_words').licence}): {len(tested)} recordings of {' and '.join(TESTED)} to "
            f"test, single words and {JOINED} squares of two words joined; {len(others)} of other people learnt from, "
            f"{REPEATED} times each",
        )
        tests = {
            "unseen voices": made.parts["test"],
            "real words": tested,
            "real words, joined": _squares(tested, made.rate),
        }
        return Splits(train, made.parts["valid"], tests, (), made.rate, lines)

    def input(self, splits: Splits) -> SoundInput:
        """2.25 seconds, 8,000 samples a second; the encoder hears longer ones too."""
        return SoundInput(splits.rate, self.samples)

    def head(self, dim: int, splits: Splits) -> Head:
        """Words along time."""
        return Phrase(dim, list(WORDS), dropout=0.1)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Through rooms, telephones and noise, faster and slower."""
        return changed(batch, 8000, generator)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """The share of phrases that are right from end to end, and the word error rate, by jiwer; no grammar helps."""
        return _scores(list(examples.targets), [answer[0].text for answer in answers])

    def baseline(self, splits: Splits) -> Baseline:
        """The phrase of the training example whose cepstra are nearest."""
        required("sklearn", "perception", "the baseline of spoken_moves")
        from sklearn.neighbors import NearestNeighbors
        from sklearn.preprocessing import StandardScaler

        rows = split_rows(len(splits.train), min(1.0, BASELINE_EXAMPLES / len(splits.train)), 0)[1]
        few = splits.train.take(rows)
        scaler = StandardScaler()
        nearest = NearestNeighbors(n_neighbors=1).fit(scaler.fit_transform(cepstra(few.inputs, splits.rate)))
        scores = {}
        for part, examples in splits.tests.items():
            told = nearest.kneighbors(scaler.transform(cepstra(examples.inputs, splits.rate)), return_distance=False)
            scores[part] = _scores(list(examples.targets), [few.targets[row] for row in told[:, 0]])
        return Baseline(f"nearest of {len(few):,} training examples by MFCC", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Examples from the whole of the part, and the accuracy by the number of words."""
        left, right = figure.subplots(1, 2, width_ratios=(2, 3))
        texts = [answer[0].text for answer in answers]
        counts = np.array([len(text.split()) for text in examples.targets])
        shares = [
            np.mean([texts[row] == examples.targets[row] for row in np.flatnonzero(counts == count)])
            for count in np.unique(counts)
        ]
        left.bar(np.unique(counts), shares, color="tab:blue")
        left.set(xlabel="words of the phrase", ylabel="phrase accuracy", ylim=(0, 1))
        lines = []
        for row in np.linspace(0, len(examples) - 1, min(LISTED, len(examples))).astype(int):
            mark = " " if texts[row] == examples.targets[row] else "x"
            lines.append(f"{mark} {examples.targets[row]} -> {texts[row]}")
        right.axis("off")
        right.set_title("said -> heard", loc="left")
        columns = 2 if max(map(len, lines), default=0) <= WIDEST else 1
        for column in range(columns):
            shown = "\n".join(lines[column::columns])
            right.text(column / columns, 1, shown, va="top", family="monospace", fontsize=7, transform=right.transAxes)


def _scores(said: list[str], told: list[str]) -> dict[str, float]:
    required("jiwer", "perception", "word error rates")
    import jiwer

    right = sum(one == other for one, other in zip(said, told, strict=True))
    return {"phrase_accuracy": right / len(said), "word_error_rate": float(jiwer.wer(said, told))}


def _known(part: Examples) -> Examples:
    """Those of the recordings whose text is one of the words."""
    return part.take([row for row, text in enumerate(part.targets) if text in WORDS])


def _squares(words: Examples, rate: int) -> Examples:
    """Squares ("d four", "delta four") made of a person's recordings of words, with a short pause; always the same."""
    pairs = zip(words.inputs, words.targets, strict=True)
    said = {text: level(trimmed(np.asarray(wave), rate)) for wave, text in pairs}
    chance = np.random.default_rng(40_000)
    columns, rows = [word for word in (*LETTERS, *ALPHABET) if word in said], [word for word in DIGITS if word in said]
    waves, texts = [], []
    for _ in range(JOINED):
        one, other = columns[chance.integers(len(columns))], rows[chance.integers(len(rows))]
        pause = np.zeros(round(rate * chance.uniform(*PAUSES)), np.float32)
        waves.append(np.concatenate([said[one], pause, said[other]]).astype(np.float32))
        texts.append(f"{one} {other}")
    return Examples(waves, texts, [words.groups[0]] * JOINED)
