"""Drawings: some 5,000 pictures of the Open Clip Art Library in 21 categories, 64 x 64, coloured, on white."""

from __future__ import annotations

import re
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.data._made import Arrays, made_once
from lanista.perception.dataset import DataSet, Examples, Source, find
from lanista.perception.inputs.picture import PictureInput
from lanista.plugs import required

SOURCE = Source(
    modality="picture",
    licence="public domain",
    packages=("deb:openclipart-png",),
    places=("/usr/share/openclipart",),
    extra="perception",
    megabytes=131,
)
SIDE = 64
MOST_OF_A_SERIES = 30
NO_CATEGORY = "unsorted"


def load(most: int = 0) -> DataSet:
    """All drawings in one part: a category is a folder of the library, a group is a series.

    A series is the drawings of one folder whose names differ in digits alone, such as 1,300 computed stars; 30 of it
    are taken. Drawings in no category ("unsorted"), links to others and pictures of over 64 million pixels are left
    out.

    Args:
        most: the greatest number of drawings, spread evenly; 0 takes all.
    """
    required("PIL", "perception", "the data set 'drawings'")
    files = find("drawings", SOURCE, "*.png")
    root = next(parent for parent in files[0].parents if parent.name == "png")
    chosen = _without_long_series([file for file in files if not file.is_symlink()], root)
    if most and most < len(chosen):
        chosen = [chosen[place] for place in np.linspace(0, len(chosen) - 1, most).astype(int)]
    names = [file.relative_to(root).as_posix() for file in chosen]
    arrays = made_once("drawings", {"names": names, "side": SIDE}, lambda: _read(chosen))
    kept = [name for name, good in zip(names, arrays["good"], strict=True) if good]
    labels = sorted({name.partition("/")[0] for name in kept})
    targets = np.array([labels.index(name.partition("/")[0]) for name in kept], np.int64)
    pictures = arrays["pictures"][arrays["good"]]
    return DataSet({"all": Examples(pictures, targets, [_series(name) for name in kept])}, labels)


def _series(name: str) -> str:
    """A drawing's name without its digits, and without an end that says whose or which it is."""
    return re.sub(r"[\d_]+", "_", name.removesuffix(".png")).rstrip("_")


def _without_long_series(files: list[Path], root: Path) -> list[Path]:
    series: dict[str, list[Path]] = defaultdict(list)
    for file in files:
        name = file.relative_to(root).as_posix()
        if not name.startswith(NO_CATEGORY) and "/" in name:
            series[_series(name)].append(file)
    chosen = []
    for members in series.values():
        places = np.linspace(0, len(members) - 1, min(len(members), MOST_OF_A_SERIES)).astype(int)
        chosen += [members[place] for place in places]
    return sorted(chosen)


def _read(files: list[Path]) -> Arrays:
    reader = PictureInput(SIDE, SIDE, 3)

    def one(file: Path) -> np.ndarray | None:
        try:
            return reader.read(file).transpose(1, 2, 0)
        except UsageError:
            return None

    with warnings.catch_warnings(), ThreadPoolExecutor() as pool:  # decoding runs outside of Python's lock
        warnings.simplefilter("ignore")  # of pictures that are too large: they are left out
        pictures = list(pool.map(one, files))
    blank = np.zeros((SIDE, SIDE, 3), np.uint8)
    return {
        "pictures": np.stack([blank if picture is None else picture for picture in pictures]),
        "good": np.array([picture is not None for picture in pictures]),
    }
