"""Tell whether a sentence is meant kindly or not: tweets, films, newspapers; product reviews as a domain never seen."""

from __future__ import annotations

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.task import Recipe, Splits, split_groups
from lanista.perception.text_classification import TextClassification, share_no_text

LABELS = ("negative", "positive")
LEAST = 0.5  # on the scale from -4 to 4; texts whose mean rating is nearer to 0 are left out
STEEPNESS = 1.5  # of the logistic curve from a mean rating to the chance of "positive"
TEST, VALID = 0.15, 0.1
TEST_SEED = 20_000  # the test part is the same for every seed


class Sentiment(TextClassification):
    """Negative or positive: the sign of the mean of 20 people's ratings, where it is at least 0.5 from 0.

    What is trained on has the chances of both, by a logistic curve of the mean rating; so the texts near 0, of which
    none is tested on, teach something too. The baseline learns from all of them by their sign.
    """

    length = 48
    smoothing = 0.0

    def __init__(self, unseen: str = "products", most: int = 0) -> None:
        """Choose the domain that is kept back.

        Args:
            unseen: "tweets", "films", "products" or "newspapers": none of it is trained on.
            most: the greatest number of training texts; 0 takes all.
        """
        self.unseen = unseen
        self.most = most
        self.recipe = Recipe(encoder="text_gru:dropout=0.3", epochs=12, minutes=8.0, batch_size=64, patience=5)

    def load(self, seed: int) -> Splits:
        """15 % of the documents of the other domains are tested on, 10 % of the rest are validated on."""
        parts = dict(load_data("vader").parts)
        if self.unseen not in parts:
            raise UsageError(f"'unseen' of the task 'sentiment' must be one of {', '.join(parts)}, not '{self.unseen}'")
        unseen = parts.pop(self.unseen)
        whole = Examples(
            [text for part in parts.values() for text in part.inputs],
            np.concatenate([part.targets for part in parts.values()]),
            [group for part in parts.values() for group in part.groups],
        )
        rows, kept = split_groups(whole.groups, TEST, TEST_SEED)
        learn, test = whole.take(rows), whole.take(kept)
        rows, kept = split_groups(learn.groups, VALID, seed)
        train = learn.take(rows[: self.most] if self.most else rows)
        tests = {"test": share_no_text(signs(test), [learn]), "unseen domain": share_no_text(signs(unseen), [learn])}
        line = (
            f"vader ({data_source('vader').licence}): {', '.join(parts)}: {len(learn):,} texts to learn from, "
            f"{len(tests['test']):,} to test; {self.unseen}: {len(tests['unseen domain']):,} to test; none that "
            f"is tested on has a mean rating within {LEAST} of 0"
        )
        return Splits(chances(train), signs(learn.take(kept)), tests, LABELS, data=(line,))


def signs(examples: Examples) -> Examples:
    """The examples that are not near neutral, with 0 or 1 as target."""
    ratings = np.asarray(examples.targets)[:, 0]
    chosen = examples.take(np.flatnonzero(np.abs(ratings) >= LEAST))
    return Examples(chosen.inputs, (np.asarray(chosen.targets)[:, 0] > 0).astype(np.int64), chosen.groups)


def chances(examples: Examples) -> Examples:
    """The examples with the chances of both labels, (n, 2) float32, as targets."""
    positive = 1 / (1 + np.exp(-STEEPNESS * np.asarray(examples.targets)[:, 0]))
    return Examples(examples.inputs, np.stack([1 - positive, positive], 1).astype(np.float32), examples.groups)
