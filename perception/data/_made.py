"""Arrays that are slow to make, kept between runs."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from lanista.errors import UsageError
from lanista.files import claim_folder, write_bytes
from lanista.perception.dataset import data_folder

Arrays = dict[str, np.ndarray]


def made_once(name: str, about: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """What `make` gives, from a file under the data folder if it was made before. The file is whole or not there.

    Args:
        name: the data set's id.
        about: all that the arrays depend on, as plain data; another `about` is another file.
        make: makes the arrays.
    """
    key = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:16]
    folder = data_folder() / "made"
    path = folder / f"{name}-{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
        pass  # not there, or damaged: it is made again
    arrays = make()
    packed = io.BytesIO()
    np.savez(packed, **arrays)  # type: ignore[arg-type]
    try:
        claim_folder(folder, megabytes=packed.tell() >> 20)
        write_bytes(path, packed.getvalue())
    except (UsageError, OSError):
        pass  # where nothing can be written it is made at every run
    return arrays
