"""Answer questions on a position of a game that is told in words; some wordings are never seen in training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np

from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer
from lanista.perception.task import Baseline, Recipe, Splits
from lanista.perception.text_classification import TextClassification, tfidf_baseline

READ = 8000  # examples that the slower of the baseline's methods learns from


class Questions(TextClassification):
    """One of some words for a question and the position after it; accuracy is the exact match."""

    measure = "exact_match"
    length = 96
    vocabulary = 1024
    dropped = 0.03
    dropout = 0.1
    smoothing = 0.0

    def __init__(self, most: int = 0) -> None:
        """Make the task.

        Args:
            most: the greatest number of training examples; 0 takes all. Small ones make small tests too.
        """
        self.most = most
        self.recipe = Recipe(
            encoder="text_gru:repeats=true,bag=16",
            epochs=24,
            minutes=11.0,
            batch_size=64,
            learning_rate=3e-3,
            weight_decay=1e-3,
        )

    def load(self, seed: int) -> Splits:
        """Positions and wordings, made from seeds of their own."""
        sizes = f":count={self.most},tests={max(200, self.most // 10)}" if self.most else ""
        loaded = load_data(f"game_states{sizes}")
        parts = dict(loaded.parts)
        train, valid = parts.pop("train"), parts.pop("valid")
        line = (
            f"game_states ({data_source('game_states').licence}): {len(train):,} questions on positions of three games "
            f"to learn from; {len(parts['test']):,} to test, on other positions, and "
            f"{len(parts['unseen phrasings']):,} on positions and in wordings that occur nowhere else"
        )
        return Splits(train, valid, parts, loaded.labels, data=(line,))

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """Exact match: the share of answers that are right to the letter."""
        return {"exact_match": super().score(answers, examples, splits)["accuracy"]}

    def baseline(self, splits: Splits) -> Baseline:
        """The best, by validation, of three methods that do not read the position."""
        methods = [frequent_baseline(splits), nearest_baseline(splits)]
        few = splits.train.take(range(min(READ, len(splits.train))))
        parts = {**splits.tests, "valid": splits.valid}
        methods.append(tfidf_baseline(Splits(few, splits.valid, parts, splits.labels)))
        best = max(methods, key=lambda method: method.scores["valid"]["accuracy"])
        scores = {part: {"exact_match": best.scores[part]["accuracy"]} for part in splits.tests}
        return Baseline(best.name, scores)


def frequent_baseline(splits: Splits) -> Baseline:
    """The answer that a training question with the same first two words has most often."""
    counts: dict[str, Counter[int]] = {}
    for text, target in zip(splits.train.inputs, splits.train.targets, strict=True):
        counts.setdefault(kind(text), Counter())[int(target)] += 1
    every = sum(counts.values(), Counter())
    return _scores(
        "the most frequent answer to such a question",
        splits,
        lambda examples: [counts.get(kind(text), every).most_common(1)[0][0] for text in examples.inputs],
    )


def kind(text: str) -> str:
    """The first two words of a question."""
    return " ".join(text.split()[:2])


def nearest_baseline(splits: Splits) -> Baseline:
    """The answer of the training example that is nearest by TF-IDF."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    reader = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    few = splits.train.take(range(min(READ, len(splits.train))))
    memory = reader.fit_transform(few.inputs)
    targets = np.asarray(few.targets)
    return _scores(
        "the answer to the nearest text (TF-IDF, cosine)",
        splits,
        lambda examples: targets[np.asarray((reader.transform(examples.inputs) @ memory.T).argmax(1)).ravel()],
    )


def _scores(name: str, splits: Splits, answer: Callable[[Examples], Sequence[int] | np.ndarray]) -> Baseline:
    """A method's accuracy on the tests and on "valid"."""
    parts = {**splits.tests, "valid": splits.valid}
    return Baseline(
        name,
        {
            part: {"accuracy": float(np.mean(np.asarray(answer(examples)) == np.asarray(examples.targets)))}
            for part, examples in parts.items()
        },
    )
