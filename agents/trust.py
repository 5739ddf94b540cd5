"""Whose code may run: a file that runs code when it is loaded is loaded only where the user said so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from lanista.errors import UsageError

_TRUSTED: ContextVar[bool] = ContextVar("trusted", default=False)


@contextmanager
def trusting(trusted: bool = True) -> Iterator[None]:
    """Meanwhile files that run code are loaded, as `--trust` has it for a whole command."""
    before = _TRUSTED.set(trusted)
    try:
        yield
    finally:
        _TRUSTED.reset(before)


def is_trusted() -> bool:
    """Whether files that run code may be loaded now."""
    return _TRUSTED.get()


def need_trust(source: str, instead: str) -> None:
    """Go on only if the user trusts such files.

    Args:
        source: what would be loaded, as the user wrote it.
        instead: what can be done without.

    Raises:
        UsageError: the user has not said so.
    """
    if not _TRUSTED.get():
        raise UsageError(
            f"'{source}' can run code of its own when it is loaded: add --trust (in Python, `with lanista.trusting()`) "
            f"if you know who made it, or {instead}"
        )
