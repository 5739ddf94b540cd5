"""Faces or not: 200 patches of photographs, 25 x 25 grey, of Labeled Faces in the Wild, that come with scikit-image."""

from __future__ import annotations

import numpy as np

from lanista.perception.dataset import DataSet, Examples, Source
from lanista.plugs import required

SOURCE = Source(
    modality="picture",
    licence="none is stated; photographs from news, collected for research",
    extra="perception",
)
SIDE = 25
LABELS = ("face", "no face")


def load() -> DataSet:
    """All in one part: 100 faces, each of another person, then 100 patches beside faces."""
    required("skimage", "perception", "the data set 'faces'")
    from skimage.data import lfw_subset

    greys = np.asarray(lfw_subset(), np.float64)  # type: ignore[no-untyped-call]
    patches = np.asarray(np.round(greys * 255), np.uint8)
    return DataSet({"all": Examples(patches, np.repeat(np.arange(2), patches.shape[0] // 2))}, LABELS)
