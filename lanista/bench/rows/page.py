"""The page: how long a person waits for an agent's reply, alone in a real browser and among fifty games."""

from __future__ import annotations

from dataclasses import replace

from lanista.bench.claims import Claim, Verdict, decided, judge, median_interval
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

AGENT = "connect_four"  # a network without search
GAMES = 50
MANY, CLICKS = f"{GAMES} games at once, a move", "a click in Chromium"
SECONDS, QUICK_SECONDS = 6.0, 2.0  # of a slice: people think between their moves


def measure(plan: Plan) -> Row:
    """Play on the page, slice by slice."""
    sides = [
        Side(
            MANY,
            "lanista.bench.ours.page_games",
            {"games": GAMES, "game": "connect_four", "agent": AGENT},
            packages=("nicegui", "torch"),
        ),
        Side(CLICKS, "lanista.bench.ours.page_clicks", {"agent": AGENT}, packages=("nicegui", "playwright")),
    ]
    lanes = race(sides, replace(plan, seconds=QUICK_SECONDS if plan.quick else SECONDS))
    return Row(
        "page",
        f"From a person's move to the drawn reply of {AGENT}, seconds by the clock: the median of each slice.",
        "moves",
        [
            waited(Claim(f"{MANY}: the server's time", MANY, most=0.05, unit="s"), lanes),
            waited(Claim(f"{CLICKS}: until the reply is drawn", CLICKS, most=0.1, unit="s"), lanes),
            judge(Claim(f"{MANY}: CPU seconds", MANY, unit="s"), lanes),
        ],
        lanes,
    )


def waited(claim: Claim, lanes: list[Lane]) -> Verdict:
    """What the slices say of a wait."""
    (lane,) = (each for each in lanes if each.side.name == claim.subject)
    if lane.trouble is not None:
        return Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    return decided(claim, median_interval([piece.told["median"] for piece in lane.slices]))
