"""The checksums of a checkpoint: a bit of it that a disk has turned is found out before the run goes on from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FILES, SEAL = "files", "sha256"  # in `resume/state.json`: of the checkpoint's other files, and of the rest of itself
STATE = Path("resume") / "state.json"


def with_seal(checkpoint: Path, state: Mapping[str, Any]) -> dict[str, Any]:
    """What `resume/state.json` of a checkpoint says, with the checksums of all other files that are there."""
    told = {**state, FILES: _digests(checkpoint)}
    return {**told, SEAL: _digest(told)}


def check_seal(checkpoint: Path, state: Mapping[str, Any]) -> None:
    """Compare a checkpoint's files with their checksums; one from before there were any has none.

    Args:
        checkpoint: its folder.
        state: what its `resume/state.json` says.

    Raises:
        ValueError: one differs or is gone; it is named.
    """
    if SEAL not in state:
        return
    told = {key: value for key, value in state.items() if key != SEAL}
    if _digest(told) != state[SEAL]:
        raise ValueError(f"{STATE} is not as it was written")
    found = _digests(checkpoint)
    for name, digest in state[FILES].items():
        if found.get(name) != digest:
            raise ValueError(f"{name} is {'not as it was written' if name in found else 'not there'}")


def _digests(checkpoint: Path) -> dict[str, str]:
    """The checksum of each file but the state itself, by its place in the folder."""
    return {
        path.relative_to(checkpoint).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(checkpoint.rglob("*"))
        if path.is_file() and path.relative_to(checkpoint) != STATE
    }


def _digest(value: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
