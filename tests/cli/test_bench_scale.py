"""The bench's curves: slopes of costs over sizes, what is claimed of them, and their pictures."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lanista.bench import pictures
from lanista.bench.claims import Verdict
from lanista.bench.growth import Curve, duration, judged, measured
from lanista.bench.race import Lane, Plan, Side, Slice
from lanista.bench.results import Row, as_json, machine


@pytest.fixture
def plan() -> Plan:
    return Plan(rounds=1, seconds=0.05, core=max(os.sched_getaffinity(0)), quick=True, report=lambda text: None)


SIZES = (10, 100, 1000)


def power(exponent: float, fixed: float = 0.0) -> list[Lane]:
    """A process whose cost is a power of its size, on a machine that is slower from round to round."""
    costs = {str(size): (fixed + size**exponent) / size for size in SIZES}
    slices = [Slice(1, 1, 1, {size: cost * pace for size, cost in costs.items()}) for pace in (1.0, 2.0, 4.0)]
    return [Lane(Side("rating", ""), slices)]


def curve(most: float | None) -> Curve:
    return Curve("rating", "players", "to rate them", "rating", lambda size: {"players": size}, SIZES, most=most)


def test_slope_is_that_of_the_power_law_whatever_the_machine_does() -> None:
    growth, verdict = judged(curve(1.5), power(2.0))
    assert growth is not None and verdict.found is not None
    assert [growth.slope.low, growth.slope.high, verdict.found.median] == pytest.approx([2.0, 2.0, 2.0])
    assert verdict.met is False
    assert [cost.median for cost in growth.costs] == pytest.approx([2e2, 2e4, 2e6])
    assert judged(curve(1.05), power(1.0))[1].met is True
    assert judged(curve(None), power(1.0))[1].met is None


def test_what_is_spent_once_does_not_hide_the_growth_at_the_large_end() -> None:
    growth, verdict = judged(curve(1.5), power(2.0, fixed=1e4))
    assert growth is not None and growth.slope.median < 1.1, "the slope over all sizes would have been called small"
    assert growth.end.median > 1.6 and verdict.met is False


def test_sizes_apart_are_put_together_and_one_that_failed_is_told() -> None:
    apart = replace(curve(1.05), apart=True)
    assert [side.name for side in apart.sides()] == ["rating, 10", "rating, 100", "rating, 1,000"]
    lanes = [
        Lane(side, [Slice(1, 1, 1, {str(size): 2.0})] * 3) for side, size in zip(apart.sides(), SIZES, strict=True)
    ]
    growth, verdict = judged(apart, lanes)
    assert growth is not None and growth.end.median == pytest.approx(1) and verdict.met is True
    lanes[1] = Lane(lanes[1].side, trouble="no memory")
    assert judged(apart, lanes) == (None, Verdict(verdict.claim, None, None, "rating, 100: no memory"))


@pytest.mark.thorough
def test_every_curve_of_scale_can_be_measured(plan: Plan) -> None:
    from lanista.bench.rows.scale import kinds

    curves = [kind.curve for kind in kinds()]
    assert all(side.ours for each in curves for side in each.sides())
    assert all(list(each.sizes) == sorted(set(each.sizes)) and len(each.sizes) > 1 for each in curves)
    assert all(set(kind.quick) <= set(kind.curve.sizes) for kind in kinds())
    (stored,) = (each for each in curves if each.name == "report")
    growth, verdict, lanes = measured(replace(stored, sizes=(20, 40), most=100.0), plan)
    assert [one.trouble for one in lanes] == [None] and verdict.met is True
    assert growth is not None and all(0 < cost.median < 10 for cost in growth.costs)


def test_durations_are_told_in_the_unit_that_suits_them() -> None:
    assert [duration(value) for value in (12.34, 0.0123, 4.5e-5, 2e-9)] == ["12.3 s", "12.3 ms", "45 µs", "2 ns"]


@pytest.mark.thorough
def test_curves_are_drawn_on_logarithmic_axes(plan: Plan, tmp_path: Path) -> None:
    growth, verdict = judged(curve(1.5), power(2.0))
    assert growth is not None
    row = Row("scale", "Growth.", "steps", [verdict], [], curves=[growth, replace(growth, name="another")])
    told = []
    for name in ("a.svg", "b.svg"):
        pictures.draw(row, tmp_path / name)
        told.append((tmp_path / name).read_bytes())
    assert told[0] == told[1], "the same figures give the same file"
    texts = "\n".join(re.findall("<!-- (.*?) -->", told[0].decode()))  # beside letters that are drawn as paths
    assert "slope at the large end 2.00 (≤ 1.5)" in texts and "another" in texts and "players" in texts
    assert json.loads(json.dumps(as_json([row], machine(plan))))["rows"][0]["curves"][0]["sizes"] == [10, 100, 1000]
