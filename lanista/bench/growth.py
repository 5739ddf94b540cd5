"""How a cost grows with a size: the same work at several sizes, and its slope on logarithmic axes.

A cost that is proportional to size**k is a straight line of slope k there. What is spent once, whatever the size, makes
the line flat at its small end, so a slope over all sizes flatters: what is claimed is the slope at the large end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import linear_regression
from typing import Any

from lanista.bench.claims import Claim, Interval, Verdict, decided, median_interval
from lanista.bench.race import Lane, Plan, Side, race


@dataclass(frozen=True)
class Curve:
    """What is measured at several sizes.

    Attributes:
        name: what grows, in words.
        size: of what the sizes are numbers, in words.
        cost: the cost of a size, in words.
        module: of `bench/ours`, whose `begin` does the work.
        options: size -> what that takes.
        sizes: rising.
        piecewise: the work counts so many steps as its size when it has gone through it once.
        apart: each size is a side of its own, which works in processes that it starts.
        most: what the slope at the large end may be; None leaves it open.
        packages: whose versions are told.
    """

    name: str
    size: str
    cost: str
    module: str
    options: Callable[[int], dict[str, Any]]
    sizes: Sequence[int]
    piecewise: bool = True
    apart: bool = False
    most: float | None = None
    packages: tuple[str, ...] = ()

    def sides(self) -> list[Side]:
        """One process that goes through all sizes in each slice, or one for each."""
        groups = [[size] for size in self.sizes] if self.apart else [list(self.sizes)]
        return [
            Side(
                f"{self.name}, {' / '.join(f'{size:,}' for size in sizes)}",
                "lanista.bench.ours.sizes",
                {"module": self.module, "options": {str(size): self.options(size) for size in sizes},
                 "tree": self.apart},
                packages=self.packages,
            )
            for sizes in groups
        ]  # fmt: skip


@dataclass(frozen=True)
class Growth:
    """What was measured of a curve.

    Attributes:
        name, size, cost: the curve's.
        sizes: rising.
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
    """Work through the sizes of a curve in turn, so that each round has its own slopes, whatever the machine does."""
    lanes = race(curve.sides(), replace(plan, seconds=plan.seconds * (1 if curve.apart else len(curve.sizes))))
    return *judged(curve, lanes), lanes


def judged(curve: Curve, lanes: Sequence[Lane]) -> tuple[Growth | None, Verdict]:
    """The growth that the lanes of a curve show; nothing if one of them was not measured."""
    claim = Claim(f"{curve.name}: slope at the large end", curve.name, most=curve.most, unit="")
    for lane in lanes:
        if lane.trouble is not None:
            return None, Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    told = [{size: cost for piece in pieces for size, cost in piece.told.items()}
            for pieces in zip(*(lane.slices for lane in lanes), strict=True)]  # fmt: skip
    rounds = [[each[str(size)] * (size if curve.piecewise else 1) for size in curve.sizes] for each in told]
    found = Growth(
        curve.name,
        curve.size,
        curve.cost,
        list(curve.sizes),
        [median_interval(costs) for costs in zip(*rounds, strict=True)],
        median_interval([slope(curve.sizes, costs) for costs in rounds]),
        median_interval([slope(curve.sizes[-2:], costs[-2:]) for costs in rounds]),
        curve.most,
    )
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
