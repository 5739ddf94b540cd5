"""List the formats of tournaments: who meets whom.

Example:
    lanista formats
    lanista formats --json
"""

from __future__ import annotations

from dataclasses import dataclass

from lanista.arena.formats import formats
from lanista.cli._printing import about, print_json, print_listing, summary_json, with_options


@dataclass(frozen=True)
class Options:
    """What to list."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the formats with their options."""
    found = formats()
    if options.json:
        print_json(summary_json(found))
        return 0
    print_listing(
        "tournament formats (options at their defaults)",
        ((with_options(name, summary), about(summary)) for name, summary in found.items()),
    )
    return 0
