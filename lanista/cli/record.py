"""Film episodes: a GIF or MP4 with who plays and the last move below the board.

Example:
    lanista record runs/first minimax:depth=2 --game connect_four --out game.gif
    lanista record runs/breakout --game atari:breakout --out breakout.mp4

Pictures of boards and MP4 need the extra `video`: pip install 'lanista[video]'.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, arg

from lanista.agents.contestant import load_agent
from lanista.envs.catalogue import make
from lanista.errors import UsageError
from lanista.files import claim_file, drafted


@dataclass(frozen=True)
class Options:
    """Who plays what, and where the film goes."""

    agents: Annotated[Positional[tuple[str, ...]], arg(metavar="AGENT")]
    """Who plays, in the seats' order; one agent alone takes every seat."""
    game: Annotated[str, arg(metavar="GAME")]
    """The game."""
    out: Annotated[Path, arg(metavar="FILE")] = Path("game.gif")
    """The film, .gif or .mp4."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of the first game; each further one has the next number."""
    games: Annotated[int, arg(metavar="N")] = 1
    """So many games one after another."""
    fps: Annotated[float, arg(metavar="F")] = 0.0
    """Frames a second; 0: 1.5 for boards, 30 where the environment draws its own frames."""
    longest: Annotated[int, arg(metavar="PLIES")] = 1000
    """A game is cut after so many plies."""


def run(options: Options) -> int:
    """Play and write the film."""
    # `write_film` imports what is optional when the first frame is there, so a missing extra leaves no file.
    from lanista.cli._film import OWN_PIXELS, episode, write_film

    suffix = options.out.suffix
    if suffix not in (".gif", ".mp4"):
        raise UsageError(f"--out ends in .gif or .mp4, not '{options.out.name}'")
    good_speed = options.fps == 0 or 0.01 <= options.fps <= 1000
    if options.games < 1 or options.longest < 1 or not good_speed or options.seed < 0:
        raise UsageError("--games and --longest are at least 1, --fps 0.01 to 1000, --seed at least 0")
    table = make(options.game, 1)
    players = table.spec.players
    if len(options.agents) not in (1, players):
        raise UsageError(f"{options.game} seats {players}: name one agent for all seats or {players}, in their order")
    agents = [load_agent(agent) for agent in options.agents]
    table.reset(options.seed)
    speed = options.fps or (30.0 if OWN_PIXELS.search(table.picture(0)) else 1.5)
    claim_file(options.out)
    seeds = range(options.seed, options.seed + options.games)
    frames: Iterator[tuple[Any, bool]] = itertools.chain.from_iterable(
        episode(options.game, agents, seed, options.longest) for seed in seeds
    )
    with drafted(options.out) as draft:
        count = write_film(draft, frames, speed)
    print(f"{options.out}: {count} frames, {options.games} game{'s' * (options.games != 1)} of {options.game}")
    return 0
