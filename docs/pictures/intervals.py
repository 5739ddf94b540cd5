"""The picture of the page on statistics: intervals of simulated tournaments whose truth is known.

    python docs/pictures/intervals.py docs/pictures/intervals.svg

In each tournament two contestants play 60 openings from both seats. An opening suits the one or the other, much as real
ones do, so the two games of a pair are no independent observations. Left are the ratings as the arena gives them; right
what the same model says of the same games if each is taken for a pair of its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib
import numpy as np

from lanista.arena.ratings import Pair, rate

TOURNAMENTS, PAIRS = 60, 60
STRONGER, OPENINGS = 100.0, 1000.0  # Elo: how much stronger; the deviation of what an opening is worth to who likes it
NAMES = ("stronger", "weaker")


def chance(elo: float | np.ndarray) -> np.ndarray:
    """Of a win, by how many Elo one is stronger."""
    return np.asarray(1 / (1 + 10 ** (-np.asarray(elo) / 400)))


def difference(pairs: list[Pair]) -> tuple[float, float, float]:
    """Of the two ratings, with its 95 % interval."""
    found = rate(pairs, NAMES)
    between = found.samples[:, found.names.index("stronger")] - found.samples[:, found.names.index("weaker")]
    low, high = np.quantile(between, [0.025, 0.975])
    return float(found.elo[found.names.index("stronger")] * 2), float(low), float(high)


def main(target: Path) -> None:
    """Simulate, draw, save."""
    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "lanista"  # the same file each time
    from matplotlib import pyplot

    random = np.random.default_rng(0)
    score = chance(STRONGER + random.normal(0, OPENINGS, 1_000_000)).mean()
    truth = float(400 * np.log10(score / (1 - score)))  # of games over all openings
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 4), sharey=True, layout="constrained")
    rows: list[list[tuple[float, float, float]]] = [[], []]
    for _ in range(TOURNAMENTS):
        worth = random.normal(0, OPENINGS, PAIRS)
        first = (random.random(PAIRS) < chance(STRONGER + worth)).astype(float).tolist()
        second = (random.random(PAIRS) < chance(STRONGER + worth)).astype(float).tolist()
        rows[0].append(difference([Pair(*NAMES, a, b) for a, b in zip(first, second, strict=True)]))
        apart = [Pair(*NAMES, a, None) for a in first] + [Pair(*NAMES, None, b) for b in second]
        rows[1].append(difference(apart))
    for axis, found, title in zip(axes, rows, ("by pairs", "game by game"), strict=True):
        held = sum(low <= truth <= high for _, low, high in found)
        width = np.mean([high - low for _, low, high in found])
        for number, (elo, low, high) in enumerate(found):
            colour = "#1f4e8c" if low <= truth <= high else "#d64545"
            axis.plot([number, number], [low, high], color=colour, linewidth=2)
            axis.plot(number, elo, "o", color=colour, markersize=3)
        axis.axhline(truth, color="#222", linewidth=1)
        axis.set_title(f"{title}: {held} of {TOURNAMENTS} hold the truth, {width:.0f} Elo wide", fontsize=10)
        axis.set_xlabel("tournament")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("Elo above the other, 95 % intervals")
    figure.savefig(target, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]))
