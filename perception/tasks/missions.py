"""Understand an instruction of BabyAI's language: what to do, with which things; some phrasings are kept for tests."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from lanista.errors import UsageError
from lanista.perception.data.missions import ATTRIBUTES, PART, VERBS
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.attributes import Attributes, text_of, values_of
from lanista.perception.inputs.words import TOKENS, WordsInput
from lanista.perception.task import Baseline, Recipe, Splits, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

READ = 6000  # sentences that the baseline learns from
STRENGTH = 10.0  # the inverse of its regularisation, C of scikit-learn
DROPPED = 0.05  # the share of words that are another one in training
MOST_SHOWN = 22


class Missions(Task):
    """Verb, colour, object and place of one or two instructions; of something that is put also beside what.

    `thing_accuracy` looks at all but verbs: what an unseen verb means cannot be known, what it stands beside can.
    """

    modality = "text"
    measure = "thing_accuracy"

    def __init__(self, most: int = 0) -> None:
        """Choose how many sentences.

        Args:
            most: learn from so many, and test on a tenth of them; 0 takes all 30,000.
        """
        if most < 0 or 0 < most < 50:
            raise UsageError(f"option 'most' of the task 'missions' must be 0 or 50 or more, not {most}")
        self.most = most
        self.recipe = Recipe("text_gru", minutes=8.0, epochs=12, batch_size=128, learning_rate=3e-3)

    def load(self, seed: int) -> Splits:
        """Sentences, made from seeds of their own."""
        loaded = load_data(f"missions:count={self.most},tests={self.most // 10}" if self.most else "missions")
        parts = dict(loaded.parts)
        train, valid = parts.pop("train"), parts.pop("valid")
        line = (
            f"missions ({data_source('missions').licence}): {len(train):,} instructions of BabyAI's language in many "
            f"words to learn from; {len(parts['test']):,} others to test, and {len(parts['unseen phrasings']):,} whose "
            "verbs and links are in words that no other part has"
        )
        return Splits(train, valid, parts, data=(line,))

    def input(self, splits: Splits) -> WordsInput:
        """Words, as games show them."""
        return WordsInput()

    def head(self, dim: int, splits: Splits) -> Head:
        """Seven attributes of each of two instructions."""
        return Attributes(dim, [list(values) for values in ATTRIBUTES], dropout=0.1)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Some words are any other."""
        ids = batch.long()
        chosen = (torch.rand(ids.shape, generator=generator) < DROPPED) & (ids != 0)
        return torch.where(chosen, torch.randint(1, TOKENS, ids.shape, generator=generator), ids)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """The share of sentences whose things are all right, of those right in all, and of verbs."""
        told = np.concatenate([values_of(answer[0].text, ATTRIBUTES) for answer in answers])
        return mission_scores(told, np.asarray(examples.targets)[:, 0])

    def baseline(self, splits: Splits) -> Baseline:
        """Logistic regression on TF-IDF of words and pairs of words, for each attribute."""
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import LogisticRegression

        few = splits.train.take(range(min(READ, len(splits.train))))
        reader = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2, token_pattern=r"\w+")
        rows, targets = reader.fit_transform(few.inputs), np.asarray(few.targets)[:, 0]
        parts = {part: reader.transform(examples.inputs) for part, examples in splits.tests.items()}
        told = {part: np.zeros((len(examples), len(ATTRIBUTES)), np.int64) for part, examples in splits.tests.items()}
        for number in range(len(ATTRIBUTES)):
            if len(np.unique(targets[:, number])) == 1:
                continue
            model = LogisticRegression(C=STRENGTH, max_iter=100, tol=1e-3).fit(rows, targets[:, number])
            for part, read in parts.items():
                told[part][:, number] = model.predict(read)
        scores = {
            part: mission_scores(told[part], np.asarray(examples.targets)[:, 0])
            for part, examples in splits.tests.items()
        }
        return Baseline(f"TF-IDF of words and pairs, logistic regression (C = {STRENGTH:g})", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Sentences with what was understood, those with mistaken things first."""
        told = np.concatenate([values_of(answer[0].text, ATTRIBUTES) for answer in answers])
        true = np.asarray(examples.targets)[:, 0]
        wrong = told != true
        order = np.argsort(-(2 * wrong[:, _things()].any(1) + wrong.any(1)), kind="stable")[:MOST_SHOWN]
        lines = []
        for row in order.tolist():
            lines.append(examples.inputs[row][:150])
            mark = "wrong: " if wrong[row].any() else "right: "
            lines.append(
                f"   {mark}{_brief(told[row])}" + (f"   TRUE: {_brief(true[row])}" if wrong[row].any() else "")
            )
        axes = figure.subplots()
        axes.axis("off")
        axes.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=6, transform=axes.transAxes)


def mission_scores(told: np.ndarray, true: np.ndarray) -> dict[str, float]:
    """Of indices (n, attributes): the share of rows whose things are right, that are right, and of verbs."""
    right, things = told == true, _things()
    verbs = (true > 0) & ~things
    return {
        "thing_accuracy": float(right[:, things].all(1).mean()),
        "mission_accuracy": float(right.all(1).mean()),
        "verb_accuracy": float(right[verbs].mean()),
    }


def _things() -> np.ndarray:
    """(attributes,) bool: those that are no verbs."""
    return np.array([values is not VERBS for values in ATTRIBUTES])


def _brief(values: np.ndarray) -> str:
    """What an instruction says, without what it does not say."""
    halves = [text_of(some[None], PART) for some in np.split(values, 2)]
    return "; ".join(" ".join(word for word in half.split() if word != "-") for half in halves).rstrip("; ")
