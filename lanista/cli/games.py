"""List the games.

Example:
    lanista games
    lanista games --json
"""

from __future__ import annotations

from dataclasses import dataclass

from lanista.cli._printing import print_json, print_listing, summary_json, with_options
from lanista.envs.catalogue import DOORS, GAMES
from lanista.plugs import summaries


@dataclass(frozen=True)
class Options:
    """What to list."""

    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Print the native games with their options, and the doors to other libraries' games."""
    games, doors = summaries(GAMES, "rules"), summaries(DOORS, "")
    if options.json:
        print_json({"games": summary_json(games), "doors": summary_json(doors)})
        return 0
    print_listing(
        "games (options at their defaults)", ((with_options(name, game), game.about) for name, game in games.items())
    )
    print_listing("\ndoors to other libraries' games", ((f"{name}:...", door.about) for name, door in doors.items()))
    return 0
