"""The standings as comma-separated values, a line for each contestant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from lanista.arena.aggregates import Aggregate
from lanista.arena.exports import Exported
from lanista.arena.exports.csv import line
from lanista.arena.tables import any_table_of


def texts(exported: Exported) -> Iterator[str]:
    """The names of the columns, and one line a contestant, the best first."""
    rows = any_table_of(exported.store).rows
    if rows:
        yield line(_cells(rows[0], rows[0]).keys())
    for row in rows:
        yield line(_cells(row, rows[0]).values())


def _cells(row: Any, first: Any) -> dict[str, Any]:
    """A line's cells by their columns; a value with an interval has three, as the first line has them.

    Of the last line, what compares it with the next one is not there.
    """
    cells: dict[str, Any] = {}
    for field in fields(row):
        value = getattr(row, field.name)
        if isinstance(value, Aggregate) or isinstance(getattr(first, field.name), Aggregate):
            for part in ("value", "low", "high"):
                name = field.name if part == "value" else f"{field.name}_{part}"
                cells[name] = None if value is None else getattr(value, part)
        else:
            cells[field.name] = value
    return cells
