"""The page: how long a person waits for an agent's reply, alone in a real browser and among fifty games."""

from __future__ import annotations

from dataclasses import replace

from lanista.bench.claims import Claim, Verdict, decided, judge, median_interval
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

AGENT = "connect_four"  # a network without search
GAMES, THINKING = 50, 2.0  # seconds that a person thinks
QUICK_GAMES, QUICK_THINKING = 12, 0.5  # as many moves a second
CLICKS = "a click in Chromium"
SECONDS, QUICK_SECONDS = 6.0, 1.0  # of a slice: people think between their moves


def measure(plan: Plan) -> Row:
    """Play on the page, slice by slice."""
    games, thinking = (QUICK_GAMES, QUICK_THINKING) if plan.quick else (GAMES, THINKING)
    many = f"{games} games at once, a move"
    sides = [
        Side(
            many,
            "lanista.bench.ours.page_games",
            {"games": games, "game": "connect_four", "agent": AGENT, "thinking": thinking},
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
            waited(Claim(f"{many}: the server's time", many, most=0.05, unit="s"), lanes),
            waited(Claim(f"{CLICKS}: until the reply is drawn", CLICKS, most=0.1, unit="s"), lanes),
            judge(Claim(f"{many}: CPU seconds", many, unit="s"), lanes),
        ],
        lanes,
    )


def waited(claim: Claim, lanes: list[Lane]) -> Verdict:
    """What the slices say of a wait."""
    (lane,) = (each for each in lanes if each.side.name == claim.subject)
    if lane.trouble is not None:
        return Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    return decided(claim, median_interval([piece.told["median"] for piece in lane.slices]))
