"""A picture set of the Hugging Face hub, by its name there, for those who are online: hub:name=ylecun/mnist."""

from __future__ import annotations

from typing import Any

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source
from lanista.perception.inputs.picture import GREATEST_SIDE, PictureInput
from lanista.plugs import one_line, required

SOURCE = Source(modality="picture", licence="the set's own: see its page", extra="hub")
TEST_NAMES = ("test", "validation", "valid")


def load(name: str, config: str = "", picture: str = "", label: str = "", side: int = 64, most: int = 0) -> DataSet:
    """Pictures scaled to squares; the library `datasets` fetches them once, and runs no code of theirs.

    Args:
        name: of the repository, as in "ylecun/mnist", or a folder in the library's formats.
        config: of the set, where it has several.
        picture: the column of pictures; the first one if empty.
        label: the column of labels; the first column of class labels if empty.
        side: of the squares, in pixels.
        most: the greatest number of pictures of each part; 0 takes all.

    Raises:
        UsageError: the library is not installed, the hub cannot be reached, or the set has no pictures with labels.
    """
    required("datasets", "hub", "the data set 'hub'")
    import datasets  # type: ignore[import-not-found,unused-ignore]

    if not 1 <= side <= GREATEST_SIDE:
        raise UsageError(f"option 'side' of the data set 'hub' must be 1 to {GREATEST_SIDE}, not {side}")
    try:
        found = datasets.load_dataset(name, config or None)
    except Exception as error:  # many kinds: no network, no such set, no such config
        raise UsageError(f"the data set '{name}' cannot be had from the hub: {one_line(error)}") from error
    features = next(iter(found.values())).features
    picture = picture or _column(features, datasets.Image, name, "pictures")
    label = label or _column(features, datasets.ClassLabel, name, "class labels")
    for column in (picture, label):
        if column not in features:
            raise UsageError(f"the data set '{name}' has no column '{column}'; it has {', '.join(features)}")
    if not isinstance(features[label], datasets.ClassLabel):
        raise UsageError(f"the column '{label}' of the data set '{name}' holds no class labels")
    test = next((part for part in TEST_NAMES if part in found), None)
    parts = {"train": "train", "test": test} if test and "train" in found else {"all": next(iter(found))}
    made = {part: _examples(found[theirs], picture, label, side, most) for part, theirs in parts.items()}
    return DataSet(made, list(features[label].names))


def _column(features: Any, kind: type, name: str, what: str) -> str:
    for column, feature in features.items():
        if isinstance(feature, kind):
            return str(column)
    raise UsageError(f"the data set '{name}' has no column of {what}; it has {', '.join(features)}")


def _examples(part: Any, picture: str, label: str, side: int, most: int) -> Examples:
    reader = PictureInput(side, side, 3)
    rows = part.select(range(min(most, len(part)))) if most else part
    pictures = [reader.fit(np.asarray(row.convert("RGB"))[None])[0] for row in rows[picture]]
    return Examples(np.stack(pictures).transpose(0, 2, 3, 1), np.asarray(rows[label], np.int64))
