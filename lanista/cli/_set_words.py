"""The words of `--set`, alike for all commands that have settings."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.errors import UsageError
from lanista.plugs import Value, parse_value

NO_SETTINGS = ("config", "out", "report")  # what the functions behind the commands take beside settings


def set_values(words: Sequence[Sequence[str]]) -> dict[str, Value]:
    """Setting -> value.

    Args:
        words: those of each `--set`.

    Raises:
        UsageError: a word is no key=value, or names an option.
    """
    values = {}
    for word in (word for some in words for word in some):
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise UsageError(f"--set takes key=value, as in '--set learning_rate=1e-3', not '{word}'")
        if key in NO_SETTINGS:
            raise UsageError(f"'{key}' is no setting; options of the command itself are written without --set")
        values[key] = parse_value(value)
    return values
