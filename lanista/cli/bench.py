"""Measure each claim of speed and strength side by side with its peer.

The sides work in turn on one core, a slice each; ratios are of CPU time, with intervals. Peers that pin other versions
are installed once into an environment of their own; one that cannot be installed is shown as not measured.

All rows together take hours, single ones mostly two to ten minutes. The core is the last that the command may use:
taskset chooses. With --quick all together take minutes, once the peers are installed: a row on each core at once.

Example:
    lanista bench
    lanista bench stepping start --quick
    lanista bench --json bench.json --markdown bench.md --plots pictures
    lanista bench stepping training --json docs/bench.json --readme README.md
    lanista bench strength --agent runs/x --plots pictures
    lanista bench perception --encoders runs/bench
    lanista bench transfer --encoders runs/bench
    lanista bench transfer --encoders runs/bench --levels GoToLocalS5N2 --ways pixels "pixels, pretrained and frozen"
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from lanista.errors import UsageError


@dataclass(frozen=True)
class Options:
    """What to measure."""

    rows: Annotated[Positional[tuple[str, ...]], arg(metavar="[ROW ...]")] = ()
    """Rows to measure; none is all: strength only with --agent, perception and transfer only with --encoders."""
    quick: bool = False
    """Fewer and shorter slices of smaller things, all rows in minutes: a look, no result."""
    agent: str = ""
    """Who is measured by the row strength: an agent, or a run, of which the curve is shown too."""
    encoders: Path | None = None
    """Where the runs of the rows perception and transfer lie. Those that are not done are trained: hours."""
    levels: Annotated[tuple[str, ...], arg(metavar="LEVEL ...", help_behavior_hint="(default: all)")] = ()
    """Levels of BabyAI that the row transfer measures."""
    ways: Annotated[tuple[str, ...], arg(metavar="WAY ...", help_behavior_hint="(default: all)")] = ()
    """The ways to show them that it measures, by their names in its table."""
    steps: int = 0
    """Steps after which the row transfer gives a run up that has not learnt; 0 is 2,000,000. The same command with more
    goes on with it."""
    json: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write all figures, each slice included, to this file. Rows that it has and that are not measured anew stay."""
    markdown: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Write the tables to this file as well."""
    readme: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """Put a line a claim, of all rows of --json, between this file's lines <!-- bench --> and <!-- /bench -->."""
    plots: Annotated[Path | None, arg(metavar="FOLDER", help_behavior_hint="")] = None
    """Draw a picture of each row here, an SVG."""


def run(options: Options) -> int:
    """Measure, print, write."""
    from lanista.bench.run import Targets, bench

    if not sys.platform.startswith("linux"):
        raise UsageError("the bench binds processes to a core and reads their CPU time from /proc: it needs Linux")
    return bench(
        options.rows,
        options.quick,
        options.agent,
        options.encoders,
        Targets(options.json, options.markdown, options.readme, options.plots),
        options.levels,
        options.ways,
        options.steps,
    )
