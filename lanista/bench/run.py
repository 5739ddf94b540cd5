"""Measure rows, print them, write them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from lanista.bench.race import Plan
from lanista.bench.results import Row, as_json, as_markdown, machine
from lanista.errors import UsageError
from lanista.files import write_json, write_text
from lanista.plugs import plug, plugs

ROWS = "lanista.bench.rows"
NEEDS_AGENT = "strength"  # the row that measures one agent, and so is not measured without
TRANSFER = "transfer"
NEEDS_ENCODERS = ("perception", TRANSFER)  # rows that train for hours where runs are not done, and so only if asked
ROUNDS, SECONDS = 20, 2.0
QUICK_ROUNDS, QUICK_SECONDS = 5, 0.4


def bench(
    rows: Sequence[str],
    quick: bool,
    agent: str,
    plot: Path | None,
    encoders: Path | None,
    json: Path | None,
    markdown: Path | None,
    levels: tuple[str, ...] = (),
    ways: tuple[str, ...] = (),
    steps: int = 0,
) -> int:
    """Measure rows one after the other; see `lanista.cli.bench` for the words.

    Returns:
        0, or 1 if one of our own sides could not be measured; a target that is not met is a result and no failure.

    Raises:
        UsageError: a row that is not there, the row strength without an agent, a file that could not be written.
    """
    needs = {NEEDS_AGENT: agent, **dict.fromkeys(NEEDS_ENCODERS, encoders)}
    named = list(rows) or [name for name in plugs(ROWS) if needs.get(name, True)]
    modules = [plug(ROWS, "row of the bench", name) for name in named]
    if NEEDS_AGENT in named and not agent:
        raise UsageError(f"the row {NEEDS_AGENT} measures one agent; name it, as in --agent runs/x")
    trains = [name for name in NEEDS_ENCODERS if name in named]
    if trains and encoders is None:
        raise UsageError(f"the row {trains[0]} trains for hours; say where its runs lie, as in --encoders runs/bench")
    if encoders is not None and not trains:
        raise UsageError(f"only the rows {' and '.join(NEEDS_ENCODERS)} have --encoders; name one of them, or no row")
    if (levels or ways or steps) and TRANSFER not in named:
        raise UsageError(f"only the row {TRANSFER} has --levels, --ways and --steps; name it, or no row")
    if steps < 0:
        raise UsageError(f"--steps is how many a run may take, and cannot be {steps}")
    if agent and NEEDS_AGENT not in named:
        raise UsageError(f"only the row {NEEDS_AGENT} measures an agent; name it too, or no row")
    if plot is not None and plot.suffix not in (".svg", ".png"):
        raise UsageError(f"a curve is drawn as .svg or .png, not as '{plot.name}'")
    for path in (plot, json, markdown):
        if path is not None and not os.access(path.absolute().parent, os.W_OK):  # before minutes of measuring
            raise UsageError(f"cannot write {path}: the folder is not there or cannot be written")
    plan = Plan(
        rounds=QUICK_ROUNDS if quick else ROUNDS,
        seconds=QUICK_SECONDS if quick else SECONDS,
        core=max(os.sched_getaffinity(0)),
        quick=quick,
        report=lambda text: print(f"lanista bench: {text}", file=sys.stderr, flush=True),
        agent=agent,
        plot=plot,
        encoders=encoders,
        levels=levels,
        ways=ways,
        steps=steps,
    )
    where, measured = machine(plan), list[Row]()
    for name, module in zip(named, modules, strict=True):
        plan.report(f"measuring {name}")
        measured.append(module.measure(plan))
        # Written after each row: what was measured stays if a later row is stopped.
        if json is not None:
            write_json(json, as_json(measured, where))
        if markdown is not None:
            write_text(markdown, as_markdown(measured, where))
    print(as_markdown(measured, where), end="")
    return 1 if any(row.failed for row in measured) else 0
