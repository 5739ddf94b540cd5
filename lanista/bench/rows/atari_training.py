"""PPO on Pong with the CNN of Mnih et al. 2015: same vector environment, network and hyperparameters."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lanista.bench.claims import Claim, judge
from lanista.bench.ours.numbers import in_our_words
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

GAME = "pong"
FLOAT32, BFLOAT16, BOUND, SB3 = "Lanista", "Lanista bfloat16", "bare torch loop", "SB3 PPO"
QUICK_ROUNDS = 1
ENVS, PLIES, QUICK_PLIES, MINIBATCH, EPOCHS, DIM = 8, 128, 32, 256, 4, 512
SAME: dict[str, Any] = {
    "epochs": EPOCHS, "minibatch": MINIBATCH, "learning_rate": 2.5e-4, "entropy": 0.01, "gamma": 0.99,
    "gae_lambda": 0.95, "clip": 0.1, "value": 0.5, "norm": 0.5,
}  # fmt: skip
CLAIMS = (
    Claim("times the bare torch loop, channels last and fused Adam", FLOAT32, BOUND, least=0.95),
    Claim("times SB3's PPO, in float32", FLOAT32, SB3),
)
FASTER = Claim("times SB3's PPO, in bfloat16", BFLOAT16, SB3, least=1.8)


def measure(plan: Plan) -> Row:
    """Race whole updates."""
    from lanista.cores import fast_bfloat16

    plies, fast = QUICK_PLIES if plan.quick else PLIES, fast_bfloat16()
    rounds = min(plan.rounds, QUICK_ROUNDS) if plan.quick else plan.rounds  # an update takes seconds
    lanes = race(sides(plies, fast), replace(plan, rounds=rounds))
    notes = [
        f"Updates of {ENVS} environments times {plies} moves, {EPOCHS} epochs in minibatches of {MINIBATCH}; a linear "
        f"layer of {DIM} units; one thread. All sides step ale_py's vector environment, frame skip 4, rewards clipped."
    ]
    if not fast:
        notes.append("This chip does not compute in bfloat16, so that was not measured.")
    claims = [*CLAIMS, *([FASTER] if fast else [])]
    title = "PPO on Atari Pong: moves learned from."
    return Row("atari_training", title, "moves", [judge(claim, lanes) for claim in claims], lanes, notes)


def sides(plies: int, fast: bool) -> list[Side]:
    """Who learns.

    Args:
        plies: moves of each environment between updates.
        fast: the chip computes in bfloat16.
    """
    peer = {"game": GAME, "envs": ENVS, "plies": plies, "dim": DIM, **SAME}
    return [
        *(
            Side(name, "lanista.bench.ours.training", settings(plies, precision), packages=("torch", "ale-py"))
            for name, precision in ((FLOAT32, "float32"), *(((BFLOAT16, "bfloat16"),) if fast else ()))
        ),
        Side(BOUND, "lanista.bench.peers.torch_atari", peer, packages=("torch", "ale-py")),
        Side(SB3, "lanista.bench.peers.sb3_atari", peer, packages=("stable-baselines3", "torch", "ale-py")),
    ]


def settings(plies: int, precision: str) -> dict[str, Any]:
    """What our trainer is opened with."""
    return {
        **in_our_words(SAME), "game": f"atari:{GAME}?reward_clipping=true", "copies": ENVS, "plies": plies,
        "precision": precision, "encoder": f"nature_cnn:dim={DIM}",
    }  # fmt: skip
