"""List the games, or search them.

Example:
    lanista games
    lanista games pong
    lanista games atari:
    lanista games go --json
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Annotated, Any

from tyro.conf import Positional, arg

from lanista.cli._printing import print_json, print_listing, summary_json, with_options
from lanista.envs.catalogue import DOORS, GAMES, door_ids, native_rules
from lanista.errors import UsageError
from lanista.plugs import Summary, summaries

SHOWN = 20  # ids of one door; --json and the door's own name show all


@dataclass(frozen=True)
class Options:
    """What to list."""

    search: Annotated[Positional[str], arg(metavar="[WORD]")] = ""
    """List what has this in its name, else what is nearest to it; a door's name and a colon list all that it opens."""
    json: bool = False
    """Print JSON."""


@dataclass
class _Found:
    """What a search has found."""

    games: dict[str, Summary]
    ids: dict[str, list[str]] = field(default_factory=dict)  # door -> what it opens
    absent: list[str] = field(default_factory=list)  # why a door could not be looked at
    near: bool = False  # nothing has the word in its name; these are the nearest


def run(options: Options) -> int:
    """Print the native games with their options, and the doors to other libraries' games."""
    games, doors = summaries(GAMES, "rules"), summaries(DOORS, "")
    if not options.search:
        if options.json:
            print_json({"games": _games_json(games), "doors": summary_json(doors)})
            return 0
        _print_games("games (options at their defaults)", games)
        print_listing("\ndoors to other libraries' games", ((f"{n}:...", door.about) for n, door in doors.items()))
        print("\n`lanista games WORD` searches all of them, `lanista games zoo:` lists what one door opens.")
        return 0
    found = _search(options.search, games, doors)
    if options.json:
        opened = [{"name": door, "ids": [f"{door}:{name}" for name in ids]} for door, ids in found.ids.items()]
        print_json(
            {"games": _games_json(found.games), "doors": opened, "nearest": found.near, "not_installed": found.absent}
        )
        return 0
    _print(found, options.search)
    return 0


def _print(found: _Found, word: str) -> None:
    if found.near:
        print(f"nothing has '{word}' in its name; the nearest:\n")
    if found.games:
        _print_games("games", found.games)
    for door, ids in found.ids.items():
        print(f"{door}:")
        shown = ids if word.endswith(":") else ids[:SHOWN]
        for name in shown:
            print(f"  {door}:{name}")
        if len(shown) < len(ids):
            print(f"  and {len(ids) - len(shown)} more (--json lists them)")
    for reason in found.absent:
        print(f"not searched: {reason}")


def _search(word: str, games: Mapping[str, Summary], doors: Mapping[str, Summary]) -> _Found:
    """The games with a word in their name, else those with the nearest names.

    Raises:
        UsageError: nothing is near, or the one door that was asked for cannot be looked at.
    """
    door, colon, rest = word.partition(":")
    if colon and door in doors:
        ids = door_ids(door)
        return _Found({}, {door: _matching(rest, ids) or get_close_matches(rest, ids, n=5)})
    absent, reach = [], {}
    for name in doors:
        try:
            reach[name] = door_ids(name)
        except UsageError as error:
            absent.append(str(error))
    found = _Found({name: games[name] for name in _matching(word, list(games))}, absent=absent)
    found.ids = {name: same for name, ids in reach.items() if (same := _matching(word, ids))}
    if found.games or found.ids:
        return found
    tails = {_tail(name): name for name in games}
    near = get_close_matches(_plain(word), tails, n=3, cutoff=0.6)
    found.games = {tails[tail]: games[tails[tail]] for tail in near}
    for name, ids in reach.items():
        tails = {_tail(each): each for each in ids}
        close = [tails[tail] for tail in get_close_matches(_plain(word), tails, n=3, cutoff=0.6)]
        if close:
            found.ids[name] = close
    if not (found.games or found.ids):
        raise UsageError(
            f"no game has '{word}' in its name, and none is near to it; `lanista games` lists what there is"
        )
    found.near = True
    return found


def _matching(word: str, names: Sequence[str]) -> list[str]:
    """The names that contain a word: those that are it first, then those that begin with it."""
    wanted = _plain(word)

    def rank(name: str) -> tuple[int, str]:
        tail = _tail(name)
        return (0 if tail == wanted else 1 if tail.startswith(wanted) else 2), name

    return sorted((name for name in names if wanted in _plain(name)), key=rank)


def _plain(name: str) -> str:
    """A name without what people leave out or write otherwise."""
    return re.sub(r"[-_ ]", "", name).lower()


def _tail(name: str) -> str:
    """The part of an id that names the game: `pong` of `atari/pong_v3`."""
    return _plain(re.sub(r"[-_]v\d+$", "", name.rpartition("/")[2]))


def _facts(name: str) -> dict[str, Any]:
    """Who plays a native game, and what they see."""
    spec = native_rules(name).spec
    seen = {modality: list(space.shape or ()) for modality, space in spec.roles[0].observation.items()}
    return {
        "players": spec.players,
        "kind": spec.kind,
        "perfect_information": spec.perfect_information,
        "modalities": seen,
        "native": True,
    }


def _games_json(games: Mapping[str, Summary]) -> list[dict[str, Any]]:
    return [{**entry, **_facts(entry["name"])} for entry in summary_json(games)]


def _print_games(title: str, games: Mapping[str, Summary]) -> None:
    lines = []
    for name, game in games.items():
        facts = _facts(name)
        hidden = "" if facts["perfect_information"] else ", hidden"
        seen = " ".join(f"{key} {'x'.join(map(str, shape))}" for key, shape in facts["modalities"].items())
        lines.append((with_options(name, game), f"{facts['players']} {facts['kind']}{hidden}; {seen}; {game.about}"))
    print_listing(f"{title}: players, kind; what they see", lines)
