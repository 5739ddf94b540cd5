"""Pictures of 800 people who do not exist: faces rendered in many poses and lights, 48 x 48, coloured."""

from __future__ import annotations

from functools import partial

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._made import Arrays, made_once
from lanista.perception.dataset import DataSet, Examples, Source

SOURCE = Source(modality="picture", licence="rendered by Lanista, MIT: of nobody, and no photographs")
VERSION = 2  # of the rendering: another one makes the cached pictures anew
SEED = 20_000


def load(people: int = 800, pictures: int = 24) -> DataSet:
    """All in one part; a group is a person. The same ones each time, kept once they are made.

    Args:
        people: how many.
        pictures: of each.
    """
    if not 2 <= people <= 100_000 or not 2 <= pictures <= 1000:
        raise UsageError("the data set 'face_identities' takes 2 to 100,000 'people' and 2 to 1,000 'pictures' of each")
    about = {"people": people, "pictures": pictures, "version": VERSION}
    arrays = made_once("face_identities", about, partial(_make, people, pictures))
    targets = np.repeat(np.arange(people), pictures)
    labels = [f"person {number}" for number in range(people)]
    return DataSet({"all": Examples(arrays["pictures"], targets, [labels[target] for target in targets])}, labels)


def _make(people: int, pictures: int) -> Arrays:
    from lanista.perception.data._face_rendering import Faces

    return {"pictures": Faces(people, SEED).picture(np.repeat(np.arange(people), pictures), SEED + 1)}
