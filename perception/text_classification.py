"""What the tasks of classifying texts share: the tokeniser, dropped words, and TF-IDF with logistic regression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lanista.perception.classification import Classification, accuracy_and_f1
from lanista.perception.dataset import Examples
from lanista.perception.input import Input
from lanista.perception.inputs.text import UNKNOWN, learn_text_input
from lanista.perception.task import Baseline, Splits

MOST_TERMS = 50_000
STRENGTHS = (1.0, 10.0, 100.0)  # the inverse of the regularisation, C of scikit-learn


class TextClassification(Classification):
    """Labels of texts.

    Attributes:
        length: the most tokens that are read of a text.
        vocabulary: the most tokens there are.
        dropped: the share of tokens that are made unknown in training (word dropout, Iyyer et al. 2015).
    """

    modality = "text"
    length: int = 64
    vocabulary: int = 8192
    dropped: float = 0.2
    dropout: float = 0.5

    def input(self, splits: Splits) -> Input:
        """A tokeniser of small letters, learnt from the training texts."""
        return learn_text_input(splits.train.inputs, self.length, self.vocabulary)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Some tokens are made unknown."""
        return drop_tokens(batch, self.dropped, generator)

    def baseline(self, splits: Splits) -> Baseline:
        """TF-IDF and logistic regression."""
        return tfidf_baseline(splits)


def drop_tokens(batch: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Token ids (batch, length) with a share of them made unknown; padding stays."""
    chosen = torch.rand(batch.shape, generator=generator) < share
    return batch.masked_fill(chosen & (batch != 0), UNKNOWN)


def tfidf_baseline(splits: Splits) -> Baseline:
    """Logistic regression on TF-IDF of words, or words and pairs of words; which, and how strong, validation says.

    The whole texts are read, whatever length the encoder's rows have.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    best, name, scores = -1.0, "", {}
    for what, most in (("words", 1), ("words and pairs", 2)):
        reader = TfidfVectorizer(
            ngram_range=(1, most),
            sublinear_tf=True,
            min_df=2,
            max_features=MOST_TERMS,
            token_pattern=r"\w+|[^\w\s]",
            dtype=np.float32,
        )
        rows, targets = reader.fit_transform(splits.train.inputs), most_likely(splits.train.targets)
        parts = {part: reader.transform(examples.inputs) for part, examples in splits.tests.items()}
        valid = reader.transform(splits.valid.inputs)
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=200, tol=1e-3).fit(rows, targets)
            score = float(np.mean(model.predict(valid) == np.asarray(splits.valid.targets)))
            if score > best:
                best, name = score, f"TF-IDF of {what}, logistic regression (C = {strength:g})"
                scores = {
                    part: accuracy_and_f1(model.predict(parts[part]), np.asarray(examples.targets))
                    for part, examples in splits.tests.items()
                }
    return Baseline(name, scores)


def most_likely(targets: Any) -> np.ndarray:
    """Indices of labels (n,), or of the likeliest where the labels' chances (n, labels) are given."""
    values = np.asarray(targets)
    return values.argmax(1) if values.ndim == 2 else values


def share_no_text(examples: Examples, others: Sequence[Examples]) -> Examples:
    """The examples without those whose text, but for case and spaces, is among the others."""
    known = {plain(text) for other in others for text in other.inputs}
    return examples.take([row for row, text in enumerate(examples.inputs) if plain(text) not in known])


def plain(text: str) -> str:
    """A text without case and double spaces."""
    return " ".join(text.lower().split())
