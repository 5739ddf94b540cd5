"""Train Connect Four for two minutes, rank the agent, write a report.

Example:
    lanista demo
    lanista demo --minutes 10 --out runs/longer

The new agent meets its own early checkpoint, random play and minimax in a round robin.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Annotated

from tyro.conf import arg

import lanista
from lanista.cli._printing import called
from lanista.errors import UsageError

GAME = "connect_four"
OPPONENTS = ("random", "minimax:depth=1", "minimax:depth=3")
INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """How long, and where."""

    minutes: Annotated[float, arg(metavar="M")] = 2.0
    """Minutes of training."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: runs/demo, or runs/demo-2, ...)")] = (
        None
    )
    """The run's new folder; tournament and report are put there too."""
    games: Annotated[int, arg(metavar="N")] = 100
    """Games of each two contestants."""
    seed: Annotated[int, arg(metavar="S")] = 0
    """Of everything random."""


def run(options: Options) -> int:
    """Train, rank, report."""
    if options.minutes <= 0:
        raise UsageError(f"--minutes must be more than 0, not {options.minutes:g}")
    if options.games < 2 or options.games % 2:
        raise UsageError(f"--games must be even, since each opening is played from both seats, not {options.games}")
    from lanista.cli._games_bar import games_bar
    from lanista.cli._training import TrainingView, closing_lines

    folder = options.out or free_folder(Path("runs/demo"))
    print(f"training {GAME} for {options.minutes:g} minutes in {folder}; Ctrl-C stops and keeps what was learned")
    with TrainingView(GAME).shown() as view:
        trained = lanista.train(GAME, minutes=options.minutes, out=folder, seed=options.seed, report=view.report)
    if trained.interrupted:
        print(closing_lines(trained))
        return INTERRUPTED
    print(closing_lines(trained).partition("\n")[0])
    early = [str(path) for path in trained.checkpoints()[:1] if len(trained.checkpoints()) > 1]
    report = folder / "report.html"
    with games_bar(GAME) as told:
        table = lanista.tournament(
            GAME,
            [trained.agent, *early, *OPPONENTS],
            games=options.games,
            db=folder / "tournament.sqlite",
            seed=options.seed,
            report=report,
            progress=told,
        )
    print(f"\n{table}\n")
    print(f"report:           {report}")
    print(f"play against it:  {called()} play --terminal --game {GAME} --against {shlex.quote(str(folder))}")
    return 0


def free_folder(wanted: Path) -> Path:
    """The folder, or if it is there already the first free one with a number behind its name."""
    names = (wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}") for number in count(1))
    return next(folder for folder in names if not folder.exists())
