"""A standing arena: match whoever is registered, the most telling pairs first, until stopped.

Example:
    lanista ladder serve l.sqlite --game connect_four random minimax:depth=2 --watch runs/first --report l.html
    lanista ladder add l.sqlite minimax:depth=4
    lanista ladder add l.sqlite --watch runs/second
    lanista ladder remove l.sqlite random
    lanista ladder status l.sqlite

Who is added while a ladder is served is seated within seconds, as is each new checkpoint of a watched run; whoever is
removed plays no more, and its games count. Ctrl-C or SIGTERM stop it; the same command goes on. The store is that of a
tournament: `lanista standings`, `verify`, `export-games` and the others read it.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from lanista.arena.ladder import LadderSettings, found_ladder, register, serve_ladder
from lanista.arena.ladder_roster import Roster
from lanista.arena.standings import table_of
from lanista.arena.store import Store
from lanista.cli._live_table import live_ladder
from lanista.cli._printing import print_json
from lanista.cli._rules_of_play import RulesOfPlay
from lanista.errors import UsageError
from lanista.files import written_path


@dataclass(frozen=True)
class Options(RulesOfPlay):
    """What to do with which ladder."""

    do: Annotated[Positional[Literal["serve", "add", "remove", "status"]], arg(metavar="{serve,add,remove,status}")]
    """Play; register; take off; say who plays and how they stand."""
    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The ladder's store."""
    agents: Annotated[Positional[tuple[str, ...]], arg(metavar="[AGENT ...]")] = ()
    """Who is registered, or taken off."""
    watch: Annotated[tuple[str, ...], arg(metavar="DIR ...", help_behavior_hint="")] = ()
    """Folders whose agents take part as they appear: runs (their checkpoints), or folders of agents."""
    game: Annotated[str | None, arg(metavar="GAME", help_behavior_hint="")] = None
    """The game, of two players; a new ladder needs it."""
    opening_plies: Annotated[int, arg(metavar="P")] = 8
    """Games begin after 0 to P random plies; each such opening is played from both seats."""
    report: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None
    """With `serve`: keep a report in one HTML file."""
    seconds: Annotated[float, arg(metavar="S")] = 2.0
    """With `serve`: how long a batch of games should take; newcomers wait no longer."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of openings, games and the agents' chance."""
    json: bool = False
    """With `status`: print JSON."""


def run(options: Options) -> int:
    """Do it."""
    if not 0 < options.seconds < 3600:
        raise UsageError(f"a batch takes more than 0 and less than 3600 seconds, not {options.seconds:g}")
    return {"serve": _serve, "add": _add, "remove": _remove, "status": _status}[options.do](options)


def _settings(options: Options) -> LadderSettings:
    return LadderSettings(options.seed, (0, options.opening_plies), options.seconds, options.report, **options.rules())


def _serve(options: Options) -> int:
    found_ladder(options.db, options.game, _settings(options))
    register(options.db, options.agents, options.watch)
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        with live_ladder() as told:
            serve_ladder(options.db, _settings(options), told=told)
    except KeyboardInterrupt:
        pass  # how a ladder ends
    finally:
        signal.signal(signal.SIGTERM, before)
    with Store(options.db, write=False) as store:
        print(table_of(store))
    print(f"stopped; the same command goes on\ngames:  {options.db}")
    if options.report is not None:
        print(f"report: {options.report}")
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _add(options: Options) -> int:
    if not options.agents and not options.watch:
        raise UsageError("name who is to be added, or folders to --watch")
    found_ladder(options.db, options.game, _settings(options))
    register(options.db, options.agents, options.watch)
    for words in options.agents:
        print(f"{words} is registered")
    for folder in options.watch:
        print(f"{folder} is watched{'' if written_path(folder).is_dir() else ', once it is there'}")
    return 0


def _remove(options: Options) -> int:
    names = [*options.agents, *options.watch]
    if not names:
        raise UsageError("name who is to be removed")
    _must_be_there(options.db)
    with Roster(options.db) as roster:
        known = {*roster.wanted(), *roster.seen()}
        for name in names:
            if name not in known:
                raise UsageError(
                    f"nobody is called '{name}' on the ladder; there are {', '.join(sorted(known)) or 'none'}"
                )
        for name in names:
            roster.drop(name)
            print(f"{name} is removed")
    return 0


def _status(options: Options) -> int:
    _must_be_there(options.db)
    with Store(options.db, write=False) as store, Roster(options.db, write=False) as roster:
        table = table_of(store)
        seen, wanted = roster.seen(), roster.wanted()
    if options.json:
        people = {name: vars(each) for name, each in seen.items()}
        print_json({"wanted": wanted, "seen": people, "table": table.to_json()})
        return 0
    print(table)
    seated = {*seen, *(each.words for each in seen.values())}
    for words, kind in wanted.items():
        if kind == "watch":
            print(f"watched: {words}")
        elif words not in seated and kind == "agent":
            print(f"registered, not seated yet: {words}")
    for name, each in seen.items():
        if each.state != "plays":
            when = time.strftime("%Y-%m-%d %H:%M", time.localtime(each.since))
            print(f"{each.state} since {when}: {name}{f' ({each.note})' if each.note else ''}")
    return 0


def _must_be_there(db: Path) -> None:
    if not db.is_file():
        raise UsageError(f"there is no ladder {db}; 'lanista ladder serve {db} --game GAME' begins one")
