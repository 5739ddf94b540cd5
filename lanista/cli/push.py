"""Put a trained agent into a repository of the Hugging Face hub; `hf:org/name` then seats it anywhere.

Example:
    lanista push runs/first me/connect-four
    lanista match hf:me/connect-four minimax:depth=2 --game connect_four
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from tyro.conf import Positional, arg


@dataclass(frozen=True)
class Options:
    """Which agent, and where to. The hub's own program logs you in: `hf auth login`."""

    agent: Annotated[Positional[str], arg(metavar="AGENT", help_behavior_hint="")]
    """An agent's folder, a run, or the name of a game for which an agent comes with Lanista."""
    repository: Annotated[Positional[str], arg(metavar="ORG/NAME", help_behavior_hint="")]
    """The repository; made if it is not there."""
    private: bool = False
    """If it is made: for you alone."""


def run(options: Options) -> int:
    """Put it there and say where."""
    from lanista.agents.contestant import trained_folder
    from lanista.agents.hub import push_agent  # imports torch: after the words are right
    from lanista.hub import HUB

    address = push_agent(trained_folder(options.agent), options.repository, options.private)
    print(address)
    print(f"seat it anywhere as {HUB}{options.repository}")
    return 0
