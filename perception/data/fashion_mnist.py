"""Fashion-MNIST: 70,000 pictures of clothes in 10 kinds, 28 x 28 grey (Xiao et al. 2017, arXiv:1708.07747)."""

from __future__ import annotations

from lanista.perception.data._idx import load_idx
from lanista.perception.dataset import DataSet, Source

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
    return load_idx("fashion_mnist", ".gz", LABELS)
