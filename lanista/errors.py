"""What a user is told when the words were wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UsageError(ValueError):
    """A user's mistake, said in one sentence that names what was wrong and what would be right.

    The command line prints the sentence alone and exits with code 2; from Python it is an ordinary `ValueError`.
    """


def unknown(what: str, name: str, known: Iterable[str]) -> UsageError:
    """The error for a name that is not among the known ones; it suggests the nearest.

    Args:
        what: what was asked for, in words ("game", "agent", "setting").
        name: the name the user wrote.
        known: the names that would have been right.
    """
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    if near:
        return UsageError(f"unknown {what} '{name}'; did you mean '{near[0]}'?")
    return UsageError(f"unknown {what} '{name}'; known: {', '.join(names) or 'none'}")
