"""Measure rows, print them, write them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType
from typing import Any

from lanista.bench.race import Plan
from lanista.bench.results import Row, as_json, as_markdown, machine
from lanista.bench.summary import check_marked, kept_rows, merged, put
from lanista.errors import UsageError
from lanista.files import claim_folder, drafted, write_json, write_text
from lanista.plugs import plug, plugs

ROWS = "lanista.bench.rows"
NEEDS_AGENT = "strength"  # the row that measures one agent, and so is not measured without
TRANSFER = "transfer"
NEEDS_ENCODERS = ("perception", TRANSFER)  # rows that train for hours where runs are not done, and so only if asked
ROUNDS, SECONDS = 20, 2.0
QUICK_ROUNDS, QUICK_SECONDS = 3, 0.25


@dataclass(frozen=True)
class Targets:
    """Where results are written; None is nowhere.

    Attributes:
        json: all figures; rows that are in the file already and are not measured anew stay there.
        markdown: the tables of what was measured.
        readme: a file between whose marks the summary stands, of all rows of `json`.
        plots: a folder, of a picture a row.
    """

    json: Path | None = None
    markdown: Path | None = None
    readme: Path | None = None
    plots: Path | None = None

    def check(self, quick: bool) -> None:
        """Refuse before minutes of measuring what could not be written after them."""
        for path in (self.json, self.markdown, self.readme):
            if path is not None and not os.access(path.absolute().parent, os.W_OK):
                raise UsageError(f"cannot write {path}: the folder is not there or cannot be written")
        kept_rows(self.json)
        if self.readme is not None:
            if quick:
                raise UsageError("--quick is a look and no result: measure without it what goes into --readme")
            check_marked(self.readme)
        if self.plots is not None:
            claim_folder(self.plots)

    def write(self, measured: Sequence[Row], where: dict[str, Any], module: ModuleType) -> None:
        """Write what was measured so far; the picture is of the last row, and drawn by its module if that can."""
        rows = as_json(measured, where)["rows"]
        if self.json is not None:
            rows = merged(kept_rows(self.json), rows)
            write_json(self.json, {"rows": rows})
        if self.markdown is not None:
            write_text(self.markdown, as_markdown(measured, where))
        if self.readme is not None:
            put(self.readme, rows, self.json)
        if self.plots is not None:
            from lanista.bench import pictures

            row = measured[-1]
            if pictures.is_drawn(row):
                with drafted(self.plots / f"{row.id}.svg") as draft:
                    getattr(module, "draw", pictures.draw)(row, draft)


def bench(
    rows: Sequence[str],
    quick: bool,
    agent: str,
    encoders: Path | None,
    targets: Targets,
    levels: tuple[str, ...] = (),
    ways: tuple[str, ...] = (),
    steps: int = 0,
) -> int:
    """Measure rows, one after the other if it is no quick look; see `lanista.cli.bench` for the words.

    Returns:
        0, or 1 if one of our own sides could not be measured; a target that is not met is a result and no failure.

    Raises:
        UsageError: a row that is not there, the row strength without an agent, a file that could not be written.
        DiskError: the disk was full after a row; what was measured so far has been printed.
    """
    needs = {NEEDS_AGENT: agent, **dict.fromkeys(NEEDS_ENCODERS, encoders)}
    named = list(rows) or [name for name in plugs(ROWS) if needs.get(name, True)]
    modules = [plug(ROWS, "row of the bench", name) for name in named]
    check_words(named, agent, encoders, bool(levels or ways or steps))
    if steps < 0:
        raise UsageError(f"--steps is how many a run may take, and cannot be {steps}")
    targets.check(quick)
    plan = Plan(
        rounds=QUICK_ROUNDS if quick else ROUNDS,
        seconds=QUICK_SECONDS if quick else SECONDS,
        core=max(os.sched_getaffinity(0)),
        quick=quick,
        report=lambda text: print(f"lanista bench: {text}", file=sys.stderr, flush=True),
        agent=agent,
        encoders=encoders,
        levels=levels,
        ways=ways,
        steps=steps,
    )
    where, measured = machine(plan), list[Row]()
    chosen = dict(zip(named, modules, strict=True))
    for name, row in rows_at_once(chosen, plan) if quick else rows_in_turn(chosen, plan):
        measured.append(row)
        try:
            targets.write(measured, where, chosen[name])  # after each row: it stays if a later one is stopped
        except OSError:
            print(as_markdown(measured, where), end="")  # what took hours is not lost with the disk
            raise
    measured.sort(key=lambda row: named.index(row.id))
    print(as_markdown(measured, where), end="")
    return 1 if any(row.failed for row in measured) else 0


def rows_in_turn(modules: Mapping[str, Any], plan: Plan) -> Iterator[tuple[str, Row]]:
    """Measure one row after the other."""
    for name, module in modules.items():
        plan.report(f"measuring {name}")
        yield name, module.measure(plan)


def rows_at_once(modules: Mapping[str, Any], plan: Plan) -> Iterator[tuple[str, Row]]:
    """Of a quick look: measure a row on each core at once, and then those that want the machine to themselves.

    To import what the sides need takes most of a look's time. The sides of a row work in turn on their row's core, as
    always, but beside those of another row: a measurement that is to be believed must not allow that.
    """
    cores = SimpleQueue[int]()
    for core in sorted(os.sched_getaffinity(0)):
        cores.put(core)

    def measure(name: str, module: Any) -> Row:
        core = cores.get()
        plan.report(f"measuring {name}")
        try:
            row: Row = module.measure(replace(plan, core=core))
            return row
        finally:
            cores.put(core)

    alone = {name: module for name, module in modules.items() if getattr(module, "ALONE", False)}
    with ThreadPoolExecutor(cores.qsize()) as pool:
        waiting = {pool.submit(measure, name, module): name for name, module in modules.items() if name not in alone}
        try:
            for done in as_completed(waiting):
                yield waiting[done], done.result()
        except BaseException:  # a row beside this one may wait for minutes
            plan.ended.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    yield from rows_in_turn(alone, plan)


def check_words(named: Sequence[str], agent: str, encoders: Path | None, transfers: bool) -> None:
    """Refuse what only rows that are not measured have, and rows that lack what they need.

    Args:
        named: the rows.
        agent: of the row strength.
        encoders: of the rows that train.
        transfers: words of the row transfer were given.
    """
    if NEEDS_AGENT in named and not agent:
        raise UsageError(f"the row {NEEDS_AGENT} measures one agent; name it, as in --agent runs/x")
    trains = [name for name in NEEDS_ENCODERS if name in named]
    if trains and encoders is None:
        raise UsageError(f"the row {trains[0]} trains for hours; say where its runs lie, as in --encoders runs/bench")
    if encoders is not None and not trains:
        raise UsageError(f"only the rows {' and '.join(NEEDS_ENCODERS)} have --encoders; name one of them, or no row")
    if transfers and TRANSFER not in named:
        raise UsageError(f"only the row {TRANSFER} has --levels, --ways and --steps; name it, or no row")
    if agent and NEEDS_AGENT not in named:
        raise UsageError(f"only the row {NEEDS_AGENT} measures an agent; name it too, or no row")
