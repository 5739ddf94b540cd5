"""Tell what a person wants of a smart home from a sentence; some phrasings are never seen in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from lanista.errors import unknown
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.input import Input
from lanista.perception.inputs.words import WordsInput
from lanista.perception.task import Recipe, Splits
from lanista.perception.text_classification import TextClassification

UNSEEN, TEST, VALID = 0.2, 0.15, 0.15
FEW = 10
TOKENS = ("pieces", "words")
TEST_SEED = 20_000  # the test parts are the same for every seed


class Intents(TextClassification):
    """One of 42 intents.

    A fifth of the templates of each intent that has four or more are kept back whole: "unseen phrasings". "test" has
    other sentences of the templates that are trained on. Validation is half of each kind. Of an intent with less than
    ten sentences all are trained on.
    """

    length = 32
    vocabulary = 2048
    dropped = 0.15

    def __init__(self, language: str = "en", most: int = 0, tokens: str = "pieces") -> None:
        """Choose the language.

        Args:
            language: of the templates, as "en", "de".
            most: the greatest number of training sentences; 0 takes all.
            tokens: "pieces" of a tokeniser that is learnt, or "words" as games show them, for agents that read.
        """
        if tokens not in TOKENS:
            raise unknown("kind of tokens", tokens, TOKENS)
        self.tokens = tokens
        self.language = language
        self.most = most
        self.recipe = Recipe(encoder="text_gru:dropout=0.3", epochs=20, minutes=6.0, batch_size=64)

    def input(self, splits: Splits) -> Input:
        """A tokeniser that is learnt from the training texts, or words, each with its number."""
        return WordsInput() if self.tokens == "words" else super().input(splits)

    def augment(self, batch: Tensor, generator: torch.Generator) -> Tensor:
        """Some tokens are made unknown."""
        return super().augment(batch.long() if self.tokens == "words" else batch, generator)

    def load(self, seed: int) -> Splits:
        """Split templates, then sentences."""
        loaded = load_data(f"intents:language={self.language}")
        whole = loaded.parts["all"]
        seen, unseen = split_templates(whole.groups, UNSEEN, TEST_SEED)
        learn, test = split_sentences(whole.take(seen), TEST, TEST_SEED)
        rows, new = split_templates(learn.groups, VALID / 2, seed)
        train, known = split_sentences(learn.take(rows), VALID / 2, seed)
        valid = Examples(
            [*known.inputs, *(learn.inputs[row] for row in new)],
            np.concatenate([known.targets, np.asarray(learn.targets)[new]]),
        )
        train = train.take(range(self.most)) if self.most else train
        tests = {"test": test, "unseen phrasings": whole.take(unseen)}
        line = (
            f"intents ({data_source('intents').licence}), language {self.language}: {len(set(whole.groups)):,} "
            f"templates, {len(set(tests['unseen phrasings'].groups)):,} of them kept back as unseen phrasings; "
            f"{len(learn):,} sentences drawn from the others to learn from, {len(tests['test']):,} to test"
        )
        return Splits(train, valid, tests, loaded.labels, data=(line,))


def split_sentences(examples: Examples, share: float, seed: int) -> tuple[Examples, Examples]:
    """Sentences in two parts, the second with `share` of those of intents that have at least FEW."""
    order = np.random.default_rng(seed).permutation(len(examples))
    enough = np.bincount(np.asarray(examples.targets)) >= FEW
    second = order[enough[np.asarray(examples.targets)[order]]][: round(len(order) * share)]
    return examples.take(order[~np.isin(order, second)]), examples.take(second)


def split_templates(groups: Sequence[str], share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows in two parts that share no template; of each intent about `share` of its templates, none of those with few.

    Args:
        groups: "intent: template" of each row.
        share: of the templates.
        seed: of the choice.
    """
    draws = np.random.default_rng(seed)
    templates: dict[str, list[str]] = {}
    for group in sorted(set(groups)):
        templates.setdefault(group.partition(":")[0], []).append(group)
    kept: set[str] = set()
    for some in templates.values():
        # Chance rounds: of an intent with four templates one is kept back now and then.
        count = int(len(some) * share + draws.random()) if len(some) >= 4 else 0
        kept.update(some[index] for index in draws.permutation(len(some))[:count])
    second = np.array([group in kept for group in groups], bool)
    return np.flatnonzero(~second), np.flatnonzero(second)
