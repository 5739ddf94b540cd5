"""What a browser orders when it begins a run, checked and written as the words of `lanista train`."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lanista.arena.play.roster import Roster
from lanista.errors import UsageError, unknown
from lanista.plugs import parse_value, plugs

# (game, words key=value of a line, single changes) -> every setting that a run with them would have. It raises
# UsageError as the command line does. Training is another room, so who begins the server hands this in.
Settle = Callable[[str, Sequence[str], Mapping[str, Any]], dict[str, Any]]

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # of a new run: what a browser says becomes a folder's name
MOST_MINUTES = 7 * 24 * 60.0
MOST_STEPS = 10**12
MOST_LINE = 1000  # characters
ENCODERS = "lanista.perception.encoders"
AUTO = "auto"
OPPONENT_SHARE = 0.25  # of the games, where opponents are named and no share is
PLAYERS = ("opponents", "anchors")  # settings that name contestants
# Settings of words that name one of several known things, perhaps with options that are numbers; all others of words,
# such as an address or a project, are for whoever sits at the machine.
WORDS = ("encoder", "memory", "curriculum", "schedule", "precision", "pfsp", "algorithm", "trainer")
_WORD = re.compile(r"(?:[\w-]+=)?([\w-]+)(?::((?:[\w-]+=[\w.+-]+)(?:,[\w-]+=[\w.+-]+)*))?")


@dataclass(frozen=True)
class Order:
    """A run as it is ordered; nothing in it is checked.

    Attributes:
        name: of the run's new folder.
        game: its string.
        steps, minutes: how long; one of them is 0.
        runners: processes that play.
        seed: of weights, games and shuffling.
        changes: setting -> value.
        line: more of them, as `key=value key=value`.
    """

    name: str
    game: str
    steps: int = 0
    minutes: float = 0.0
    runners: int = 0
    seed: int = 0
    changes: Mapping[str, Any] = field(default_factory=dict)
    line: str = ""


def command_of(order: Order, folder: Path, roster: Roster, settle: Settle) -> list[str]:
    """The words after `lanista` that begin the run.

    Args:
        order: what is wished.
        folder: the run's new folder.
        roster: who may be named as an opponent, and which games there are.
        settle: see `Settle`.

    Raises:
        UsageError: something cannot be, or is not for a browser to say.
    """
    game = roster.check_game_name(order.game)
    if bool(order.steps) == bool(order.minutes):
        raise UsageError("say how long to train: a number of minutes, or of steps")
    if not 0 <= order.minutes <= MOST_MINUTES or not 0 <= order.steps <= MOST_STEPS:
        raise UsageError(f"a run takes more than 0 and at most {MOST_MINUTES:,.0f} minutes, or {MOST_STEPS:,} steps")
    cores = os.cpu_count() or 1
    if not 0 <= order.runners <= cores:
        raise UsageError(f"there may be 0 to {cores} runners: this machine has {cores} cores")
    if not 0 <= order.seed < 2**31:
        raise UsageError("a seed is a number from 0 to 2,147,483,647")
    if len(order.line) > MOST_LINE or not order.line.isprintable():
        raise UsageError(f"the line of settings has at most {MOST_LINE} characters")
    try:
        words = shlex.split(order.line)
    except ValueError:
        raise UsageError("a quotation mark in the line of settings is not closed") from None
    settings = settle(game, words, order.changes)
    changes = dict(order.changes)
    if changes.get("opponents") and not settings.get("opponent_share") and not settings.get("league_size"):
        changes["opponent_share"] = OPPONENT_SHARE
    named = {word.partition("=")[0] for word in words} | set(changes)
    for name in sorted(named):
        if isinstance(settings.get(name), str):
            _check_text(name, settings[name], game, roster)
    bound = ["--minutes", f"{order.minutes:g}"] if order.minutes else ["--steps", str(order.steps)]
    more = ["--runners", str(order.runners), "--seed", str(order.seed), "--json"]
    given = [*(f"{key}={value}" for key, value in changes.items()), *words]
    return ["train", game, *bound, "--out", str(folder), *more, *(["--set", *given] if given else [])]


def _check_text(name: str, value: str, game: str, roster: Roster) -> None:
    """Refuse a setting's text that could name a file, a program or another machine."""
    if not value:
        return
    if name in PLAYERS:
        spec = roster.check_game(game)
        for contestant in value.split():
            roster.check_contestant(contestant, game, spec)
        return
    if name not in WORDS:
        raise UsageError(f"'{name}' is not set on the page: write it on the command line of lanista train")
    for word in value.split():
        found = _WORD.fullmatch(word)
        options = [] if found is None else (found[2] or "").split(",")
        if found is None or any(isinstance(parse_value(each.partition("=")[2]), str) for each in options if each):
            raise UsageError(f"'{name}={word[:60]}' is not set on the page: here {name} is a name with numbers")
        if name == "encoder" and found[1].replace("-", "_") not in (AUTO, *plugs(ENCODERS)):
            raise unknown("encoder", found[1], [AUTO, *plugs(ENCODERS)])
