"""Digits: 1,797 handwritten digits, 8 x 8 grey, that come with scikit-learn (Alpaydin and Kaynak 1998, UCI)."""

from __future__ import annotations

import numpy as np

from lanista.perception.dataset import DataSet, Examples, Source
from lanista.plugs import required

SOURCE = Source(modality="picture", licence="CC BY 4.0 (UCI repository)", extra="perception")
LABELS = tuple("0123456789")
DEEPEST = 16  # the set's own greys are 0 to 16


def load() -> DataSet:
    """All of them: the package has the test part of the UCI set alone."""
    required("sklearn", "perception", "the data set 'digits'")
    from sklearn.datasets import load_digits

    loaded = load_digits()
    pictures = np.round(loaded.images * (255 / DEEPEST)).astype(np.uint8)
    return DataSet({"all": Examples(pictures, loaded.target.astype(np.int64))}, LABELS)
