"""The words of `--set`, alike for all commands that have settings."""

from __future__ import annotations

from collections.abc import Sequence

from lanista.errors import UsageError
from lanista.plugs import Value, parse_value


def set_values(words: Sequence[Sequence[str]]) -> dict[str, Value]:
    """Setting -> value.

    Args:
        words: those of each `--set`.

    Raises:
        UsageError: a word is no key=value.
    """
    values = {}
    for word in (word for some in words for word in some):
        key, equals, value = word.partition("=")
        if not (key and equals and value):
            raise UsageError(f"--set takes key=value, as in '--set learning_rate=1e-3', not '{word}'")
        values[key] = parse_value(value)
    return values
