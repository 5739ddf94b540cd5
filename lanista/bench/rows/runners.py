"""Collection with as many runners as there are cores against one runner on one core, by the clock."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lanista.bench.claims import Claim, Verdict, decided, median_interval
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

COPIES, QUICK_COPIES, PLIES = 1024, 64, 16
ALONE = True  # it measures all cores, so a quick look has no other row beside it
ONE, MANY = "one runner", "all runners"
SHARE = 0.85  # of K times as fast as one


def measure(plan: Plan) -> Row:
    """Race whole batches of all runners."""
    cores = len(os.sched_getaffinity(0))
    claim = Claim(f"of {cores} times one runner, with {cores} on {cores} cores", MANY, ONE, least=SHARE)
    title = "Collection of Connect Four moves by runners in processes of their own, by the clock: moves."
    if cores == 1:
        trouble = "this process may use one core only"
        return Row("runners", title, "moves", [Verdict(claim, None, None, trouble)], [])
    lanes = race(sides(cores, QUICK_COPIES if plan.quick else COPIES), plan)
    note = (
        "Runners send each batch to the process that would learn; the machine must be quiet, since the clock "
        "counts here."
    )
    return Row("runners", title, "moves", [judged(claim, lanes, cores)], lanes, [note])


def sides(cores: int, copies: int) -> list[Side]:
    """One runner on one core, and one on each."""
    settings = {
        "game": "connect_four", "copies": copies, "plies": PLIES, "precision": "float32",
        "encoder": "board_resnet:channels=32,blocks=1,dim=64",
    }  # fmt: skip
    return [
        Side(name, "lanista.bench.ours.collection", {**settings, "runners": runners}, cores=runners)
        for name, runners in ((ONE, 1), (MANY, cores))
    ]


def judged(claim: Claim, lanes: Sequence[Lane], cores: int) -> Verdict:
    """How near the runners together come to `cores` times the one, round by round."""
    one, many = lanes
    for lane in lanes:
        if lane.trouble is not None:
            return Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    shares = [
        (all_.steps / all_.wall_seconds) / (cores * single.steps / single.wall_seconds)
        for all_, single in zip(many.slices, one.slices, strict=True)
    ]
    return decided(claim, median_interval(shares))
