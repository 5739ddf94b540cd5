"""What was measured, as JSON and as Markdown."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lanista.bench.claims import Interval, Verdict
from lanista.bench.growth import Growth
from lanista.bench.race import Lane, Plan


@dataclass(frozen=True)
class Row:
    """One row of the bench.

    Attributes:
        id: its file's name.
        title: what was measured, in one sentence.
        unit: of the sides' steps.
        verdicts: the claims and what was found.
        lanes: the sides and their slices.
        notes: sentences that belong beside the figures.
        table: more figures, a column a key; intervals are of shares.
        between: what the intervals of the verdicts are.
        curves: costs that were measured at several sizes.
    """

    id: str
    title: str
    unit: str
    verdicts: Sequence[Verdict]
    lanes: Sequence[Lane]
    notes: Sequence[str] = ()
    table: Sequence[Mapping[str, int | float | str | Interval]] = ()
    between: str = "95 %"
    curves: Sequence[Growth] = ()

    @property
    def failed(self) -> bool:
        """Whether one of our own sides could not be measured."""
        return any(lane.side.ours and lane.trouble is not None for lane in self.lanes)


def machine(plan: Plan) -> dict[str, Any]:
    """Where it was measured, and how."""
    chip = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return {
        "chip": chip,
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "core": plan.core,
        "rounds": plan.rounds,
        "slice_seconds": plan.seconds,
        "quick": plan.quick,
        "date": time.strftime("%Y-%m-%d"),
    }


def as_json(rows: Sequence[Row], where: dict[str, Any]) -> dict[str, Any]:
    """All of it, every slice included; each row with the machine, since a file may keep rows of several runs."""
    told = []
    for row in rows:
        value = asdict(row)
        for lane in value["lanes"]:
            side = lane.pop("side")
            lane.update(name=side["name"], options=dict(side["options"]))
        told.append({**value, "machine": where})
    return {"rows": told}


def as_markdown(rows: Sequence[Row], where: dict[str, Any]) -> str:
    """Tables for people."""
    lines = [f"Measured {where['date']} on {where['chip']} ({where['system']}, Python {where['python']})."]
    if any(row.lanes for row in rows):
        lines[0] += (
            f" Sides work in turn on one core, {where['rounds']} slices each; CPU time is that of a side's whole "
            "process tree. A ratio is the median of the rounds' ratios, with its 95 % sign interval."
        )
        if where["quick"]:
            lines[0] += " This is a quick look: a row on each core at once, so that rows disturb each other."
    lines.append("")
    for row in rows:
        lines += [f"## {row.id}", "", row.title, "", *_claims(row), *_sides(row), *_table(row)]
        lines += [f"- {note}" for note in row.notes]
        lines += [""] if row.notes else []
    return "\n".join(lines).rstrip() + "\n"


def _claims(row: Row) -> list[str]:
    """The table of claims."""
    lines = [f"| claim | measured | {row.between} | target | met |", "|---|---|---|---|---|"]
    for verdict in row.verdicts:
        claim = verdict.claim
        asked = target(claim.least, claim.most, claim.unit)
        if verdict.found is None:
            lines.append(f"| {cell(claim.text)} | not measured: {cell(verdict.trouble or '')} | | {asked} | |")
            continue
        found = verdict.found
        unit = claim.unit if claim.unit == "%" else ""
        between = f"{figure(found.low, unit)} to {figure(found.high, unit)}{sureness(found.confidence)}"
        met = {True: "yes", False: "**no**", None: ""}[verdict.met]
        lines.append(f"| {cell(claim.text)} | {figure(found.median, claim.unit)} | {between} | {asked} | {met} |")
    return [*lines, ""]


def sureness(confidence: float) -> str:
    """What is said of an interval of too few rounds for 95 %; of others nothing."""
    return "" if confidence >= 0.945 else f", {100 * confidence:.0f} %"


def target(least: float | None, most: float | None, unit: str) -> str:
    """What a claim asks for, in words; empty if nothing."""
    if most is not None:
        return f"at most {figure(most, unit)}"
    return "" if least is None else f"at least {figure(least, unit)}"


def _sides(row: Row) -> list[str]:
    """The table of absolute figures."""
    if not row.lanes:
        return []
    lines = [f"| side | {row.unit} a CPU second | a second by the clock | versions |", "|---|---|---|---|"]
    for lane in row.lanes:
        if lane.trouble is not None:
            lines.append(f"| {lane.side.name} | not measured: {cell(lane.trouble)} | | |")
            continue
        rate = median(piece.rate for piece in lane.slices)
        wall = median(piece.steps / piece.wall_seconds for piece in lane.slices)
        versions = ", ".join(f"{name} {version}" for name, version in lane.versions.items())
        lines.append(f"| {lane.side.name} | {figure(rate, '')} | {figure(wall, '')} | {versions} |")
    return [*lines, ""]


def _table(row: Row) -> list[str]:
    """The row's own table."""
    if not row.table:
        return []
    names = list(row.table[0])
    lines = [f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    return [*lines, *(f"| {' | '.join(_shown(each[name]) for name in names)} |" for each in row.table), ""]


def _shown(value: int | float | str | Interval) -> str:
    """A cell of a row's own table."""
    if isinstance(value, Interval):
        return f"{100 * value.median:.1f} % ({100 * value.low:.1f} to {100 * value.high:.1f})"
    if isinstance(value, str):
        return cell(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:.1f}"


def figure(value: float, unit: str) -> str:
    """A number with three digits that mean something, and its unit."""
    size = abs(value)
    if size >= 1e6:
        text = f"{value / 1e6:.3g} M"
    elif size >= 1e4:
        text = f"{value / 1e3:.3g} k"
    elif size >= 100:
        text = f"{value:.0f}"
    else:
        text = f"{value:.3g}"
    if unit == "%":
        return f"{100 * value:.1f} %"
    return f"{text} {unit}".strip()


def cell(text: str) -> str:
    """A text that breaks no table."""
    return " ".join(text.replace("|", "/").split())[:200]
