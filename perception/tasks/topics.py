"""Tell what a text is about: letters to newsgroups (newsgroups), newswire (reuters), or whether mail is spam (spam)."""

from __future__ import annotations

from lanista.perception.dataset import data_source, load_data
from lanista.perception.task import Recipe, Splits, split_rows
from lanista.perception.text_classification import TextClassification, share_no_text

TEST, VALID = 0.2, 0.1
TEST_SEED = 20_000  # the test part is the same for every seed


class Topics(TextClassification):
    """Labels of texts, of which the first `length` tokens are read."""

    dropped = 0.5
    dropout = 0.5
    vocabulary = 12_288
    smoothing = 0.0

    def __init__(self, data: str = "newsgroups", length: int = 1024, most: int = 0) -> None:
        """Choose the texts.

        Args:
            data: a data set of texts, as `lanista data` lists them.
            length: the most tokens that are read.
            most: the greatest number of training texts; 0 takes all.
        """
        self.data = data
        self.length = length
        self.most = most
        self.recipe = Recipe(
            encoder="text_bag:pairs=65536",
            epochs=12,
            minutes=10.0,
            batch_size=64,
            learning_rate=6e-3,
            weight_decay=0.1,
        )

    def load(self, seed: int) -> Splits:
        """The set's own test part where it has one; else 20 % of its texts are kept back. None is in two parts."""
        name = self.data.partition(":")[0]
        loaded = load_data(self.data)
        if "test" in loaded.parts:
            learn, test = loaded.parts["train"], loaded.parts["test"]
        else:
            rows, kept = split_rows(len(loaded.parts["all"]), TEST, TEST_SEED)
            learn, test = loaded.parts["all"].take(rows), loaded.parts["all"].take(kept)
        rows, kept = split_rows(len(learn), VALID, seed)
        train = learn.take(rows[: self.most] if self.most else rows)
        valid, tests = share_no_text(learn.take(kept), [train]), {"test": share_no_text(test, [learn])}
        line = (
            f"{name} ({data_source(name).licence}): {len(learn):,} texts to learn from, "
            f"{len(tests['test']):,} to test, of which the first {self.length} tokens are read"
        )
        return Splits(train, valid, tests, loaded.labels, data=(line,))
