"""PPO on CartPole, where the network is so small that the calls cost more than the arithmetic."""

from __future__ import annotations

from typing import Any

from lanista.bench.claims import Claim, judge
from lanista.bench.ours.numbers import in_our_words
from lanista.bench.race import Plan, Side, race
from lanista.bench.results import Row

GAME = "gym:CartPole-v1"
COPIES, PLIES, MINIBATCH, EPOCHS = 8, 128, 256, 4
OURS, BOUND, SB3, CLEANRL = "Lanista", "bare torch loop", "SB3 PPO", "CleanRL's ppo.py"
SAME: dict[str, Any] = {
    "envs": COPIES, "plies": PLIES, "epochs": EPOCHS, "minibatch": MINIBATCH, "learning_rate": 2.5e-4, "entropy": 0.01,
    "gamma": 0.99, "gae_lambda": 0.95, "clip": 0.2, "value": 0.5, "norm": 0.5,
}  # fmt: skip
CLAIMS = (
    Claim("times the bare torch loop", OURS, BOUND, least=0.9),
    Claim("times SB3's PPO", OURS, SB3, least=1.5),
    Claim("times CleanRL's ppo.py", OURS, CLEANRL, least=1.5),
)


def measure(plan: Plan) -> Row:
    """Race whole updates."""
    lanes = race(sides(), plan)
    note = (
        f"Updates of {COPIES} environments times {PLIES} moves, {EPOCHS} epochs in minibatches of {MINIBATCH}; policy "
        "and value have two layers of 64 units with ReLU each; one thread. CleanRL's loop is written after its "
        "published file, without its TensorBoard writer; its value loss is clipped, as published."
    )
    title = "PPO on CartPole in float32 with the same network and hyperparameters: moves learned from."
    return Row("control", title, "moves", [judge(claim, lanes) for claim in CLAIMS], lanes, [note])


def sides() -> list[Side]:
    """Who learns."""
    ours = {
        **in_our_words(SAME), "game": GAME, "copies": COPIES, "plies": PLIES, "precision": "float32",
        "encoder": "mlp:dim=64,depth=2", "separate_value": True,
    }  # fmt: skip
    return [
        Side(OURS, "lanista.bench.ours.training", ours, packages=("torch", "numba")),
        Side(BOUND, "lanista.bench.peers.torch_control", SAME, packages=("torch", "gymnasium")),
        Side(SB3, "lanista.bench.peers.sb3_control", SAME, packages=("stable-baselines3", "gymnasium", "torch")),
        Side(CLEANRL, "lanista.bench.peers.cleanrl_control", SAME, packages=("torch", "gymnasium")),
    ]
