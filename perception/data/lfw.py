"""Labeled Faces in the Wild: 13,233 photographs of 5,749 people, through scikit-learn, for those who are online."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, Source
from lanista.plugs import one_line, required

SOURCE = Source(
    modality="picture",
    licence="none is granted; photographs from news, collected for research (Huang et al. 2007)",
    extra="perception",
    megabytes=230,
)
SHRUNK = 0.5  # scikit-learn's cut of 125 x 94 pixels by this


def load(home: str = "", least: int = 2, download: bool = True) -> DataSet:
    """The field's split of its development view: "train" has nobody who is in "pairs".

    Args:
        home: where scikit-learn keeps it; its own place if empty.
        least: people with fewer photographs are left out of "train".
        download: fetch what is not there, 230 MB, once.

    Returns:
        "train", whose groups are names; and "pairs", whose rows 2k and 2k + 1 are compared: their groups are "pair k",
        their targets equal if they are of one person.

    Raises:
        UsageError: it is not there and cannot be fetched.
    """
    required("sklearn", "perception", "the data set 'lfw'")
    from sklearn.datasets import fetch_lfw_pairs, fetch_lfw_people

    options = {"data_home": home or None, "color": True, "resize": SHRUNK, "download_if_missing": download}
    try:
        pairs = fetch_lfw_pairs(subset="test", **options)
        people = fetch_lfw_people(min_faces_per_person=least, **options)
    except (OSError, ValueError, RuntimeError) as error:  # no network, or what is there is damaged
        raise UsageError(
            f"the data set 'lfw' is not on this machine and scikit-learn cannot fetch it ({one_line(error)}): it needs "
            "the network once, or home=FOLDER with its lfw_home in it"
        ) from error
    tested = _tested(home)
    names = [str(people.target_names[target]) for target in people.target]
    rows = [row for row, name in enumerate(names) if name not in tested]
    labels = sorted({names[row] for row in rows})
    index = {label: place for place, label in enumerate(labels)}
    targets = np.array([index[names[row]] for row in rows], np.int64)
    train = Examples(_bytes(people.images[rows]), targets, [names[row] for row in rows])
    count = len(pairs.target)
    pictures = _bytes(pairs.pairs).reshape(2 * count, *pairs.pairs.shape[2:])
    same = np.asarray(pairs.target) == 1
    first = len(labels) + 2 * np.arange(count)
    both = np.stack([first, np.where(same, first, first + 1)], 1).ravel()
    groups = [f"pair {row // 2}" for row in range(2 * count)]
    return DataSet({"train": train, "pairs": Examples(pictures, both, groups)}, labels)


def _bytes(values: np.ndarray) -> np.ndarray:
    """scikit-learn's floats, in [0, 1], as bytes."""
    greatest = 1.0 if values.max() <= 1.0 else 255.0
    scaled: np.ndarray = np.round(values * (255 / greatest)).clip(0, 255).astype(np.uint8)
    return scaled


def _tested(home: str) -> set[str]:
    """The people of the pairs, from the list that lies beside the photographs."""
    from sklearn.datasets import get_data_home

    lines = (Path(get_data_home(home or None)) / "lfw_home" / "pairsDevTest.txt").read_text().splitlines()
    names = set()
    for line in lines[1:]:
        words = line.split("\t")
        names |= {words[0], *([words[2]] if len(words) == 4 else [])}
    return {name.replace("_", " ") for name in names}
