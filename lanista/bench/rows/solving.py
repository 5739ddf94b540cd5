"""How long until CartPole is solved, each with the settings that it brings for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Lane, Plan, Side, race
from lanista.bench.results import Row
from lanista.bench.solved import EPISODES, MEAN, STEPS

SEEDS, QUICK_SEEDS = 3, 1
LIMIT, QUICK_LIMIT = 120.0, 2.0  # CPU seconds of a run
OURS, SB3, CLEANRL, RLLIB = "Lanista", "SB3 PPO", "CleanRL's ppo.py", "RLlib PPO"
# rl-baselines3-zoo's hyperparams/ppo.yml, and SB3's defaults for what is not there.
ZOO: dict[str, Any] = {
    "envs": 8, "plies": 32, "epochs": 20, "minibatch": 256, "learning_rate": 1e-3, "entropy": 0.0, "gamma": 0.98,
    "gae_lambda": 0.8, "clip": 0.2, "value": 0.5, "norm": 0.5,
}  # fmt: skip
# The defaults of CleanRL's ppo.py, whose rate falls over 500,000 steps.
CLEANRL_DEFAULTS: dict[str, Any] = {
    "envs": 4, "plies": 128, "epochs": 4, "minibatch": 128, "learning_rate": 2.5e-4, "entropy": 0.01, "gamma": 0.99,
    "gae_lambda": 0.95, "clip": 0.2, "value": 0.5, "norm": 0.5, "solving": 500_000,
}  # fmt: skip
CLAIMS = (
    Claim("times as soon as SB3 with rl-zoo's settings", OURS, SB3, least=2.0),
    Claim("times as soon as CleanRL with its defaults", OURS, CLEANRL, least=2.0),
    Claim("times as soon as RLlib with its tuned example's", OURS, RLLIB, least=2.0),
    Claim("CPU seconds", OURS, unit="s"),
)


def measure(plan: Plan) -> Row:
    """Race whole runs; the first of each, which warms up, has a quarter of the time and does not count."""
    runs = replace(
        plan,
        rounds=QUICK_SEEDS if plan.quick else SEEDS,
        seconds=QUICK_LIMIT if plan.quick else LIMIT,
    )
    lanes = race(sides(), runs)
    title = f"CPU seconds until the mean of the last {EPISODES} training episodes on CartPole reaches {MEAN:g}."
    notes = [
        f"{runs.rounds} seeds; a run that has not got there after {runs.seconds:g} CPU seconds counts as if it "
        f"had just then. Ours, with its preset, and SB3 let their rates fall over {STEPS:,} steps, as rl-zoo "
        "does; SB3 goes on with a tenth then.",
        *told(lanes),
    ]
    return Row("solving", title, "runs", [judge(claim, lanes) for claim in CLAIMS], lanes, notes)


def told(lanes: Sequence[Lane]) -> list[str]:
    """What each side's runs were, in a sentence."""
    sentences = []
    for lane in lanes:
        if lane.slices:
            reached = sum(int(piece.told["solved"]) for piece in lane.slices)
            seconds = ", ".join(f"{piece.cpu_seconds:.1f}" for piece in lane.slices)
            steps = ", ".join(f"{piece.told['environment_steps']:,.0f}" for piece in lane.slices)
            sentences.append(
                f"{lane.side.name}: {reached} of {len(lane.slices)} runs got there; {seconds} s, {steps} steps."
            )
    return sentences


def sides() -> list[Side]:
    """Who learns."""
    return [
        Side(OURS, "lanista.bench.ours.solving", {"game": "gym:CartPole-v1"}, packages=("torch", "numba")),
        Side(SB3, "lanista.bench.peers.sb3_control", {**ZOO, "solving": True}, packages=("stable-baselines3", "torch")),
        Side(CLEANRL, "lanista.bench.peers.cleanrl_control", CLEANRL_DEFAULTS, packages=("torch", "gymnasium")),
        Side(RLLIB, "lanista.bench.peers.rllib_solving", {"envs": 8}, packages=("ray", "torch")),
    ]
