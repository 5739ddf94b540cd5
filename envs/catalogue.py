"""Games by name: a file's name is the game's id, and nothing else lists it.

`connect_four`, `mnk:rows=8,columns=9,k=5` are files of `envs/games`; `zoo:classic/chess_v6`, `gym:CartPole-v1` go
through the doors, files of `envs/doors`.
"""

from __future__ import annotations

import inspect
from functools import lru_cache

from lanista.envs.batched import BatchedGame
from lanista.envs.core import Game
from lanista.envs.rules import Rules
from lanista.errors import UsageError, unknown
from lanista.plugs import Value, call, parse_options, plug, plugs

GAMES = "lanista.envs.games"
DOORS = "lanista.envs.doors"


def games() -> list[str]:
    """The ids of the native games."""
    return plugs(GAMES)


def doors() -> list[str]:
    """The ids of the doors."""
    return plugs(DOORS)


def door_ids(door: str) -> list[str]:
    """What a door can open here, by its library's own registry: each id is a game as `door:id`.

    Raises:
        UsageError: no such door, or its library is not installed.
    """
    found: list[str] = list(plug(DOORS, "door", door).ids())
    return found


@lru_cache(maxsize=64)
def native_rules(name: str) -> Rules:
    """The rules of a native game by its string.

    Raises:
        UsageError: no such game or option.
    """
    file, _, options = name.partition(":")
    module = plug(GAMES, "game", file)
    rules: Rules = call(module.rules, f"the game '{file}'", {**parse_options(options, name)})
    return rules


def native_options(name: str) -> dict[str, Value]:
    """All options of a native game by its string, those that it leaves out at their defaults.

    Raises:
        UsageError: no such game.
    """
    file, _, options = name.partition(":")
    known = inspect.signature(plug(GAMES, "game", file).rules).parameters
    return {key: given.default for key, given in known.items()} | parse_options(options, name)


def make(name: str, copies: int = 1, *, restart: bool = True, random_share: float = 0.0, random_plies: int = 0) -> Game:
    """Make a game from its string.

    Args:
        name: `id`, `id:option=value,...` or `door:rest`.
        copies: how many are played together.
        restart: a finished copy begins anew by itself; else it shows no rows until `reset`.
        random_share, random_plies: that share of games starts after 0 to `random_plies` random legal plies (native
            games only).

    Raises:
        UsageError: no such game or option.
    """
    if copies < 1:
        raise UsageError(f"a game needs at least one copy, not {copies}")
    head, colon, rest = name.partition(":")
    if colon and head in doors():
        if random_share:
            raise UsageError(f"games through a door start as they start: random openings are not for '{name}'")
        game: Game = plug(DOORS, "door", head).open(rest, copies, restart)
        return game
    if head.replace("-", "_") not in games():
        raise unknown("game", head, [*games(), *(f"{door}:" for door in doors())])
    return BatchedGame(
        native_rules(name), copies, restart=restart, random_share=random_share, random_plies=random_plies
    )
