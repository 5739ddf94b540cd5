"""Let an agent play in other programs, as an engine that speaks UCI or GTP.

Example:
    lanista engine minimax:depth=3
    lanista engine minimax:depth=2 --protocol gtp --game go:size=9
    lanista engine random --protocol gtp --game othello

Name this command line in a chess or Go program, or in a tournament manager, as that of an engine. By UCI, `go depth`,
`go movetime` and the clocks set how far an agent with a depth or simulations looks; its options can be set from there.
"""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from lanista.agents.as_gtp import GtpHost
from lanista.agents.as_uci import UciHost


@dataclass(frozen=True)
class Options:
    """Who plays, and what is spoken."""

    agent: Annotated[Positional[str], arg(metavar="AGENT")]
    """Who plays: `lanista agents` lists who can."""
    protocol: Literal["uci", "gtp"] = "uci"
    """UCI for chess, GTP for Go and other board games."""
    game: Annotated[str, arg(metavar="GAME", help_behavior_hint="(default: chess for UCI, go for GTP)")] = ""
    """The game; by GTP the other side may change its size and komi."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of the agent's chance."""


def run(options: Options) -> int:
    """Speak until the other side says `quit` or is gone."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(encoding="utf-8", errors="replace")  # what is no text is a word that nobody knows
    if options.protocol == "uci":
        UciHost(options.agent, sys.stdin, sys.stdout, options.seed, options.game or "chess").serve()
    else:
        GtpHost(options.agent, sys.stdin, sys.stdout, options.seed, options.game or "go").serve()
    return 0
