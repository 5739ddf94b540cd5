"""Tell whether a sentence is meant kindly or not: tweets, films, newspapers; product reviews as a domain never seen."""

from __future__ import annotations

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import Examples, data_source, load_data
from lanista.perception.task import Recipe, Splits, split_groups
from lanista.perception.text_classification import TextClassification, share_no_text

LABELS = ("negative", "positive")
LEAST = 0.5  # on the scale from -4 to 4; texts whose mean rating is nearer to 0 are left out
TEST, VALID = 0.15, 0.1
TEST_SEED = 20_000  # the test part is the same for every seed


class Sentiment(TextClassification):
    """Negative or positive: the sign of the mean of 20 people's ratings, where it is at least 0.5 from 0."""

    length = 48

    def __init__(self, unseen: str = "products", most: int = 0) -> None:
        """Choose the domain that is kept back.

        Args:
            unseen: "tweets", "films", "products" or "newspapers": none of it is trained on.
            most: the greatest number of training texts; 0 takes all.
        """
        self.unseen = unseen
        self.most = most
        self.recipe = Recipe(encoder="text_gru:dropout=0.3", epochs=20, minutes=8.0, batch_size=64, patience=5)

    def load(self, seed: int) -> Splits:
        """15 % of the documents of the other domains are tested on, 10 % of the rest are validated on."""
        parts = {name: _signs(part) for name, part in load_data("vader").parts.items()}
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
        tests = {"test": share_no_text(test, [learn]), "unseen domain": share_no_text(unseen, [learn])}
        line = (
            f"vader ({data_source('vader').licence}): {', '.join(parts)}: {len(learn):,} texts to learn from, "
            f"{len(tests['test']):,} to test; {self.unseen}: {len(tests['unseen domain']):,} to test; texts whose "
            f"mean rating is within {LEAST} of 0 are left out"
        )
        return Splits(train, learn.take(kept), tests, LABELS, data=(line,))


def _signs(examples: Examples) -> Examples:
    """The examples that are not near neutral, with 0 or 1 as target."""
    ratings = np.asarray(examples.targets)[:, 0]
    chosen = examples.take(np.flatnonzero(np.abs(ratings) >= LEAST))
    return Examples(chosen.inputs, (np.asarray(chosen.targets)[:, 0] > 0).astype(np.int64), chosen.groups)
