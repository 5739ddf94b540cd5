"""Fashion-MNIST: 70,000 pictures of clothes in 10 kinds, 28 x 28 grey (Xiao et al. 2017, arXiv:1708.07747)."""

from __future__ import annotations

import numpy as np

from lanista.perception.data._idx import read_idx
from lanista.perception.dataset import DataSet, Examples, Source, find

SOURCE = Source(
    modality="picture",
    licence="MIT",
    packages=("deb:dataset-fashion-mnist",),
    places=("/usr/share/datasets",),
    megabytes=30,
)
LABELS = ("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot")


def load() -> DataSet:
    """The set's own split: 60,000 and 10,000."""
    parts = {}
    for part, files in (("train", "train"), ("test", "t10k")):
        pictures = read_idx(find("fashion_mnist", SOURCE, f"*{files}-images-idx3-ubyte.gz")[0])
        labels = read_idx(find("fashion_mnist", SOURCE, f"*{files}-labels-idx1-ubyte.gz")[0])
        parts[part] = Examples(pictures, labels.astype(np.int64))
    return DataSet(parts, LABELS)
