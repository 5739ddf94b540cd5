"""A match of a one-player game: the mean returns of one or two agents on the same levels, or from the same seeds."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np

from lanista.agents.contestant import load_agent
from lanista.agents.levels import MOST_LEVEL, Return, held_out_levels, mean_return, returns_on
from lanista.cli._printing import print_json
from lanista.envs.core import Floats, GameSpec, Ints
from lanista.errors import UsageError


def run(
    spec: GameSpec, game: str, names: list[str], games: int, first_level: int | None, seed: int, as_json: bool
) -> int:
    """Play, and print the result.

    Args:
        spec: the game's.
        game: its string.
        names: of one or two agents, contestants' strings.
        games: of each agent.
        first_level: they play the levels from here on; None: held-out ones, where the game has levels.
        seed: of the agents' chance, and of games that have no levels.
        as_json: print JSON.

    Raises:
        UsageError: there are no such levels, or an agent cannot play the game.
    """
    if games < 1:
        raise UsageError(f"--games must be at least 1, not {games}")
    levels = levels_of(spec, games, first_level)
    seeds = np.random.SeedSequence(seed).generate_state(games, np.uint64)
    began = time.monotonic()
    returns = [returns_on(game, load_agent(name), levels, seeds) for name in names]
    means = [mean_return(some) for some in returns]
    ahead = mean_return(returns[0] - returns[1]) if len(names) == 2 else None
    if as_json:
        print_json(
            result_json(game, seed, names, levels, means, ahead, returns) | {"seconds": time.monotonic() - began}
        )
    else:
        print(told(game, seed, names, levels, means, ahead, games))
    return 0


def levels_of(spec: GameSpec, games: int, first: int | None) -> Ints | None:
    """(games,) the levels to be played; None where the game has none.

    Raises:
        UsageError: it has none and one was asked for, or there are no such levels.
    """
    if not spec.levels:
        if first is not None:
            raise UsageError(f"--first-level is for games that have levels, which {spec.name} has not")
        return None
    if first is None:
        return held_out_levels(games)
    if not 0 <= first <= MOST_LEVEL - games + 1:
        raise UsageError(f"levels are numbers from 0 to {MOST_LEVEL}: --first-level cannot be {first}")
    return first + np.arange(games, dtype=np.int64)


def told(
    game: str, seed: int, names: list[str], levels: Ints | None, means: list[Return], ahead: Return | None, games: int
) -> str:
    """The result for people."""
    where = "" if levels is None else f" on the levels {levels[0]} to {levels[-1]}, each once"
    width = max(map(len, names))
    lines = [f"mean returns of {games} games of {game}{where}, seed {seed}, with 95% confidence"]
    for name, mean in zip(names, means, strict=True):
        lines.append(
            f"  {name:{width}}  {mean.mean:.4g}, between {mean.low:.4g} and {mean.high:.4g}{void(mean, games)}"
        )
    if ahead is not None:
        lines.append(
            f"  {names[0]} has {ahead.mean:.4g} more than {names[1]} in the same games, "
            f"between {ahead.low:.4g} and {ahead.high:.4g}"
        )
    return "\n".join(lines)


def void(mean: Return, games: int) -> str:
    """What is said of games that do not count."""
    return f"; {games - mean.games} games void, in which the environment failed" if mean.games < games else ""


def result_json(
    game: str,
    seed: int,
    names: list[str],
    levels: Ints | None,
    means: list[Return],
    ahead: Return | None,
    returns: list[Floats],
) -> dict[str, Any]:
    """The result for scripts."""
    return {
        "game": game,
        "seed": seed,
        "first_level": None if levels is None else int(levels[0]),
        "agents": [
            {"name": name, **asdict(mean), "returns": [None if np.isnan(one) else float(one) for one in some]}
            for name, mean, some in zip(names, means, returns, strict=True)
        ],
        "difference": None if ahead is None else asdict(ahead),
    }
