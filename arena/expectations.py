"""What players expected at their moves, as a store keeps it: a byte a move (`agents.score_sheet`).

A value is a share of the span from the least return to the greatest, None where nobody told; there are no values if
nobody told anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from lanista.agents.score_sheet import GREATEST, UNTOLD


def expected_bytes(values: Sequence[float | None]) -> bytes | None:
    """What players expected, as a store keeps it: a byte a move, None for no values at all."""
    return bytes(UNTOLD if value is None else round(GREATEST * value) for value in values) if values else None


def expected_values(told: bytes | None) -> tuple[float | None, ...]:
    """What players expected, from a store's bytes."""
    return () if told is None else tuple(None if byte > GREATEST else byte / GREATEST for byte in told)
