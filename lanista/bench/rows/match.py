"""A match of 1,000 Connect Four games between two networks, beside the same games one at a time."""

from __future__ import annotations

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

GAMES = 1000
ENCODER = "board_resnet:channels=32,blocks=1,dim=64"
FLOAT32, BFLOAT16, PEER = "Lanista", "Lanista bfloat16", "PettingZoo loop"


def measure(plan: Plan) -> Row:
    """Race whole matches of ours against single games of the loop."""
    from lanista.cores import fast_bfloat16

    ours = {FLOAT32: "float32", **({BFLOAT16: "bfloat16"} if fast_bfloat16() else {})}
    sides = [
        Side(
            name,
            "lanista.bench.ours.match",
            {"game": "connect_four", "encoder": ENCODER, "games": GAMES, "precision": precision},
            packages=("torch",),
        )
        for name, precision in ours.items()
    ]
    peer = Side(PEER, "lanista.bench.peers.pettingzoo_match", {"encoder": ENCODER}, packages=("pettingzoo", "torch"))
    claims = [Claim(f"{name} times the {PEER}", name, PEER, least=10.0) for name in ours]
    lanes = race([*sides, peer], plan)
    return Row(
        "match",
        f"{GAMES:,} games of Connect Four between two networks.",
        "games",
        [judge(claim, lanes) for claim in claims],
        lanes,
        [
            "Both networks draw their moves from their policies and are asked once a position. A slice of ours is one "
            "match or more; the loop plays fewer games in a slice, so that its figure is scaled: games are "
            "independent, and each costs it the same."
        ],
    )
