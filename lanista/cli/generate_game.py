"""Generate new games from a family of rules, keep the balanced and deep ones.

Example:
    lanista generate-game --family mnk --count 50
    lanista generate-game --family breakthrough --count 20 --train-seconds 5 --games 200 --out runs/new-games --keep 3

Each variant is played by search agents and by a briefly trained network. What is measured is kept at once: the same
command on the same folder goes on, and with a greater --count measures only what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.table import Table
from tyro.conf import arg

from lanista.cli._games_bar import games_bar
from lanista.cli._printing import called, console, print_json
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.generate.ranking import Variant

WIDE, WIDEST = 130, 165  # columns from which on a terminal shows the parts, and the intervals


@dataclass(frozen=True)
class Options:
    """Which games, and how carefully they are measured."""

    family: Annotated[str, arg(metavar="NAME")]
    """The family of games: mnk, breakthrough, hex, or another file of lanista/generate/families."""
    count: Annotated[int, arg(metavar="N")] = 50
    """How many variants are proposed."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of variants, openings, games and networks."""
    games: Annotated[int, arg(metavar="N")] = 100
    """Games of each match between search agents, an even number."""
    shallow: Annotated[int, arg(metavar="P")] = 2
    """Plies that the shallow searcher looks ahead."""
    deep: Annotated[int, arg(metavar="P")] = 4
    """Plies that the deep searcher looks ahead."""
    train_seconds: Annotated[float, arg(metavar="T")] = 3.0
    """Seconds of training on each variant; 0 trains no networks."""
    keep: Annotated[int, arg(metavar="K")] = 5
    """The best so many are written as presets and shown in the report."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: runs/generated-NAME)")] = None
    """The folder of measures, report and presets."""
    json: bool = False
    """Print JSON."""


def run(options: Options) -> int:
    """Measure what is missing, rank, write the results, print the ranking."""
    if options.keep < 0:
        raise UsageError(f"--keep is 0 or more, not {options.keep}")
    from lanista.generate.proposing import propose
    from lanista.generate.record import Settings
    from lanista.generate.report import DATA, KEPT, PAGE, write_results
    from lanista.generate.run import generate

    settings = Settings(
        options.family.replace("-", "_"),
        options.seed,
        options.games,
        options.shallow,
        options.deep,
        options.train_seconds,
    )
    settings.check()
    propose(settings.family, options.count, settings.seed)  # wrong words are told before a folder is made
    folder = options.out or Path("runs") / f"generated-{settings.family}"
    with games_bar(settings.family) as told:
        variants = generate(settings, options.count, folder, progress=lambda now: told(now.done, now.total, now.doing))
    data = write_results(folder, settings, variants, options.keep)
    if options.json:
        print_json(data)
        return 0
    print_ranking(settings.family, variants)
    if options.keep and not data["kept"]:
        print("no variant has a score of more than 0, so none is kept")
    elif data["kept"]:
        print(f"kept in {folder / KEPT}; each string works wherever a game is asked for:")
        for game in data["kept"].values():
            print(f"  {game}")
        best = next(iter(data["kept"].values()))
        print(f"play the best: {called()} play --terminal --game {best} --against minimax:depth={options.deep}")
    print(f"report: {folder / PAGE}")
    print(f"data:   {folder / DATA}")
    return 0


def print_ranking(family: str, variants: Sequence[Variant]) -> None:
    """Print the table: the wider the terminal, the more of it."""
    screen = console()
    table = Table(title=f"new games of the family {family}", title_justify="left", header_style="bold", box=None)
    columns = {name: cell for name, (width, cell) in columns_of(variants).items() if screen.width >= width}
    for name in ("#", *columns):
        table.add_column(name, justify="left" if name == "game" else "right", no_wrap=True)
    for rank, variant in enumerate(variants, 1):
        table.add_row(str(rank), *(cell(variant) for cell in columns.values()))
    screen.print(table)
    screen.print("The score is the geometric mean of its parts, each at the worse end of its 95 % interval.")


def columns_of(variants: Sequence[Variant]) -> dict[str, tuple[int, Callable[[Variant], str]]]:
    """Heading -> from which width of the terminal on the column is shown, and what stands in it."""
    from lanista.generate.report import forced, percent, points

    wide = console().width >= WIDEST
    columns: dict[str, tuple[int, Callable[[Variant], str]]] = {
        "game": (0, lambda one: one.game),
        "score": (0, lambda one: f"{one.score:.2f}"),
    }
    for part in variants[0].parts:
        columns[part] = (WIDE, lambda one, part=part: f"{one.parts[part]:.2f}")  # type: ignore[misc]
    columns |= {
        "first": (0, lambda one: percent(one.search.first_seat, wide)),
        "draws": (0, lambda one: percent(one.search.draws, False)),
        "plies": (0, lambda one: f"{one.search.plies:.1f}"),
        "used": (WIDE, lambda one: f"{one.search.used:.0%}"),
        "Elo": (0, lambda one: points(one.search.depth, wide)),
    }
    if any(one.learning for one in variants):
        columns["network"] = (WIDE, lambda one: percent(one.learning.against_random, wide) if one.learning else "")
    if any(one.search.forced for one in variants):
        columns["forced"] = (WIDE, lambda one: forced(one.search.forced))
    return columns
