"""Real time: frames a second that reach the browser's side of the page's socket, and how many of them come late."""

from __future__ import annotations

from dataclasses import replace

from lanista.bench.claims import Claim, Verdict, decided, judge, median_interval
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

GAME = "atari:pong"
PLAYED, WATCHED, PYGAME = "the page, played by keys", "the page, an agent and its looks", "Gymnasium's play, in pygame"
SECONDS, QUICK_SECONDS = 6.0, 1.0  # of a slice, by the clock: most of it is waiting for the next frame


def measure(plan: Plan) -> Row:
    """Play by keys, watch an agent, and let Gymnasium play without a browser."""
    ours = "lanista.bench.ours.page_frames"
    sides = [
        Side(PLAYED, ours, {"game": GAME, "watched": False}, packages=("nicegui", "ale-py")),
        Side(WATCHED, ours, {"game": GAME, "watched": True}, packages=("nicegui", "ale-py", "torch")),
        Side(PYGAME, "lanista.bench.peers.pygame_frames", {"game": "ALE/Pong-v5"}, packages=("gymnasium", "pygame-ce")),
    ]
    lanes = race(sides, replace(plan, seconds=QUICK_SECONDS if plan.quick else SECONDS))
    verdicts = []
    for name in (PLAYED, WATCHED, PYGAME):
        goal = name != PYGAME
        verdicts += [
            told(Claim(f"{name}: frames a second", name, least=59.5 if goal else None, unit="/s"), lanes, "rate"),
            told(Claim(f"{name}: frames over 5 ms late", name, most=0.01 if goal else None, unit="%"), lanes, "late"),
            judge(Claim(f"{name}: CPU seconds a frame", name, unit="s"), lanes),
        ]
        if goal:
            words = f"{name}: seconds a frame spent waiting for the core"
            verdicts.append(told(Claim(words, name, unit="s"), lanes, "waited"))
    return Row(
        "real_time",
        f"{GAME} at 60 frames a second. Ours: the page's server, the game's process and the client that reads the "
        "socket, all on one core; a frame is late that comes more than 1/60 s + 5 ms after the one before.",
        "frames",
        verdicts,
        lanes,
        notes=(
            "The agent is a network that has learned nothing: one that has decides as quickly. Where it looks is "
            "computed in a quarter of the time, beside the game.",
            "Waiting for the core: ready to run while something else ran there, another program or one of these "
            "processes itself. On a busy machine most late frames are late for that.",
            "Gymnasium's play draws in its own window and sends nothing anywhere; here on SDL's dummy screen.",
        ),
    )


def told(claim: Claim, lanes: list[Lane], what: str) -> Verdict:
    """What the slices of a side say of a figure that it tells."""
    (lane,) = (each for each in lanes if each.side.name == claim.subject)
    if lane.trouble is not None:
        return Verdict(claim, None, None, f"{lane.side.name}: {lane.trouble}")
    return decided(claim, median_interval([piece.told[what] for piece in lane.slices]))
