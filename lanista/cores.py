"""The machine's processors, as far as this process may use them."""

from __future__ import annotations

import os


def usable_cores() -> int:
    """How many there are for this process: under taskset, those it was given."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
