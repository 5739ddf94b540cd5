"""The archives in which Stable-Baselines3 saves models: their files, and how much each may unpack to."""

from __future__ import annotations

import zipfile

from lanista.errors import UsageError

GREATEST = 2**31  # bytes of the weights: no bomb is unpacked
WEIGHTS, SETTINGS, VERSION = "policy.pth", "data", "_stable_baselines3_version"
MOST = {SETTINGS: 2**27, WEIGHTS: GREATEST, VERSION: 2**10}  # bytes that each file of the archive may unpack to


def unpacked(archive: zipfile.ZipFile, name: str) -> bytes:
    """One of an archive's files, empty if it may be missing and is; of what unpacks to too much nothing is read.

    Args:
        archive: the model.
        name: one of `MOST`.

    Raises:
        KeyError: it is missing.
        UsageError: it has more bytes than it may.
    """
    if name == VERSION and name not in archive.namelist():
        return b""
    size, most = archive.getinfo(name).file_size, MOST[name]
    if size > most:
        raise UsageError(f"{archive.filename} holds '{name}' of {size >> 20:,} MB, more than {most >> 20:,} MB")
    return archive.read(name)
