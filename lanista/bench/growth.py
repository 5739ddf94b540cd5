"""How a cost grows with a size: the same work at several sizes, and its slope on logarithmic axes.

A cost that is proportional to size**k is a straight line of slope k there. What is spent once, whatever the size, makes
the line flat at its small end, so a slope over all sizes flatters: what is claimed is the slope at the large end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import linear_regression

from lanista.bench.claims import Claim, Interval, Verdict, decided, median_interval
from lanista.bench.race import Lane, Plan, Side, Slice, race


@dataclass(frozen=True)
class Curve:
    """What is measured at several sizes.

    Attributes:
        name: what grows, in words.
        size: of what the sizes are numbers, in words.
        cost: the cost of a size, in words.
        side: size -> the side that works at it.
        sizes: rising.
        piecewise: a side counts so many steps as its size when it has worked through it once.
        most: what the slope at the large end may be; None leaves it open.
    """

    name: str
    size: str
    cost: str
    side: Callable[[int], Side]
    sizes: Sequence[int]
    piecewise: bool = True
    most: float | None = None

    def cost_of(self, size: int, piece: Slice) -> float:
        """CPU seconds of a size, by one slice."""
        return (size if self.piecewise else 1) / piece.rate


@dataclass(frozen=True)
class Growth:
    """What was measured of a curve.

    Attributes:
        name, size, cost: the curve's.
        sizes: those that could be measured.
        costs: of each, CPU seconds.
        slope: over all sizes, by least squares of the logarithms.
        end: between the two largest.
        most: what `end` may be.
    """

    name: str
    size: str
    cost: str
    sizes: list[int]
    costs: list[Interval]
    slope: Interval
    end: Interval
    most: float | None


def measured(curve: Curve, plan: Plan) -> tuple[Growth | None, Verdict, list[Lane]]:
    """Race the sizes of a curve, so that each round has its own slopes, whatever else the machine does."""
    lanes = race([curve.side(size) for size in curve.sizes], plan)
    return *judged(curve, lanes), lanes


def judged(curve: Curve, lanes: Sequence[Lane]) -> tuple[Growth | None, Verdict]:
    """The growth that lanes show, one lane a size; nothing if fewer than two sizes were measured."""
    claim = Claim(f"{curve.name}: slope at the large end", curve.name, most=curve.most, unit="")
    there = [(size, lane) for size, lane in zip(curve.sizes, lanes, strict=True) if lane.trouble is None]
    troubles = [f"{lane.side.name}: {lane.trouble}" for lane in lanes if lane.trouble is not None]
    if len(there) < 2:
        return None, Verdict(claim, None, None, troubles[0])
    sizes = [size for size, _ in there]
    rounds = list(zip(*([curve.cost_of(size, piece) for piece in lane.slices] for size, lane in there), strict=True))
    found = Growth(
        curve.name,
        curve.size,
        curve.cost,
        sizes,
        [median_interval([costs[number] for costs in rounds]) for number in range(len(sizes))],
        median_interval([slope(sizes, costs) for costs in rounds]),
        median_interval([slope(sizes[-2:], costs[-2:]) for costs in rounds]),
        curve.most,
    )
    if troubles:  # the large end is not where it was meant to be
        return found, Verdict(claim, None, None, troubles[0])
    return found, decided(claim, found.end)


def slope(sizes: Sequence[int], costs: Sequence[float]) -> float:
    """The exponent of the power law through these, by least squares of the logarithms."""
    return linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs]).slope


def duration(seconds: float) -> str:
    """Seconds with three digits, in the unit that suits them."""
    for factor, unit in ((1.0, "s"), (1e3, "ms"), (1e6, "µs")):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
