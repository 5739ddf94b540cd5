"""Agents that think: alpha-beta, Monte Carlo tree search, PUCT, and what a trained agent's move costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lanista.bench.claims import Claim, Verdict, judge
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row

GAME = "connect_four"
ENCODER = "board_resnet:channels=64,blocks=2,dim=128"
SIMULATIONS, EXPLORATION = 1000, 1.4
GAMES, THOUGHTS = 256, 50  # trees of PUCT that grow together, simulations of each
BATCHES = (1, 256)
QUICK_GAMES, QUICK_BATCHES = 32, (1,)
OVERHEAD = 1.25  # PUCT's whole time is at most so many times that of asking the network
LEAST_MOVES = {1: 1 / 1.3, 256: 1.0}
ROUNDS, SECONDS = 10, 1.0

ALPHA_BETA = Side(
    "minimax, positions",
    "lanista.bench.ours.searching",
    {"game": GAME, "agent": "minimax:depth=12", "positions": 16},
    packages=("numba",),
)
MCTS = Side(
    "mcts, simulations",
    "lanista.bench.ours.searching",
    {"game": GAME, "agent": f"mcts:simulations={SIMULATIONS},exploration={EXPLORATION}", "positions": 1},
    packages=("numba",),
)


def openspiel(python: bool) -> Side:
    """OpenSpiel's search of the same position with the same numbers."""
    return Side(
        f"OpenSpiel's {'Python' if python else 'C++'} MCTS, simulations",
        "lanista.bench.peers.openspiel_mcts",
        {"game": GAME, "simulations": SIMULATIONS, "exploration": EXPLORATION, "python": python},
        environment="openspiel",
        packages=("open_spiel",),
    )


def trained(name: str, doing: str, rows: int, **more: Any) -> Side:
    """A trained agent's folder, doing something."""
    return Side(
        name,
        "lanista.bench.ours.trained_agent",
        {"game": GAME, "encoder": ENCODER, "rows": rows, "doing": doing, **more},
        packages=("torch", "numba"),
    )


def bare(library: str, rows: int) -> Side:
    """The same network's bare forward."""
    return Side(
        f"bare {library} at batch {rows}, rows",
        "lanista.bench.peers.bare_forward",
        {"game": GAME, "encoder": ENCODER, "rows": rows, "library": library},
        packages=(library,),
    )


def compared(moves: Side, peer: Side) -> str:
    """A claim's text: in the summary nothing else says that the two sides may count in different precisions."""
    return f"{moves.name}, in bfloat16 if the chip can, of float32 {peer.name}"


def measure(plan: Plan) -> Row:
    """Race each agent against its peers, one group after the other."""
    short = replace(plan, rounds=min(plan.rounds, ROUNDS), seconds=min(plan.seconds, SECONDS))
    lanes: list[Lane] = []
    verdicts: list[Verdict] = []
    games = QUICK_GAMES if plan.quick else GAMES
    for claims, sides in groups(games, QUICK_BATCHES if plan.quick else BATCHES):
        raced = race(sides, short)
        verdicts += [judge(claim, raced) for claim in claims]
        lanes += raced
    title = (
        f"Agents that think, in Connect Four. PUCT: {games} games at once with a network of 64 channels; a trained "
        "agent is as it comes out of training, in bfloat16 where the chip can; the bare forwards are in float32."
    )
    notes = [
        f"At most {ROUNDS} slices each.",
        f"MCTS: searches of {SIMULATIONS} simulations from the start, one random rollout each, with proofs.",
        "PUCT's rows are those that the network is asked; the network alone is asked them in the same batches.",
    ]
    return Row("agents", title, "steps", verdicts, lanes, notes)


def groups(games: int, batches: Sequence[int]) -> list[tuple[list[Claim], list[Side]]]:
    """Claims, and the sides that they compare.

    Args:
        games: whose trees of PUCT grow together.
        batches: rows of which a trained agent is asked.
    """
    python, cpp = openspiel(python=True), openspiel(python=False)
    puct = trained("PUCT, rows asked", "search", games, simulations=THOUGHTS)
    network = trained("its network alone, rows", "evaluate", games)
    made = [
        ([Claim("alpha-beta, positions reached", ALPHA_BETA.name, least=5e6, unit="steps/s")], [ALPHA_BETA]),
        (
            [
                Claim("MCTS, times OpenSpiel's Python MCTS", MCTS.name, python.name, least=10.0),
                Claim("MCTS, times OpenSpiel's C++ MCTS", MCTS.name, cpp.name, least=2.0),
            ],
            [MCTS, python, cpp],
        ),
        (
            [Claim(f"PUCT, of its network alone, {games} games", puct.name, network.name, least=1 / OVERHEAD)],
            [puct, network],
        ),
    ]
    for rows in batches:
        moves = trained(f"a trained agent's moves at batch {rows}", "moves", rows)
        peers = [bare("torch", rows), bare("onnxruntime", rows)]
        claims = [Claim(compared(moves, peer), moves.name, peer.name, LEAST_MOVES[rows]) for peer in peers]
        made.append((claims, [moves, *peers]))
    return made
