"""Judge a stored game move by move: each side's chances, the blunders, and what was better.

Example:
    lanista analyse t.sqlite 3
    lanista analyse t.sqlite 3 --by minimax:depth=8 --picture game.svg
    lanista analyse t.sqlite 3 --report t.html
    lanista analyse t.sqlite 3 --by "runs/first?simulations=200" --blunder 0.1 --json

A chance is the expected share of the points: a win is 1, a draw a half. `lanista export-games` numbers the games.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.agents.contestant import load_agent
from lanista.arena.analysis import Analysis, Judgement, analyse, draw
from lanista.arena.report import Analysed, write_report
from lanista.arena.store import Store
from lanista.cli._printing import print_json
from lanista.cli.play import usual_opponent
from lanista.envs import make
from lanista.errors import UsageError
from lanista.files import claim_file, drafted


@dataclass(frozen=True)
class Options:
    """Which game, and who judges it."""

    db: Annotated[Positional[Path], arg(metavar="DB")]
    """The store that `lanista tournament --db` wrote."""
    game: Annotated[Positional[int], arg(metavar="GAME")]
    """The game's number in the store."""
    by: Annotated[
        str, arg(metavar="AGENT", help_behavior_hint="(default: the one that comes with Lanista, or a search)")
    ] = ""
    """Who judges; it must tell values of positions."""
    blunder: Annotated[float, arg(metavar="SHARE")] = 0.2
    """What a blunder costs at least, as a share of the points."""
    picture: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Draw the chances over the game (.svg, .png)."""
    report: Annotated[Path | None, arg(metavar="FILE.html", help_behavior_hint="")] = None
    """Write the tournament's report, with this game and those worth seeing judged in it."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of the agent's chance."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Judge the game and say what was found."""
    form = "" if options.picture is None else options.picture.suffix.removeprefix(".")
    if options.picture is not None and form not in ("svg", "png"):
        raise UsageError(f"--picture ends in .svg or .png, not '{options.picture.name}'")
    if options.report is not None:
        claim_file(options.report, beside=options.db)
    if options.picture is not None:
        claim_file(options.picture, beside=options.db)
    with Store(options.db, write=False) as store:
        game, stored = store.game_string(), store.game(options.game)
        agent = load_agent(options.by) if options.by else usual_opponent(make(game).spec)
        found = analyse(game, options.game, stored, agent, bound=options.blunder, seed=options.seed)
        if options.report is not None:
            write_report(store, options.report, judge=agent, featured=[Analysed(stored, found)])
    if options.picture is not None:
        with drafted(options.picture) as draft:
            draw(found, draft, form)
    if options.json:
        print_json(found.to_json())
        return 0
    print(told(found))
    if options.picture is not None:
        print(f"picture: {options.picture}")
    if options.report is not None:
        print(f"report: {options.report}")
    return 0


def told(found: Analysis) -> str:
    """The analysis for people."""
    first, second = found.players
    lines = [f"{found.game}, game {found.number}: {first} against {second}, judged by {found.by}"]
    width = max(len(move.move) for move in found.moves)
    lines.append(f" ply  {'move':{width + 2}}  {first}'s chance")
    for move in found.moves:
        sign = "  opening" if move.opening else f"  {_words(move)}" if move.blunder else ""
        indent = "  " * move.player
        lines.append(f"{move.ply:4d}  {indent + move.move:{width + 2}}  {found.chances[move.ply]:6.1%}{sign}".rstrip())
    words = {1.0: f"{first} won", 0.5: "a draw", 0.0: f"{second} won"}[found.points]
    lines.append(f"{words}{'' if found.reason == 'end' else f' ({found.reason})'}")
    for player, name in enumerate(found.players):
        count = sum(move.player == player for move in found.blunders)
        lines.append(
            f"{name}: {count} blunder{'s' * (count != 1)}; a move cost {found.mean_loss(player):.1%} on average"
        )
    return "\n".join(lines)


def _words(move: Judgement) -> str:
    better = ", ".join(f"{each.move} {each.chance:.0%}" for each in move.alternatives)
    return f"blunder: {move.before:.0%} to {move.after:.0%} for its player; better: {better}"
