"""Translate what is said in a fantasy game from English: real catalogues of The Battle for Wesnoth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from lanista.perception.data.wesnoth import letters
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.head import Answer, Head
from lanista.perception.heads.translation import SPECIAL, Translation
from lanista.perception.inputs.text import TextInput, learn_text_input, learn_tokenizer
from lanista.perception.task import Baseline, Recipe, Splits, Task, split_groups
from lanista.plugs import required

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_WORDS = 24  # of a message, in either language
LENGTH = 40  # tokens
VOCABULARY = 4000
UNSEEN = "wesnoth-dw"  # the campaign Dead Water
TEST, VALID = 0.08, 500
TEST_SEED = 20_000  # the test parts are the same for every seed
SENTENCE = re.compile(r"(?<=[.!?…])[\"”»]?\s+(?=[^\W\d_a-zà-ÿ]|[\"“«¿¡])")


class TranslationTask(Task):
    """Messages of at most 24 words; longer ones are learnt from sentence by sentence, where both have as many."""

    modality = "text"
    measure = "chrf"

    def __init__(self, language: str = "fr", most: int = 0) -> None:
        """Choose the language.

        Args:
            language: to translate to, as "fr", "de" or "es".
            most: the greatest number of training pairs; 0 takes all.
        """
        self.language = language
        self.most = most
        self.recipe = Recipe(
            encoder="text_gru:width=128,dim=256,bag=8,dropout=0.2",
            epochs=24,
            minutes=13.0,
            batch_size=64,
            learning_rate=2e-3,
        )

    def load(self, seed: int) -> Splits:
        """8 % of the messages and one campaign are kept back; no test message is a sentence of a training one."""
        whole = load_data(f"wesnoth:language={self.language}").parts["all"]
        unseen = np.array([group.startswith(f"{UNSEEN}:") for group in whole.groups], bool)
        known, campaign = whole.take(np.flatnonzero(~unseen)), whole.take(np.flatnonzero(unseen))
        rows, kept = split_groups(known.groups, TEST, TEST_SEED)
        learn, test = known.take(rows), known.take(kept)
        rows, kept = split_groups(learn.groups, 0.06, seed)
        train, valid = pieces(learn.take(rows)), short(learn.take(kept))
        sentences = {letters(text) for text in [*train.inputs, *pieces(learn.take(kept)).inputs]}
        tests = {
            part: examples.take([row for row, text in enumerate(examples.inputs) if letters(text) not in sentences])
            for part, examples in {"test": short(test), "unseen campaign": short(campaign)}.items()
        }
        train = train.take(range(min(self.most, len(train)))) if self.most else train
        line = (
            f"wesnoth ({data_source('wesnoth').licence}), English to {self.language}: {len(learn):,} messages to learn "
            f"from, as {len(train):,} pairs; {len(tests['test']):,} messages to test, and "
            f"{len(tests['unseen campaign'])} of a campaign never seen; all of at most {MOST_WORDS} words"
        )
        return Splits(train, valid.take(range(min(VALID, len(valid)))), tests, data=(line,))

    def input(self, splits: Splits) -> TextInput:
        """A tokeniser of small letters, learnt from the training messages."""
        return learn_text_input(splits.train.inputs, LENGTH, VOCABULARY)

    def head(self, dim: int, splits: Splits) -> Head:
        """A decoder with a tokeniser of the other language."""
        words = learn_tokenizer(splits.train.targets, VOCABULARY, lower=False, special=SPECIAL)
        return Translation(dim, tokenizer=words, length=LENGTH + 8)

    def score(self, answers: Sequence[Sequence[Answer]], examples: Examples, splits: Splits) -> dict[str, float]:
        """ChrF and BLEU, of the whole part at once, in [0, 100]."""
        return chrf_and_bleu([answer[0].text for answer in answers], examples.targets)

    def baseline(self, splits: Splits) -> Baseline:
        """A translation memory: the translation of the training message that is most like the one to translate."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        reader = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, token_pattern=r"\w+")
        memory = reader.fit_transform(splits.train.inputs)
        scores = {}
        for part, examples in splits.tests.items():
            nearest = np.asarray((reader.transform(examples.inputs) @ memory.T).argmax(1)).ravel()
            scores[part] = chrf_and_bleu([splits.train.targets[row] for row in nearest], examples.targets)
        return Baseline("the nearest message's translation (TF-IDF, cosine)", scores)

    def draw(self, figure: Figure, examples: Examples, answers: Sequence[Sequence[Answer]], splits: Splits) -> None:
        """Messages with their translations, the true ones above."""
        axes = figure.subplots()
        axes.axis("off")
        lines = []
        for row in np.linspace(0, len(examples) - 1, 10).astype(int):
            said = answers[row][0]
            lines += [f"      {examples.inputs[row][:150]}", f"true  {examples.targets[row][:150]}"]
            lines += [f"{said.probability:4.0%}  {said.text[:150]}", ""]
        axes.text(0, 1, "\n".join(lines), va="top", family="monospace", fontsize=8, transform=axes.transAxes)


def chrf_and_bleu(said: Sequence[str], true: Sequence[str]) -> dict[str, float]:
    """ChrF (Popović 2015) and BLEU (Papineni et al. 2002) of texts, as sacrebleu measures them, in [0, 100]."""
    required("sacrebleu", "perception", "the task 'translation'")
    import sacrebleu

    return {
        "chrf": float(sacrebleu.corpus_chrf(list(said), [list(true)]).score),
        "bleu": float(sacrebleu.corpus_bleu(list(said), [list(true)]).score),
    }


def short(pairs: Examples) -> Examples:
    """The pairs of which neither side is too long."""
    sides = enumerate(zip(pairs.inputs, pairs.targets, strict=True))
    return pairs.take([row for row, both in sides if all(len(text.split()) <= MOST_WORDS for text in both)])


def pieces(pairs: Examples) -> Examples:
    """The short pairs, and the sentences of those messages that have as many in both languages."""
    found: dict[tuple[str, str], None] = {}
    for english, other in zip(pairs.inputs, pairs.targets, strict=True):
        found.setdefault((english, other))
        both = (SENTENCE.split(english), SENTENCE.split(other))
        if len(both[0]) == len(both[1]) > 1:
            for one in zip(*both, strict=True):
                found.setdefault((one[0].strip(), one[1].strip()))
    return short(Examples([one for one, _ in found], [two for _, two in found]))
