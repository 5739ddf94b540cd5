"""Search for settings: many short runs, the worse ones stopped early or made to go on from the better ones.

Example:
    lanista tune connect_four --space docs/tune/asha.toml --out runs/search
    lanista tune --resume runs/search
    lanista train connect_four --config runs/search/best.toml --minutes 30

Trials are ordinary runs in the folder `trials`, for lanista runs and lanista plot.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text
from tyro.conf import Positional, arg

import lanista
from lanista.cli._printing import called, console, print_json
from lanista.errors import UsageError

if TYPE_CHECKING:
    from lanista.training.tune.records import Trial
    from lanista.training.tune.search import Search, SearchProgress
    from lanista.training.tune.space import Value

INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """What to search."""

    game: Annotated[Positional[str], arg(metavar="GAME", help_behavior_hint="")] = ""
    """The game, such as connect_four. Not with --resume."""
    space: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """A TOML file: scheduler, metric, samples, minutes or steps of each trial, fixed settings, and the space."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: runs/tune-GAME-TIME)")] = None
    """The search's new folder."""
    resume: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Go on with this search's folder; trials that are over are not repeated."""
    parallel: Annotated[int, arg(metavar="N", help_behavior_hint="(default: one a core)")] = 0
    """Trials that train at once."""
    json: bool = False
    """Print the result as JSON on standard output; progress goes to standard error."""


def run(options: Options) -> int:
    """Search, show how it goes, say what was found."""
    check(options)
    from lanista.training.tune.search import create_search, open_search, run_search

    if options.resume is not None:
        search = open_search(options.resume)
    else:
        assert options.space is not None
        search = create_search(
            options.out or lanista.new_run_folder(f"tune-{options.game}"), options.game, options.space
        )
    with SearchView(search).shown() as view:
        search = run_search(search, parallel=options.parallel, report=view.report)
    if options.json:
        print_json(search_json(search))
    else:
        console().print(table(search))
    if search.interrupted or not options.json:
        print(closing_lines(search), file=sys.stderr if options.json else sys.stdout)
    if search.interrupted:
        return INTERRUPTED
    return 0 if search.ranking[0].score is not None else 1


def check(options: Options) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: they do not.
    """
    if options.parallel < 0:
        raise UsageError(f"--parallel is at least 1, not {options.parallel}")
    if options.resume is not None:
        for name, value in {"GAME": options.game, "--space": options.space, "--out": options.out}.items():
            if value:
                raise UsageError(f"--resume goes on with the search as it began: {name} is for a new one")
    elif not options.game:
        raise UsageError("say for which game, as in 'lanista tune connect_four --space docs/tune/asha.toml'")
    elif options.space is None:
        raise UsageError(f"say what to search, as in 'lanista tune {options.game} --space docs/tune/asha.toml'")


class SearchView:
    """Shows how a search stands: a bar on a terminal; elsewhere a line whenever a trial ends."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.console = console(errors=True)  # standard output is for the result
        self.bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:.0f}%"),
            TimeElapsedColumn(), console=self.console,
        )  # fmt: skip
        self.task = self.bar.add_task(f"{search.game}: starting", total=1.0)

    @contextmanager
    def shown(self) -> Iterator[SearchView]:
        """Show it while the search goes on."""
        if not self.console.is_terminal:
            yield self
            return
        with self.bar:
            yield self

    def report(self, progress: SearchProgress) -> None:
        """Show how the search stands now."""
        self.bar.update(self.task, description=f"{self.search.game}: {self._words(progress)}", completed=progress.share)
        if not self.console.is_terminal and progress.ended is not None:
            ended = progress.ended
            score = "" if ended.score is None else f" at {score_words(self.search.plan.metric, ended.score)}"
            reason = f" ({ended.error})" if ended.error else ""
            self.console.print(f"trial {ended.number:03d} {ended.state}{score}{reason}; {self._words(progress)}")

    def _words(self, progress: SearchProgress) -> str:
        states = [trial.state for trial in progress.trials]
        counts = {state: states.count(state) for state in ("done", "stopped early", "failed", "running")}
        said = [f"{count} {state}" for state, count in counts.items() if count]
        said = [f"{len(states)} trials", *said]
        if progress.best is not None and progress.best.score is not None:
            best = score_words(self.search.plan.metric, progress.best.score)
            said.append(f"best {best} ({progress.best.number:03d})")
        return ", ".join(said)


def table(search: Search) -> Table:
    """The trials from the best to the worst, for people."""
    shown = Table(box=None, pad_edge=False, title=f"settings for {search.game}", title_justify="left")
    for heading in ("trial", "state"):
        shown.add_column(heading, no_wrap=True)
    for heading in (search.plan.metric, "steps", *search.plan.space):
        shown.add_column(heading, justify="right", overflow="fold")
    for trial in search.ranking:
        steps = f"{trial.rows[-1]['steps']:,.0f}" if trial.rows else ""
        score = "" if trial.score is None else score_words(search.plan.metric, trial.score)
        cells = [f"{trial.number:03d}", trial.state, score, steps]
        shown.add_row(*map(Text, [*cells, *(value_words(trial.values[name]) for name in search.plan.space)]))
    return shown


def score_words(metric: str, score: float) -> str:
    """A score as its metric is written."""
    return {"rating": f"{score:+.0f} Elo", "points": f"{score:.1%}"}.get(metric, f"{score:.4g}")


def value_words(value: Value) -> str:
    """A setting's value, shortened."""
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def closing_lines(search: Search) -> str:
    """What is said at the end: what failed, what was found and where it lies."""
    folder = shlex.quote(str(search.folder))
    lines = [f"trial {one.number:03d} failed: {one.error}" for one in search.trials if one.error]
    if search.interrupted:
        return "\n".join([*lines, f"stopped. Go on with:\n  {called()} tune --resume {folder}"])
    best = search.ranking[0]
    if best.score is None:
        return "\n".join([*lines, "no trial was measured, so there is no best one"])
    game = shlex.quote(search.game)
    return "\n".join(
        [
            *lines,
            f"best: trial {best.number:03d}, its run is {search.run_folder(best)}",
            f"  train with its settings:  {called()} train {game} --config {folder}/best.toml --minutes 10",
            f"  all curves:               {called()} plot {folder}/trials/*",
            f"  picture:                  {folder}/tune.svg",
        ]
    )


def search_json(search: Search) -> dict[str, object]:
    """A search for a script."""
    best: Trial = search.ranking[0]
    return {
        "search": str(search.folder),
        "game": search.game,
        "scheduler": search.plan.scheduler,
        "metric": search.plan.metric,
        "interrupted": search.interrupted,
        "best": None if best.score is None else best.number,
        "trials": [asdict(trial) | {"run": str(search.run_folder(trial))} for trial in search.trials],
    }
