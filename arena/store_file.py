"""A store's file as SQLite is to open it, a look at whether it is whole, and a transaction in it."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from lanista.errors import DiskError, UsageError

SECTOR = 512  # bytes; a database's pages, and so its file, are multiples of it


def address(path: Path | None, write: bool) -> str:
    """What SQLite is to open, as a URI."""
    if path is None:
        return "file::memory:"
    wants_log = (
        write or os.access(path.parent, os.W_OK, effective_ids=True) or path.with_name(f"{path.name}-wal").exists()
    )
    # Where nothing can be written, SQLite could not make the files beside it that readers share with a writer.
    return path.absolute().as_uri() + ("" if wants_log else "?immutable=1")


def check_size(path: Path) -> None:
    """Refuse a file that is cut within a page: SQLite would fill it up with zeros, and take a very short one as empty.

    With a log beside it, its last page may still be written from there.
    """
    if path.stat().st_size % SECTOR and not path.with_name(f"{path.name}-wal").exists():
        raise UsageError(f"{path} cannot be opened as a tournament's store: it is no database, or damaged")


@contextlib.contextmanager
def transaction(database: sqlite3.Connection, path: Path | None, comfort: str = "") -> Iterator[None]:
    """What is written meanwhile is written as a whole, or, whatever is raised, not at all.

    Args:
        database: of which no transaction is open.
        path: its file, to be named.
        comfort: what else to say when it cannot be written.

    Raises:
        DiskError: the file cannot be written, or the disk is full.
    """
    try:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("COMMIT")
    except BaseException as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        if isinstance(error, sqlite3.OperationalError):
            raise DiskError(f"cannot write to {path}: {error}", comfort) from None
        raise
