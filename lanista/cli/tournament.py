"""Play a tournament, rate the contestants, write a report.

Example:
    lanista tournament --game connect_four runs/first random minimax:depth=1 minimax:depth=3 --report t.html
    lanista tournament --game connect_four runs/first random minimax:depth=1 --games 200 --db t.sqlite
    lanista tournament --game connect_four runs/* minimax:depth=6 --db t.sqlite --ray --address 10.0.0.1:6379
    lanista tournament --game othello runs/* minimax:depth=2 --format swiss:rounds=7 --games 10
    lanista tournament --game gym:CartPole-v1 runs/* random --games 200 --db cartpole.sqlite
    lanista tournament --game zoo:mpe/simple_adversary_v3 runs/a runs/b random first-legal --games 48
    lanista tournament --game chess uci:stockfish uci:gnuchess --openings book.epd --time-control 10+0.1

Games are kept in the store as they end: the same command on the same store goes on where it was stopped, and with
more contestants or games plays only what is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

import lanista
from lanista.cli._live_table import live_tournament
from lanista.cli._printing import print_json
from lanista.cli._rules_of_play import RulesWithBook
from lanista.cli.standings import read_anchors
from lanista.errors import UsageError


@dataclass(frozen=True)
class Options(RulesWithBook):
    """Who plays what, and what is kept."""

    contestants: Annotated[Positional[tuple[str, ...]], arg(metavar="AGENT ...")]
    """Who plays: two or more; `lanista agents` lists who can."""
    game: Annotated[str, arg(metavar="GAME")]
    """The game: of two players, of more, or of one."""
    format: Annotated[str, arg(metavar="F")] = "round_robin"
    """Who meets whom; `lanista formats` lists what there is."""
    games: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: 40, or the next multiple)")] = None
    """Games of each two who meet, an even number; of each table of more, a multiple of its seatings (6 for three); of
    each contestant where a game has one player."""
    opening_plies: Annotated[int | None, arg(metavar="P", help_behavior_hint="(default: 8; 0 for one player)")] = None
    """Games begin after 0 to P random plies; each such opening is played in all seatings."""
    openings: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Take the openings from a book instead: a line of moves each, a PGN, SGF, EPD or FEN."""
    balanced: Annotated[str | None, arg(metavar="AGENT", help_behavior_hint="")] = None
    """Keep only random openings that this agent values as about even."""
    balanced_within: Annotated[float, arg(metavar="V")] = 0.3
    """How far from even, where 1 is a game that is won."""
    db: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: kept in memory)")] = None
    """The store of the games."""
    report: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None
    """Write a report in one HTML file."""
    anchors: Annotated[tuple[str, ...], arg(metavar="NAME=ELO ...", help_behavior_hint="")] = ()
    """Hold these contestants at these ratings, and rate the others on their scale."""
    ray: bool = False
    """Spread the games over a Ray cluster: one of this machine's, or that of --address."""
    address: Annotated[str | None, arg(metavar="HOST:PORT", help_behavior_hint="")] = None
    """With --ray: the head of the cluster that is joined; auto is one that runs on this machine."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of openings, games and the agents' chance."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Play what is missing and print the table."""
    if options.report is not None and not options.report.parent.is_dir():
        raise UsageError(f"the report's folder {options.report.parent} does not exist")
    if options.address is not None and not options.ray:
        raise UsageError("--address names a Ray cluster: add --ray")
    rules = options.rules()
    player = None
    if options.ray:
        from lanista.arena.ray_play import RayPlayer

        player = RayPlayer(options.address)
    with live_tournament(options.game) as watcher:
        table = lanista.tournament(
            options.game,
            options.contestants,
            games=options.games,
            db=options.db,
            seed=options.seed,
            opening_plies=None if options.opening_plies is None else (0, options.opening_plies),
            openings=options.openings,
            balanced=options.balanced,
            balanced_within=options.balanced_within,
            format=options.format,
            report=options.report,
            time_control=rules["control"],
            adjudication=rules["adjudication"],
            book_plies=options.book_plies,
            anchors=read_anchors(options.anchors),
            progress=watcher.progress,
            opened=watcher.opened,
            player=player,
        )
    if options.json:
        print_json(table.to_json())
        return 0
    print(table)
    if options.report is not None:
        print(f"report: {options.report}")
    if options.db is not None:
        print(f"games:  {options.db}")
    return 0
