"""List who can play.

Example:
    lanista agents
    lanista agents --json
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from lanista.agents.contestant import DESCRIPTION, KINDS, SHIPPED, shipped
from lanista.cli._printing import about, print_json, print_listing, summary_json, with_options
from lanista.plugs import Summary, summaries


@dataclass(frozen=True)
class Options:
    """What to list."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the agent kinds with their options, and the trained agents that come with Lanista."""
    kinds = {name.replace("_", "-"): kind for name, kind in summaries(KINDS, "make").items()}
    if options.json:
        print_json({"kinds": summary_json(kinds), "shipped": shipped()})
        return 0
    print_listing(
        "agents (options at their defaults)",
        ((example(name, kind), about(kind)) for name, kind in kinds.items()),
    )
    folders = [
        ("path/to/agent", "a trained agent's folder, or the run that makes it"),
        ("path/to/agent?temperature=0.5", "the same with options of 'network'"),
        ("path/to/agent?simulations=200", "the same, thinking ahead: PUCT search with its network"),
    ]
    print_listing("\ntrained agents", [*folders, *((name, told(name)) for name in shipped())])
    return 0


def told(name: str) -> str:
    """What is said of an agent that comes with Lanista, from its own description."""
    about = json.loads((SHIPPED / name / DESCRIPTION).read_bytes())
    training = about["training"]
    rating = training.get("rating")
    rated = f", rating {rating['elo']:+.0f} over random" if rating else ""
    return f"comes with Lanista: {about['game']}, {training['steps']:,} steps{rated}"


def example(name: str, kind: Summary) -> str:
    """How a kind is written: its options at their defaults, or, where one must be given, its docstring's example."""
    shown = re.match(r"`(.+?)`: ", kind.about)
    return shown[1] if shown and None in kind.options.values() else with_options(name, kind)
