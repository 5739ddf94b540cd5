"""The standings as comma-separated values, a line for each contestant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from lanista.arena.exports import Exported
from lanista.arena.exports.csv import line
from lanista.arena.standings import Row, table_of


def texts(exported: Exported) -> Iterator[str]:
    """The names of the columns, and one line a contestant, the best first."""
    names = [field.name for field in fields(Row)]
    yield line(names)
    for row in table_of(exported.store).rows:
        yield line(getattr(row, name) for name in names)
