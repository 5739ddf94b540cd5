"""Weights with their checksum: a safetensors file in which a bit that a disk or a network has turned is found out."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from lanista.errors import UsageError

SEAL = "sha256"  # of the file's metadata: of its data, and then of the rest of its header
METADATA = "__metadata__"
AT_ONCE = 1 << 20  # bytes read at a time


def sealed(tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> bytes:
    """Tensors as the bytes of a safetensors file.

    Args:
        tensors: by name.
        about: more of the file's metadata.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    told, bare = dict(about or {}), save(plain)
    (length,) = struct.unpack("<Q", bare[:8])
    header = json.loads(bare[8 : 8 + length])
    told[SEAL] = _digest(hashlib.sha256(memoryview(bare)[8 + length :]), {**header, METADATA: told})
    return save(plain, metadata=told)


def check_seal(path: Path) -> None:
    """Compare a safetensors file with its checksum; one of another program's has none, and nothing is compared.

    Args:
        path: of the file, whose header is known to be sound.

    Raises:
        UsageError: they differ.
    """
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        told = header.get(METADATA)
        if not isinstance(told, dict) or SEAL not in told:
            return
        found = hashlib.sha256()
        while part := file.read(AT_ONCE):
            found.update(part)
    rest = {key: value for key, value in told.items() if key != SEAL}
    if _digest(found, {**header, METADATA: rest}) != told[SEAL]:
        raise UsageError(f"{path} is damaged: its bytes are not those that were written; take it from where you had it")


def _digest(data: hashlib._Hash, header: Mapping[str, Any]) -> str:
    """The checksum of data that were hashed, and of the header, however it is spaced and ordered."""
    data.update(json.dumps(header, sort_keys=True).encode())
    return data.hexdigest()
