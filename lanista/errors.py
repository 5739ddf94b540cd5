"""What a user is told when the words were wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

LONGEST, END = 1800, 500  # characters of a sentence, of which its end: what is longer quotes something at length


class UsageError(ValueError):
    """A user's mistake, said in one sentence that names what was wrong and what would be right.

    The command line prints the sentence alone and exits with code 2; from Python it is an ordinary `ValueError`. Names
    in strangers' files are quoted in it: what would move a terminal's cursor, or could not be written, is shown as `?`.
    """

    def __init__(self, sentence: object = "") -> None:
        """Say it; in one line, whose middle is left out if it quotes too much."""
        text = " ".join(str(sentence).split())
        plain = "".join(sign if sign.isprintable() else "?" for sign in text)
        super().__init__(plain if len(plain) <= LONGEST else f"{plain[: LONGEST - END]} ... {plain[-END:]}")


class FolderError(UsageError):
    """A folder that cannot be made or written to; `errno` is the system's number for why."""

    def __init__(self, sentence: str, errno: int | None) -> None:
        """Take a sentence and the number."""
        super().__init__(sentence)
        self.errno = errno

    def __reduce__(self) -> tuple[type[FolderError], tuple[str, int | None]]:
        """Travel between processes."""
        return type(self), (str(self), self.errno)


class DiskError(OSError):
    """The disk did not take what was to be written: a sentence that says what is safe, and what to do.

    The command line prints the sentence alone and exits with code 1.
    """

    def __init__(self, trouble: str, comfort: str = "") -> None:
        """Say it.

        Args:
            trouble: what could not be written, and why.
            comfort: what is safe, and what to do.
        """
        super().__init__(f"{trouble}; {comfort}" if comfort else trouble)
        self.trouble, self.comfort = trouble, comfort

    def __reduce__(self) -> tuple[type[DiskError], tuple[str, str]]:
        """Travel between processes."""
        return type(self), (self.trouble, self.comfort)


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
