"""The payoff matrix of a run's league as a picture: who takes which share of the points of whom."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lanista import plots
from lanista.errors import UsageError
from lanista.files import read_json, read_toml
from lanista.training.league import LEARNER, MATRIX, Numbers, payoffs_from

LEGIBLE = 16  # players up to which each cell says its share


@dataclass(frozen=True)
class Payoffs:
    """A payoff matrix to be drawn.

    Attributes:
        title: of which run, at which checkpoint.
        names: the learner, fixed opponents, past selves by their steps, exploiters by their names.
        games: (p, p) how many games each row played against each column.
        shares: (p, p) the row's share of their points; NaN without games.
    """

    title: str
    names: tuple[str, ...]
    games: Numbers
    shares: Numbers


def read_payoffs(folder: Path) -> Payoffs:
    """The payoff matrix of a run's newest checkpoint, or of the checkpoint that the folder is.

    Raises:
        UsageError: it is no run, the run has no league or kept no checkpoint yet, or the matrix is damaged.
    """
    run = folder if (folder / "config.toml").is_file() else folder.parent.parent
    if not (run / "config.toml").is_file():
        raise UsageError(f"{folder} is no run and no checkpoint of one: it holds no config.toml")
    checkpoint = folder
    if run == folder:
        kept = [path for path in (folder / "checkpoints").glob("*") if path.name.isdecimal()]
        if not kept:
            raise UsageError(f"{folder} has kept no checkpoint yet, and so no payoff matrix")
        checkpoint = max(kept, key=lambda path: int(path.name))
    if not (checkpoint / MATRIX).is_file():
        raise UsageError(f"{run} has no league; train one with --set league_size=8")
    try:
        members, games, points = payoffs_from(read_json(checkpoint / MATRIX, "checkpoint of a league"))
        names = tuple(f"{int(member.name):,} steps" if member.past_self else member.name for member in members)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{checkpoint / MATRIX} is damaged: {error}") from None
    with np.errstate(invalid="ignore"):
        shares = np.where(games > 0, points / games, np.nan)
    game = read_toml(run / "config.toml").get("game")
    title = f"{game}: the league of {run.name} after {int(checkpoint.name):,} steps"
    return Payoffs(title, (LEARNER, *names), games, shares)


@plots.drawing()
def draw_payoffs(payoffs: Payoffs, out: Path) -> None:
    """Write the matrix as the picture that the file's ending names; a cell without games stays grey."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import PercentFormatter

    count = len(payoffs.names)
    side = max(3.2, 0.62 * min(count, LEGIBLE) + 1.2)
    figure, panel = pyplot.subplots(figsize=(side + 2.6, side + 1.2), layout="constrained")
    colours = matplotlib.colormaps["RdBu"].with_extremes(bad="#e4e4e4")
    image = panel.imshow(payoffs.shares, cmap=colours, vmin=0, vmax=1)
    if count <= LEGIBLE:
        for row, column in zip(*np.nonzero(payoffs.games > 0), strict=True):
            share = payoffs.shares[row, column]
            ink = "white" if abs(share - 0.5) > 0.3 else "black"
            panel.text(column, row, f"{share:.0%}", ha="center", va="center", color=ink, fontsize=9)
    panel.set_xticks(range(count), payoffs.names, rotation=40, ha="right", rotation_mode="anchor", fontsize=9)
    panel.set_yticks(range(count), payoffs.names, fontsize=9)
    panel.set_xticks(np.arange(count - 1) + 0.5, minor=True)
    panel.set_yticks(np.arange(count - 1) + 0.5, minor=True)
    panel.grid(which="minor", color="white", linewidth=1.5)
    panel.tick_params(which="both", length=0)
    panel.spines[:].set_visible(False)
    panel.set_ylabel("who takes")
    panel.set_xlabel("of whom")
    figure.colorbar(image, ax=panel, shrink=0.8, format=PercentFormatter(1.0), label="share of the points")
    figure.suptitle(payoffs.title, fontsize=11)
    figure.savefig(out, format=out.suffix.removeprefix("."), dpi=150)
    pyplot.close(figure)
