"""The bench's curves: slopes of costs over sizes, what is claimed of them, and their pictures."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lanista.bench import pictures
from lanista.bench.growth import Curve, duration, judged, measured
from lanista.bench.race import Lane, Plan, Side, Slice
from lanista.bench.results import Row, as_json, machine


@pytest.fixture
def plan() -> Plan:
    return Plan(rounds=1, seconds=0.05, core=max(os.sched_getaffinity(0)), quick=True, report=lambda text: None)


def power(size: int, exponent: float, fixed: float = 0.0) -> Lane:
    """A side whose cost is a power of its size, on a machine that is slower from round to round."""
    cost = fixed + size**exponent
    slices = [Slice(size, cost * pace, cost * pace) for pace in (1.0, 2.0, 4.0)]
    return Lane(Side(f"size {size}", ""), slices)


def quadratic(most: float | None) -> Curve:
    return Curve("rating", "players", "to rate them", lambda size: Side(f"size {size}", ""), (10, 100, 1000), most=most)


def test_slope_is_that_of_the_power_law_whatever_the_machine_does() -> None:
    growth, verdict = judged(quadratic(1.5), [power(size, 2.0) for size in (10, 100, 1000)])
    assert growth is not None and verdict.found is not None
    assert [growth.slope.low, growth.slope.high, verdict.found.median] == pytest.approx([2.0, 2.0, 2.0])
    assert verdict.met is False
    assert [cost.median for cost in growth.costs] == pytest.approx([2e2, 2e4, 2e6])
    (_, proportional) = judged(quadratic(1.05), [power(size, 1.0) for size in (10, 100, 1000)])
    assert proportional.met is True


def test_what_is_spent_once_does_not_hide_the_growth_at_the_large_end() -> None:
    growth, verdict = judged(quadratic(1.5), [power(size, 2.0, fixed=1e4) for size in (10, 100, 1000)])
    assert growth is not None and growth.slope.median < 1.1, "the slope over all sizes would have been called small"
    assert growth.end.median > 1.6 and verdict.met is False


def test_a_size_that_failed_is_left_out_and_told() -> None:
    failed = Lane(Side("size 1000", ""), trouble="no memory")
    growth, verdict = judged(quadratic(1.05), [power(10, 1.0), power(100, 1.0), failed])
    assert growth is not None and growth.sizes == [10, 100] and growth.end.median == pytest.approx(1)
    assert verdict.met is None and verdict.trouble == "size 1000: no memory"
    assert judged(quadratic(None), [power(10, 1.0), failed, failed])[0] is None


def test_every_curve_of_scale_has_sides_of_its_own(plan: Plan) -> None:
    from lanista.bench.rows.scale import kinds

    curves = [kind.curve for kind in kinds()]
    sides = [curve.side(size) for curve in curves for size in curve.sizes]
    assert len({side.name for side in sides}) == len(sides) and all(side.ours for side in sides)
    assert all(list(curve.sizes) == sorted(set(curve.sizes)) and len(curve.sizes) > 2 for curve in curves)
    assert all(set(kind.quick) <= set(kind.curve.sizes) for kind in kinds())
    (stored,) = (curve for curve in curves if curve.name == "report")
    growth, verdict, lanes = measured(replace(stored, sizes=(20, 40), most=100.0), plan)
    assert [one.trouble for one in lanes] == [None, None] and verdict.met is True
    assert growth is not None and all(0 < cost.median < 10 for cost in growth.costs)


def test_durations_are_told_in_the_unit_that_suits_them() -> None:
    assert [duration(value) for value in (12.34, 0.0123, 4.5e-5, 2e-9)] == ["12.3 s", "12.3 ms", "45 µs", "2 ns"]


def test_curves_are_drawn_on_logarithmic_axes(plan: Plan, tmp_path: Path) -> None:
    growth, verdict = judged(quadratic(1.5), [power(size, 2.0) for size in (10, 100, 1000)])
    assert growth is not None
    row = Row("scale", "Growth.", "steps", [verdict], [], curves=[growth, replace(growth, name="another")])
    told = []
    for name in ("a.svg", "b.svg"):
        pictures.draw(row, tmp_path / name)
        told.append((tmp_path / name).read_bytes())
    assert told[0] == told[1], "the same figures give the same file"
    texts = "\n".join(re.findall("<!-- (.*?) -->", told[0].decode()))  # beside letters that are drawn as paths
    assert "slope at the large end 2.00, asked: at most 1.5" in texts and "another" in texts and "players" in texts
    assert json.loads(json.dumps(as_json([row], machine(plan))))["rows"][0]["curves"][0]["sizes"] == [10, 100, 1000]
