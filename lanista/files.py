"""Files that are whole or not there: written to a temporary name, fsynced, renamed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import stat
import tempfile
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lanista.errors import DiskError, FolderError, UsageError

LOCK = "running.lock"
DATABASE = b"SQLite format 3\0"  # how a file of SQLite begins
DRAFT = ".draft."  # what names of files and folders begin with that are not whole yet
MOST_JSON = 2**26  # bytes of a description; none of ours comes near
MOST_TOML = 2**20  # bytes of settings, which are read by Python's own slow reader
# Of a key of many parts Python's reader keeps all beginnings: the square of their number, gigabytes for a small file.
DEEP_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]++|"[^"\n]*+"|'[^'\n]*+')[ \t]*+\.[ \t]*+){32}""")


# Full, over a quota, over the longest file, read-only, broken: what is wrong is with the disk, and can be mended there.
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO)
MEND = "what was there before is unchanged; once that is mended, do it again"


@contextlib.contextmanager
def disk_failures(folder: Path, comfort: str) -> Iterator[None]:
    """What the disk refuses to take meanwhile is said in a sentence.

    Args:
        folder: what is written into, to be named.
        comfort: what is safe, and what to do.

    Raises:
        DiskError: the disk is full, read-only or broken.
    """
    try:
        yield
    except DiskError as error:
        raise DiskError(error.trouble, comfort) from error
    except FolderError as error:  # of what is saved meanwhile: by now it is no longer what was asked for that is wrong
        if error.errno not in OF_THE_DISK:
            raise
        raise DiskError(str(error), comfort) from error
    except OSError as error:
        if error.errno not in OF_THE_DISK:
            raise
        raise DiskError(f"cannot write to {folder}: {error.strerror}", comfort) from error


@contextlib.contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """A file to write in the place of `path`, whose place it takes at the end, unless something was raised.

    A kill at any instant leaves the old content or the new, never a part; and perhaps the draft, whose name begins with
    `DRAFT`.

    Raises:
        DiskError: the disk is full, read-only or broken.
    """
    with disk_failures(path, MEND):
        with _drafted(path) as draft:
            yield draft
        sync_folder(path.parent)


@contextlib.contextmanager
def _drafted(path: Path) -> Iterator[Path]:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{DRAFT}{path.stem}.", suffix=path.suffix)
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.chmod(0o644)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def drafted_folder(path: Path) -> Iterator[Path]:
    """A new folder to fill in the place of `path`, whose place it takes at the end, unless something was raised.

    What is written into it must be durable by itself. A kill leaves the old folder, the new one, or for an instant
    between them none, but never a part; and perhaps the draft, whose name begins with `DRAFT`.
    """
    draft = path.with_name(f"{DRAFT}{path.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir()
    try:
        yield draft
        shutil.rmtree(path, ignore_errors=True)
        draft.rename(path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    sync_folder(path.parent)


def written_path(words: str) -> Path:
    """The path that a user wrote, `~` read as a home folder; that of a user who does not exist stays as it is."""
    return Path(os.path.expanduser(words))


def clear_drafts(folder: Path) -> None:
    """Remove what kills have left half written, at any depth, of a folder that nobody else writes into now."""
    for place, folders, files in os.walk(folder):
        for name in [each for each in folders if each.startswith(DRAFT)]:
            shutil.rmtree(Path(place) / name, ignore_errors=True)
            folders.remove(name)
        for name in files:
            if name.startswith(DRAFT):
                (Path(place) / name).unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a kill at any instant leaves the old content or the new, never a part."""
    with drafted(path) as draft:
        draft.write_bytes(data)


def write_text(path: Path, text: str) -> None:
    """As `write_bytes`, in UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """As `write_bytes`, as indented JSON."""
    write_text(path, json.dumps(value, indent=2) + "\n")


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Read a JSON object; a file that is missing or is none is the user's error.

    Args:
        path: the file.
        what: what it should be, in words, for the error.
    """
    try:
        check_file(path, MOST_JSON)
        value = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path.parent} is no {what}: it holds no {path.name}") from None
    except UsageError:
        raise
    except (ValueError, RecursionError, OSError) as error:  # a number of thousands of digits is a plain ValueError
        raise UsageError(f"{path} cannot be read as JSON ({error})") from None
    if not isinstance(value, dict):
        raise UsageError(f"{path} holds no JSON object, so it is no {what}")
    return value


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file, such as one of settings.

    Raises:
        UsageError: it is missing, no TOML, or of more than a megabyte.
    """
    try:
        check_file(path, MOST_TOML)
        text = path.read_text(encoding="utf-8")
        if DEEP_KEY.search(text):
            raise UsageError(f"{path} has a key of more than 32 parts, as a.b.c has 3")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except UsageError:
        raise
    except (ValueError, RecursionError, OSError) as error:
        raise UsageError(f"{path} cannot be read as TOML: {error}") from None


def check_file(path: Path, most: int) -> None:
    """Refuse what is no file with an end: a link to a device or a pipe would be read for ever.

    Args:
        path: of the file.
        most: bytes that it may have.

    Raises:
        UsageError: it is none, or larger.
        FileNotFoundError: there is none.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise UsageError(f"{path} is no file that can be read, but a folder, a device or a pipe")
    if status.st_size > most:
        raise UsageError(f"{path} has {status.st_size >> 20:,} MB, more than the {most >> 20:,} MB that are read")


def sync_folder(folder: Path) -> None:
    """Make the renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def claim_folder(folder: Path, megabytes: int = 0) -> Path:
    """Make a folder and prove that it can be written and has room, before hours of work depend on it.

    Args:
        folder: made with its parents if it is not there.
        megabytes: how much room is needed.

    Raises:
        FolderError: it cannot be made or written.
        UsageError: there is too little room.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:  # without a name where that can be: a kill leaves nothing
            # A file that is really filled, since free space alone says nothing of quotas; at most 1 MB is written.
            probe.write(b"\0" * (2**20 if megabytes else 1))
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        raise FolderError(f"cannot write to {folder}: {error.strerror}", error.errno) from None
    status = os.statvfs(folder)
    free = status.f_bavail * status.f_frsize // 2**20
    if free < megabytes:
        raise UsageError(f"cannot write to {folder}: {free} MB are free, {megabytes} MB are needed")
    return folder


def claim_file(path: Path, *, beside: Path | None = None) -> Path:
    """Prove that a file can be written, before hours of work depend on it; one that is there is replaced later.

    Args:
        path: the file; its folder is made.
        beside: a file that it must not be, such as the store that the work is about.

    Raises:
        UsageError: it is a folder or has no name; it is a database, whose games would be lost; its folder cannot be
            written.
    """
    if not path.name:
        raise UsageError("name a file to write: the name is empty")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file in it, as in {path / 'file'}")
    claim_folder(path.parent)
    if beside is not None and path.resolve() == beside.resolve():
        raise UsageError(f"{path} is the store itself, which would be lost; name another file to write")
    with contextlib.suppress(OSError), path.open("rb") as file:
        if file.read(len(DATABASE)) == DATABASE:
            raise UsageError(
                f"{path} is a database, perhaps a tournament's store, which would be lost; name another file"
            )
    return path


FOLDERS = {  # what a folder of each kind holds
    "config.toml": "a training run", "trials.json": "a search for settings", "pretrain.json": "a run of pretraining",
    "encoder.json": "an encoder", "agent.json": "an agent",
}  # fmt: skip


def check_unused(folder: Path) -> None:
    """Whether a folder is free for a run of whatever kind: two in one would hide each other.

    Raises:
        UsageError: it holds something of ours.
    """
    for name, what in FOLDERS.items():
        if (folder / name).exists():
            raise UsageError(f"{folder} already holds {what}; choose another --out")


@contextlib.contextmanager
def held_folder(folder: Path, what: str) -> Iterator[None]:
    """Hold a folder's lock meanwhile: the mark of a run that is going on, which the system takes back at any death.

    Args:
        folder: of the run; the lock is `running.lock` in it, with the number of the process; a kill leaves the file,
            which means nothing by itself.
        what: what the folder is, in words, for the error.

    Raises:
        UsageError: another process holds it.
    """
    path = folder / LOCK
    for _ in range(20):
        with path.open("a") as lock:  # not inherited by programs that this process starts
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                ours = os.path.samestat(os.fstat(lock.fileno()), path.stat())
            except BlockingIOError:
                time.sleep(0.05)  # `is_held` may have it for an instant
                continue
            except FileNotFoundError:
                continue  # its holder took it away between our opening and locking it
            if ours:
                lock.truncate(0)  # a kill left another's number
                lock.write(str(os.getpid()))
                lock.flush()
                try:
                    yield
                finally:
                    path.unlink(missing_ok=True)
                return
    raise UsageError(f"the {what} in {folder} is going on in another process")


def is_held(folder: Path) -> bool:
    """Whether a living process holds the folder with `held_folder`."""
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def holder(folder: Path) -> int | None:
    """The number of the living process that holds the folder with `held_folder`; None if nobody does.

    It is the number by which that process knows itself: in another container it names something else.
    """
    if not is_held(folder):
        return None
    try:
        return int((folder / LOCK).read_text())
    except (OSError, ValueError):  # it is just beginning, or just over
        return None
