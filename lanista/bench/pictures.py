"""A picture of a row: its sides and ratios as bars with their intervals, its curves on logarithmic axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from lanista import plots
from lanista.bench.claims import Interval, Verdict, median_interval
from lanista.bench.growth import Growth, duration
from lanista.bench.results import Row, figure

if TYPE_CHECKING:  # drawing is asked for rarely, and takes a second to import
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

OURS, PEERS, UNMET, INTERVAL, ASKED = "#1f4e8c", "#a3adb8", "#d64545", "#20262d", "#e69a00"
ACROSS = 3  # panels of curves
LONGEST = 60  # characters of a line of a bar's name


@dataclass(frozen=True)
class Bar:
    """A value in a picture.

    Attributes:
        name: beside the bar.
        value: its median and interval.
        colour: of the bar.
        asked: what it should have been; a mark stands there.
    """

    name: str
    value: Interval
    colour: str
    asked: float | None = None


def is_drawn(row: Row) -> bool:
    """Whether anything was measured that could be drawn."""
    return bool(row.curves or panels_of(row))


def draw(row: Row, path: Path) -> None:
    """Draw a row; the same figures give the same file.

    Args:
        row: one that `is_drawn`.
        path: the file, .svg or .png.
    """
    panels = panels_of(row)
    with plots.drawing(font__size=9):
        picture = curves(row.curves) if row.curves else bars(panels)
        dotted = "; dotted: proportional to the size" if row.curves else ""
        picture.suptitle(f"lanista bench {row.id}{dotted}", fontsize=11, x=0.01, horizontalalignment="left")
        picture.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)


def panels_of(row: Row) -> dict[str, list[Bar]]:
    """What is drawn as bars: an axis' words -> its bars. The sides first, then each unit of the claims."""
    panels: dict[str, list[Bar]] = {}
    sides = [lane for lane in row.lanes if lane.slices]
    if sides:
        panels[f"{row.unit} a CPU second"] = [
            Bar(lane.side.name, median_interval([piece.rate for piece in lane.slices]), colour_of(lane.side.ours))
            for lane in sides
        ]
    for verdict in row.verdicts:
        unit = verdict.claim.unit
        drawn = verdict.claim.detail or (sides and unit in ("steps/s", "games/s"))  # these are the sides' own
        if verdict.found is not None and not drawn:
            words = {"x": "ratio", "s": "seconds", "%": "%", "": "value", "/s": "a second"}.get(unit, unit)
            panels.setdefault(words, []).append(bar_of(verdict, verdict.found))
    return panels


def bar_of(verdict: Verdict, found: Interval) -> Bar:
    """A claim as a bar; shares are shown in per cent."""
    claim = verdict.claim
    asked = claim.least if claim.most is None else claim.most
    if claim.unit == "%":
        found = Interval(100 * found.median, 100 * found.low, 100 * found.high, found.confidence)
        asked = None if asked is None else 100 * asked
    return Bar(claim.text, found, UNMET if verdict.met is False else OURS, asked)


def colour_of(ours: bool) -> str:
    """A side's colour."""
    return OURS if ours else PEERS


def bars(panels: dict[str, list[Bar]]) -> Figure:
    """A panel below the other, each as high as it has bars."""
    from matplotlib.figure import Figure

    heights = [0.9 + 0.28 * len(found) for found in panels.values()]
    picture = Figure(figsize=(9, 0.5 + sum(heights)), layout="constrained")
    spots = picture.subplots(len(panels), squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (words, found) in zip(spots, panels.items(), strict=True):
        panel(axes, found, words)
    return picture


def panel(axes: Axes, found: Sequence[Bar], words: str) -> None:
    """Bars from top to bottom; values of several orders of magnitude get a logarithmic axis."""
    values = [bar.value for bar in found]
    smallest, largest = min(value.low for value in values), max(value.high for value in values)
    logarithmic = smallest > 0 and (words == "ratio" or largest > 20 * smallest)
    places = range(len(found))
    # Ratios begin at 1, where both sides are alike; other bars on a logarithmic axis have no natural begin.
    left = 1.0 if words == "ratio" and logarithmic else smallest / 3 if logarithmic else 0.0
    axes.barh(places, [value.median - left for value in values], left=left, height=0.6,
              color=[bar.colour for bar in found])  # fmt: skip
    errors = [[value.median - value.low for value in values], [value.high - value.median for value in values]]
    axes.errorbar([value.median for value in values], places, xerr=errors, fmt="none", ecolor=INTERVAL, capsize=2)
    for place, bar in zip(places, found, strict=True):
        axes.annotate(figure(bar.value.median, ""), (max(bar.value.high, left), place), (5, 0),
                      textcoords="offset points", va="center")  # fmt: skip
        if bar.asked is not None:
            axes.plot([bar.asked] * 2, [place - 0.4, place + 0.4], color=ASKED, linewidth=2.5)
    axes.margins(x=0.12)
    if logarithmic:
        axes.set_xscale("log")
        near = largest < 10 * smallest  # no power of ten need lie between, so that the marks between them are named
        axes.xaxis.set_minor_formatter((lambda value, _: figure(value, "")) if near else "")
    axes.xaxis.set_major_formatter(lambda value, _: figure(value, ""))
    axes.set_yticks(places, [fill(bar.name, LONGEST) for bar in found])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(words + ("; yellow: what was asked" if any(bar.asked is not None for bar in found) else ""))
    plain(axes)
    axes.grid(visible=False, axis="y")


def curves(found: Sequence[Growth]) -> Figure:
    """A panel a curve, with the line of its slope and one that is proportional to the size."""
    from matplotlib.figure import Figure

    across = min(ACROSS, len(found))
    down = -(-len(found) // across)
    picture = Figure(figsize=(0.5 + 3.2 * across, 0.5 + 2.9 * down), layout="constrained")
    spots = picture.subplots(down, across, squeeze=False).ravel()
    for axes, growth in zip(spots, found, strict=False):
        curve(axes, growth)
    for axes in spots[len(found) :]:
        axes.set_visible(False)
    return picture


def curve(axes: Axes, growth: Growth) -> None:
    """Medians with intervals, and what would be proportional from the largest size down."""
    from matplotlib.ticker import LogLocator

    medians = [cost.median for cost in growth.costs]
    errors = [[cost.median - cost.low for cost in growth.costs], [cost.high - cost.median for cost in growth.costs]]
    too_steep = growth.most is not None and growth.end.median > growth.most
    colour = UNMET if too_steep else OURS
    axes.errorbar(growth.sizes, medians, yerr=errors, marker="o", markersize=4, color=colour, ecolor=INTERVAL)
    last, top = growth.sizes[-1], medians[-1]
    axes.plot(growth.sizes, [top * size / last for size in growth.sizes], linestyle=":", color=PEERS)
    axes.set(xscale="log", yscale="log", xlabel=growth.size, ylabel=f"CPU time {growth.cost}")
    lowest, highest = min(cost.low for cost in growth.costs), max(cost.high for cost in growth.costs)
    axes.set_ylim(lowest / 1.5, highest * 1.5)  # of what was measured; the dotted line may leave it
    # Few powers of ten: what lies between them is named too.
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if highest < 100 * lowest else (1,)))
    axes.yaxis.set_major_formatter(lambda value, _: duration(value))
    axes.yaxis.set_minor_formatter("")
    axes.set_xticks(growth.sizes, [figure(size, "") for size in growth.sizes])
    axes.xaxis.set_minor_formatter("")
    asked = "" if growth.most is None else f" (≤ {growth.most:g})"
    slope = f"slope at the large end {growth.end.median:.2f}{asked}"
    axes.set_title(f"{growth.name}\n{slope}", fontsize=9, loc="left", color=colour)
    plain(axes)


def plain(axes: Axes) -> None:
    """A quiet frame."""
    axes.grid(alpha=0.25)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
