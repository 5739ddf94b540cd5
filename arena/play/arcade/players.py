"""What can be played in real time here, and who can play it: lists from which a browser chooses."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib.util import find_spec

from lanista.agents.contestant import DESCRIPTION, agent_folder
from lanista.arena.play.arcade.pads import same_game
from lanista.arena.play.roster import MOST_RUNS, Roster
from lanista.envs.catalogue import door_ids
from lanista.envs.core import GameSpec
from lanista.errors import UsageError
from lanista.files import read_json

FAVOURITES = ("pong", "breakout", "space_invaders", "freeway", "boxing", "ms_pacman", "seaquest", "tennis", "enduro")
# Games of Gymnasium and PettingZoo that are known to be fun by keyboard, and the modules that they need.
OTHERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("gym:CartPole-v1", "Cart pole", ("pygame",)),
    ("gym:MountainCar-v0", "Mountain car", ("pygame",)),
    ("gym:Acrobot-v1", "Acrobot", ("pygame",)),
    ("gym:LunarLander-v3", "Lunar lander", ("pygame", "Box2D")),
    ("gym:FrozenLake-v1", "Frozen lake", ("pygame",)),
    ("gym:MiniGrid-DoorKey-6x6-v0", "MiniGrid: door and key", ("minigrid", "pygame")),
    ("gym:BabyAI-GoToObj-v0", "BabyAI: go to an object", ("minigrid", "pygame")),
    ("babyai:GoToLocalS5N2", "BabyAI: go where it is told, small room", ("minigrid",)),
    ("babyai:GoToLocal", "BabyAI: go where it is told", ("minigrid",)),
    ("babyai:GoToDoor-5x5", "MiniGrid: go to the door it is told", ("minigrid",)),
    ("babyai:PickupLoc", "BabyAI: pick up what it is told", ("minigrid",)),
    ("babyai:PutNextLocal", "BabyAI: put what it is told next to what", ("minigrid",)),
    ("zoo:mpe2/simple_push_v3", "Push (MPE, two players)", ("mpe2", "pygame")),
    ("zoo:mpe2/simple_tag_v3", "Tag (MPE, four players)", ("mpe2", "pygame")),
)
TWO_PLAYERS = ("pong_v3", "boxing_v2", "tennis_v3", "space_invaders_v2", "ice_hockey_v2", "joust_v3", "combat_tank_v2")


@lru_cache(maxsize=1)
def offered() -> tuple[tuple[str, str], ...]:
    """Games as (string, title): two-player Atari games where their package is here, Atari's, then others."""
    found: list[tuple[str, str]] = []
    if find_spec("ale_py") is not None:
        ids = door_ids("atari")
        first = [name for name in FAVOURITES if name in ids]
        found += [(f"atari:{name}", title(f"atari:{name}")) for name in first]
    if find_spec("multi_agent_ale_py") is not None:
        found += [(f"zoo:atari/{name}", title(f"zoo:atari/{name}")) for name in TWO_PLAYERS]
    found += [(name, words) for name, words, needed in OTHERS if all(find_spec(module) for module in needed)]
    if find_spec("minigrid") is not None:
        known = {name for name, _ in found}
        found += [(name, f"BabyAI: {name[7:]}") for name in (f"babyai:{level}" for level in door_ids("babyai"))
                  if name not in known]  # fmt: skip
    if find_spec("ale_py") is not None:
        rest = [name for name in ids if name not in FAVOURITES]
        found += [(f"atari:{name}", title(f"atari:{name}")) for name in rest]
    return tuple(found)


def title(game: str) -> str:
    """A game's name for people: `atari:ms_pacman` is "Ms Pacman"."""
    known = {name: words for name, words, _ in OTHERS}
    if game in known:
        return known[game]
    door, _, rest = game.partition(":")
    name = rest.partition("?")[0]
    if door == "atari":
        return " ".join(word.capitalize() for word in re.split(r"[-_ ]", name))
    if door == "zoo" and name.startswith("atari/"):
        words = re.sub(r"_v\d+$", "", name.removeprefix("atari/")).split("_")
        return f"{' '.join(word.capitalize() for word in words)} (two players)"
    return game


def check_real_time(game: str, spec: GameSpec) -> None:
    """Raise UsageError for a game that is not played so: it waits for moves, or its pictures are no screen."""
    if spec.kind == "turn-based" or ":" not in game:
        raise UsageError(f"{game} waits for moves: choose it on the page Play")


def players_of(roster: Roster, game: str, spec: GameSpec) -> list[tuple[str, str]]:
    """Who can play at a game's agents' seats, as (contestant's string, words), those who train on it first."""
    known: dict[str, str] = {}
    for name, own in _runs(roster, game):
        options = own.partition("?")[2] if own != game else ""
        known[name] = ", ".join([name.rpartition("/")[2], "one of your runs", *([options] if options else [])])
        known[f"{name}?temperature=1"] = f"{name.rpartition('/')[2]}, varied (temperature 1)"
    for opponent in roster.opponents(game, spec):
        for strength in opponent.strengths:
            if strength.contestant.partition("?")[0] not in known:
                words = opponent.title if len(opponent.strengths) == 1 else f"{opponent.title}, {strength.label}"
                known[strength.contestant] = words
    known.setdefault("random", "Random")
    return list(known.items())


def _runs(roster: Roster, game: str) -> list[tuple[str, str]]:
    """The runs that train on a game, also with other options of it, those that wrote last first; and their games."""
    if not roster.runs.is_dir():
        return []
    found = []
    for folder in sorted(roster.runs.iterdir())[:MOST_RUNS]:
        agent = agent_folder(folder)
        try:
            own = "" if agent is None else str(read_json(agent / DESCRIPTION, "an agent").get("game"))
            if agent is not None and same_game(own, game):
                found.append((-(agent / "model.safetensors").stat().st_mtime, folder.as_posix(), own))
        except (UsageError, OSError):
            continue  # a run that is being written, or is damaged
    return [(name, own) for _, name, own in sorted(found)]
