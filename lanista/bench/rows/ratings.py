"""100,000 games among 100 players rated, intervals included, beside OpenSkill."""

from __future__ import annotations

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

PLAYERS, GAMES = 100, 100_000
QUICK_PLAYERS, QUICK_GAMES = 30, 10_000
OURS, PEER = "Lanista", "OpenSkill"


def measure(plan: Plan) -> Row:
    """Rate the same games again and again."""
    players, games = (QUICK_PLAYERS, QUICK_GAMES) if plan.quick else (PLAYERS, GAMES)
    options = {"players": players, "games": games}
    sides = [
        Side(OURS, "lanista.bench.ours.rating", options, packages=("numba", "numpy")),
        Side(PEER, "lanista.bench.peers.openskill_rating", options, packages=("openskill",)),
    ]
    claims = [
        Claim("all games rated, with intervals", OURS, most=2.0, unit="s"),
        Claim(f"beside {PEER}", OURS, PEER),
    ]
    lanes = race(sides, plan)
    return Row(
        "ratings",
        f"{games:,} games among {players} players rated: CPU seconds for them all.",
        "tournaments",
        [judge(claim, lanes) for claim in claims],
        lanes,
        [
            "Ours is one fit whose result no order of games changes, and 1,000 draws from its posterior; OpenSkill "
            "goes through the games once, and its result depends on their order."
        ],
    )
