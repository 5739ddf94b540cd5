"""Your pictures: a sub-folder for each label, as torchvision's ImageFolder has them; train/ and test/ if you like."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.files import written_path
from lanista.perception.dataset import DataSet, Examples, Source
from lanista.perception.inputs.picture import GREATEST_SIDE, PictureInput
from lanista.plugs import required

SOURCE = Source(modality="picture", licence="yours", extra="perception")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TEST_NAMES = ("test", "val", "valid", "validation")  # the first that is there is the test part


def load(path: str, side: int = 128, most: int = 0) -> DataSet:
    """Pictures scaled to squares; grey if none has colours.

    Args:
        path: the folder; sub-folders' names are the labels, and what lies deeper in them is theirs too.
        side: of the squares, in pixels.
        most: the greatest number of pictures of each label; 0 takes all.

    Raises:
        UsageError: the folder is missing, has under two labels, or holds a damaged picture.
    """
    required("PIL", "perception", "the data set 'picture_folder'")
    root = written_path(path)
    if not root.is_dir():
        raise UsageError(f"there is no folder {root}: path=... must be a folder with a sub-folder for each label")
    if not 1 <= side <= GREATEST_SIDE:
        raise UsageError(f"option 'side' of the data set 'picture_folder' must be 1 to {GREATEST_SIDE}, not {side}")
    test = next((root / name for name in TEST_NAMES if (root / name).is_dir()), None)
    split = (root / "train").is_dir() and test is not None
    folders = {"train": root / "train", "test": test} if split and test is not None else {"all": root}
    files = {part: _files(folder, most) for part, folder in folders.items()}
    labels = sorted({label for found in files.values() for label, _ in found})
    if len(labels) < 2:
        raise UsageError(f"{root} has pictures of {len(labels)} labels and needs at least 2, a sub-folder for each")
    for part, found in files.items():
        if not found:
            raise UsageError(f"{folders[part]} holds no pictures ({', '.join(SUFFIXES)})")
    pictures = {part: _read([file for _, file in found], side) for part, found in files.items()}
    if not any(_coloured(some) for some in pictures.values()):
        pictures = {part: some[..., 0] for part, some in pictures.items()}
    parts = {
        part: Examples(pictures[part], np.array([labels.index(label) for label, _ in found], np.int64))
        for part, found in files.items()
    }
    return DataSet(parts, labels)


def _files(folder: Path, most: int) -> list[tuple[str, Path]]:
    """(label, file) of the pictures of a folder."""
    found = []
    for below in sorted(place for place in folder.iterdir() if place.is_dir() and not place.name.startswith(".")):
        files = sorted(file for file in below.rglob("*") if file.suffix.lower() in SUFFIXES and file.is_file())
        found += [(below.name, file) for file in files[: most or None]]
    return found


def _read(files: list[Path], side: int) -> np.ndarray:
    """Files -> (n, side, side, 3) bytes."""
    reader = PictureInput(side, side, 3)
    with ThreadPoolExecutor() as pool:  # decoding runs outside of Python's lock
        return np.stack(list(pool.map(reader.read, files))).transpose(0, 2, 3, 1)


def _coloured(pictures: np.ndarray) -> bool:
    return bool((pictures[..., 0] != pictures[..., 1]).any() or (pictures[..., 1] != pictures[..., 2]).any())
