"""Contestants' names where there is little room."""

from __future__ import annotations

LONGEST = 36  # characters in a picture


def shown_name(name: str) -> str:
    """A name as it fits into a picture: of a long path the end says more."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"
