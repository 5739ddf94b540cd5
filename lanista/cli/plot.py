"""Draw the curves of runs; seeds of the same settings become one line with a band.

Example:
    lanista plot runs/first runs/second --out curves.svg
    lanista plot runs/first --metrics entropy value_loss --by minutes
    lanista plot runs/first --payoff --out payoff.svg
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from lanista.errors import UsageError
from lanista.files import claim_file, drafted


@dataclass(frozen=True)
class Options:
    """Which runs, and what of them."""

    runs: Annotated[Positional[tuple[Path, ...]], arg(metavar="RUN")]
    """Folders of training runs; they may still be training."""
    out: Annotated[Path, arg(metavar="FILE")] = Path("curves.svg")
    """The picture, .svg or .png."""
    metrics: Annotated[tuple[str, ...], arg(metavar="NAME")] = ()
    """What to draw, by its name in metrics.jsonl; without any, scores against anchors and exploitability; else the
    share of games that were done, and the returns."""
    by: Literal["steps", "minutes"] = "steps"
    """Along what."""
    payoff: bool = False
    """Draw the payoff matrix of one run's league instead, or of one of its checkpoints."""


def run(options: Options) -> int:
    """Draw the picture."""
    if not options.runs:
        raise UsageError("name the runs to draw, as in 'lanista plot runs/first'")
    if options.out.suffix not in (".svg", ".png"):
        raise UsageError(f"--out ends in .svg or .png, not '{options.out.name}'")
    if options.payoff:
        return _payoff(options)
    from lanista.training.curves import draw, metrics_of, read_groups

    game, groups = read_groups(options.runs)
    metrics = metrics_of(groups, options.metrics)
    claim_file(options.out)
    with drafted(options.out) as draft:
        draw(game, groups, metrics, options.by, draft)
    print(f"{options.out}: {', '.join(metrics)} of {len(groups)} setting{'s' * (len(groups) != 1)}")
    return 0


def _payoff(options: Options) -> int:
    """Draw who takes which share of the points of whom."""
    if len(options.runs) != 1 or options.metrics or options.by != "steps":
        raise UsageError("--payoff draws the league of one run, without --metrics and --by")
    from lanista.training.payoff_picture import draw_payoffs, read_payoffs

    payoffs = read_payoffs(options.runs[0])
    claim_file(options.out)
    with drafted(options.out) as draft:
        draw_payoffs(payoffs, draft)
    print(f"{options.out}: {payoffs.title}, {len(payoffs.names) - 1} members")
    return 0
