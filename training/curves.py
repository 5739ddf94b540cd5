"""Curves of runs as a picture: seeds of one setting as their mean with a band, everything else a line of its own."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lanista import plots
from lanista.agents.run_records import LAST_GAMES, Row, is_score, read_rows, values_of
from lanista.envs.core import Array
from lanista.errors import UsageError
from lanista.files import read_toml

# Okabe and Ito's colours, told apart by colour-blind eyes; their yellow is left out, too pale on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
STYLES = ("-", "--", ":", "-.")
NO_CURVES = ("steps", "updates", "seconds")
UNITS = {"nash_conv": "what best responses gain (0: equilibrium)", "entropy": "entropy, nats",
         "rating": "Elo above random", "success": "share of the games", "first_player_return": "return of a game",
         "steps_a_second": "steps/s", "game_length": "plies a game"}  # fmt: skip

TITLES = {
    "rating": "rating on the anchors' scale",
    "success": f"games with a return above 0, of the last {LAST_GAMES}",
    "first_player_return": f"return of the first player, mean of the last {LAST_GAMES} games",
    "game_length": f"length, mean of the last {LAST_GAMES} games",
}
SIGNS_AN_INCH = 10  # of a picture's title


@dataclass(frozen=True)
class Group:
    """Runs that differ in nothing but their seed.

    Attributes:
        label: what sets it apart from the other groups.
        runs: the rows of each run's `metrics.jsonl`.
    """

    label: str
    runs: tuple[tuple[Row, ...], ...]


def read_groups(folders: Sequence[Path]) -> tuple[str, list[Group]]:
    """Read runs and group those that differ by their seed alone.

    Returns:
        What they all play, and the groups in the order of their first run.

    Raises:
        UsageError: a folder holds no run, or one without a curve yet.
    """
    found: dict[str, tuple[dict[str, Any], list[tuple[Row, ...]], Path]] = {}
    for folder in dict.fromkeys(folders):
        if not (folder / "config.toml").is_file():
            raise UsageError(f"{folder} is no run: it holds no config.toml")
        config = read_toml(folder / "config.toml")
        config.pop("seed", None)
        rows = read_rows(folder)
        if not rows:
            raise UsageError(f"{folder} has written no curve yet")
        found.setdefault(json.dumps(config, sort_keys=True, default=str), (config, [], folder))[1].append(tuple(rows))
    configs = [config for config, _, _ in found.values()]
    names = dict.fromkeys(name for config in configs for name in config)
    differ = [name for name in names if len({str(config.get(name)) for config in configs}) > 1]
    groups = []
    for config, runs, folder in found.values():
        words = ", ".join(f"{name}={config.get(name, 'default')}" for name in differ) or folder.name
        groups.append(Group(f"{words} ({len(runs)} seeds)" if len(runs) > 1 else words, tuple(runs)))
    return " and ".join(dict.fromkeys(str(config.get("game")) for config in configs)), groups


def metrics_of(groups: Sequence[Group], wanted: Sequence[str]) -> list[str]:
    """The metrics to draw: those asked for; else scores and exploitability; else the games' successes and returns.

    Raises:
        UsageError: no run has one that was asked for; the nearest is named.
    """
    known = dict.fromkeys(n for group in groups for run in group.runs for row in run for n in row if n not in NO_CURVES)
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise UsageError(f"no run has the metric '{name}'; {hint}")
    chosen = list(dict.fromkeys(wanted)) or [name for name in known if is_score(name)]
    return chosen or [name for name in known if "success" in name or "return" in name] or list(known)[:1]


def mean_and_spread(group: Group, metric: str, by: str) -> tuple[Array, Array, Array, Array]:
    """A group's curve where all its runs have one, each run's points joined by straight lines.

    Args:
        group: the runs.
        metric: its name in the rows. A score stands in each row until it is measured again: level, then a jump. What
            is of games is the mean of the last games.
        by: "steps" or "minutes".

    Returns:
        Where, the mean, the least and the greatest of the runs there; all of one length, 0 if no run has the metric.
    """
    curves = []
    for run in group.runs:
        rows = [row for row in run if metric in row]
        if rows:
            x = np.array([row["steps"] if by == "steps" else row["seconds"] / 60 for row in rows])
            curves.append((x, values_of(rows, metric)))
    if not curves:
        return (np.zeros(0),) * 4
    low, high = max(x[0] for x, _ in curves), min(x[-1] for x, _ in curves)
    where = np.unique(np.concatenate([x for x, _ in curves]))
    where = where[(where >= low) & (where <= high)]
    values = np.array([np.interp(where, x, y) for x, y in curves])
    return where, values.mean(axis=0), values.min(axis=0), values.max(axis=0)


@plots.drawing()
def draw(game: str, groups: Sequence[Group], metrics: Sequence[str], by: str, out: Path) -> None:
    """Write the curves, one panel a metric, as the picture that the file's ending names."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from matplotlib.ticker import EngFormatter, PercentFormatter

    columns = min(len(metrics), 2)
    lines = -(-len(metrics) // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(5.2 * columns + 0.6, 3.4 * lines + 0.5 + 0.25 * len(groups)), squeeze=False,
        layout="constrained",
    )  # fmt: skip
    for panel, metric in zip(axes.flat, metrics, strict=False):
        for number, group in enumerate(groups):
            where, mean, low, high = mean_and_spread(group, metric, by)
            colour, style = COLOURS[number % len(COLOURS)], STYLES[number // len(COLOURS) % len(STYLES)]
            mark = "o" if len(where) < 40 else ""
            panel.plot(where, mean, style, color=colour, label=group.label, marker=mark, markersize=3, linewidth=1.8)
            if len(group.runs) > 1:
                panel.fill_between(where, low, high, color=colour, alpha=0.18, linewidth=0)
            elif metric == "rating" and {"rating_low", "rating_high"} <= group.runs[0][-1].keys():
                low, high = (mean_and_spread(group, f"rating_{end}", by)[1] for end in ("low", "high"))
                panel.fill_between(where, low, high, color=colour, alpha=0.18, linewidth=0)
        anchor = metric.removeprefix("score/")
        title = f"points against {anchor}" if anchor != metric else TITLES.get(metric, metric)
        panel.set_title(title, fontsize=11)
        panel.set_ylabel("share of the points" if anchor != metric else UNITS.get(metric, metric))
        if anchor != metric or metric == "success":
            panel.yaxis.set_major_formatter(PercentFormatter(1.0))
        if anchor != metric:
            panel.axhline(0.5, color="#999999", linewidth=0.8, zorder=0)
        panel.set_xlabel("moves learned from" if by == "steps" else "minutes of training")
        if by == "steps":
            panel.xaxis.set_major_formatter(EngFormatter(sep=" "))
        panel.grid(alpha=0.25)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in list(axes.flat)[len(metrics) :]:
        panel.set_visible(False)
    several = any(len(group.runs) > 1 for group in groups)
    title = f"Training on {game}" + (": mean of the seeds, band from least to greatest" if several else "")
    width = int(SIGNS_AN_INCH * figure.get_figwidth())
    figure.suptitle(textwrap.fill(title, width, break_on_hyphens=False))
    if len(groups) > 1 or several:
        handles, labels = axes.flat[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", frameon=False, fontsize=9)
    figure.savefig(out, format=out.suffix.removeprefix("."), dpi=150)
    pyplot.close(figure)
