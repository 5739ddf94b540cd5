"""The format of MNIST and the sets made after it: arrays of bytes with their sizes in front (LeCun's idx)."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from lanista.errors import UsageError
from lanista.perception.dataset import DataSet, Examples, data_source, find

UNSIGNED_BYTE = 8
MOST = 2**28


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of bytes, gzipped or not.

    Raises:
        UsageError: it is damaged or of another kind.
    """
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            data = file.read(MOST)
        zeros, kind, dimensions = struct.unpack_from(">HBB", data)
        if zeros or kind != UNSIGNED_BYTE or not 1 <= dimensions <= 4:
            raise ValueError("it does not begin as an idx file of bytes does")
        shape = struct.unpack_from(f">{dimensions}I", data, 4)
        return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)
    except (OSError, EOFError, ValueError, struct.error, zlib.error) as error:
        raise UsageError(f"{path} is damaged or no idx file ({error})") from None


def load_idx(name: str, ending: str, labels: Sequence[str]) -> DataSet:
    """Parts "train" and "test" from the four files that such sets have.

    Args:
        name: the set's id.
        ending: of the files' names, "" or ".gz".
        labels: the names of the classes.
    """
    source, parts = data_source(name), {}
    for part, files in (("train", "train"), ("test", "t10k")):
        pictures = read_idx(find(name, source, f"*{files}-images-idx3-ubyte{ending}")[0])
        numbers = read_idx(find(name, source, f"*{files}-labels-idx1-ubyte{ending}")[0])
        parts[part] = Examples(pictures, numbers.astype(np.int64))
    return DataSet(parts, labels)
