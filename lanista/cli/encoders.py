"""List the encoders.

Example:
    lanista encoders
    lanista train connect_four --minutes 10 --set encoder=board_resnet:channels=64
"""

from __future__ import annotations

from dataclasses import dataclass

from lanista.cli._printing import print_json, print_listing, summary_json, with_options
from lanista.plugs import Summary, summaries

ENCODERS = "lanista.perception.encoders"  # named here, since `perception.encoder` would import torch
GIVEN = ("shape", "scale")  # what an encoder gets from its space and not from a user


@dataclass(frozen=True)
class Options:
    """What to list."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the encoders with their options."""
    encoders = {
        name: Summary(found.about, {key: value for key, value in found.options.items() if key not in GIVEN})
        for name, found in summaries(ENCODERS, "__init__").items()
    }
    if options.json:
        print_json({"encoders": summary_json(encoders)})
        return 0
    print_listing(
        "encoders (options at their defaults)",
        ((with_options(name, encoder), encoder.about) for name, encoder in encoders.items()),
    )
    return 0
