"""Weights with their checksum: a safetensors file in which a bit that a disk or a network has turned is found out."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from lanista.errors import UsageError

SEAL = "sha256"  # of the file's metadata: of its data, and then of the rest of the metadata
AT_ONCE = 1 << 20  # bytes read at a time


def sealed(tensors: Mapping[str, Tensor], about: Mapping[str, str] | None = None) -> bytes:
    """Tensors as the bytes of a safetensors file.

    Args:
        tensors: by name.
        about: more of the file's metadata; the checksum is of it too.
    """
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    told, bare = dict(about or {}), save(plain)
    (length,) = struct.unpack("<Q", bare[:8])
    told[SEAL] = _digest(hashlib.sha256(memoryview(bare)[8 + length :]), told)
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
        told = json.loads(file.read(length)).get("__metadata__")
        if not isinstance(told, dict) or SEAL not in told:
            return
        found = hashlib.sha256()
        while part := file.read(AT_ONCE):
            found.update(part)
    if _digest(found, {key: value for key, value in told.items() if key != SEAL}) != told[SEAL]:
        raise UsageError(f"{path} is damaged: its bytes are not those that were written; take it from where you had it")


def _digest(data: hashlib._Hash, about: Mapping[str, str]) -> str:
    """The checksum of data that were hashed, and of what is told of them."""
    data.update(json.dumps(dict(about), sort_keys=True).encode() if about else b"")
    return data.hexdigest()
