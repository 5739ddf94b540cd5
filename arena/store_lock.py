"""One writer at a time into a tournament's store."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from lanista.errors import UsageError


class StoreLock:
    """The right to write into a store; it goes with the process, however that ends.

    It lies on a file beside the store: closing any handle of the store itself would drop the locks SQLite has on it.
    """

    def __init__(self, store: Path) -> None:
        store = store.resolve()  # by whatever link it is reached: there is one lock
        self._path = store.with_name(f"{store.name}-lock")
        while True:
            try:
                store.parent.mkdir(parents=True, exist_ok=True)
                self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            except OSError as error:
                raise UsageError(f"cannot write to {store.parent}: {error.strerror}") from None
            try:
                fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                owner = os.pread(self._handle, 20, 0).decode(errors="replace").strip() or "unknown"
                os.close(self._handle)
                raise UsageError(
                    f"another tournament (process {owner}) is writing into {store}; wait for it, or use another --db"
                ) from None
            if self._is_in_place():
                break
            os.close(self._handle)  # its last owner took the file away after we had opened it
        os.ftruncate(self._handle, 0)
        os.pwrite(self._handle, str(os.getpid()).encode(), 0)

    def _is_in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._handle))
        except FileNotFoundError:
            return False

    def close(self) -> None:
        """Let go, and take the file away."""
        self._path.unlink(missing_ok=True)
        os.close(self._handle)
