"""PPO self-play on Connect Four: same network, batch and epochs, against the bound and against stock trainers."""

from __future__ import annotations

from typing import Any

from lanista.bench.claims import Claim, judge
from lanista.bench.race import Plan, Side, SideError, race, start
from lanista.bench.results import Row

NETWORK = {"channels": 32, "blocks": 1, "dim": 64}
PLIES, EPOCHS, LEARNING_RATE = 16, 2, 1e-3
COPIES, QUICK_COPIES = 1024, 64
MINIBATCHES = 4  # a batch
ENVS = 64  # for the peers: with 32 or 128 RLlib, with 256 SB3 are no faster, with 8 SB3 is much slower
MICRO_BATCH = 1024  # rows computed at once, of the bound: best for float32, and no change to what is learned
FLOAT32, BFLOAT16, BOUND, STOCK, SB3 = (
    "Lanista",
    "Lanista bfloat16",
    "bare torch loop",
    "stock RLlib",
    "SB3 MaskablePPO",
)
CLAIMS = (
    Claim("times the bare torch loop, the bound", FLOAT32, BOUND, least=0.9),
    Claim("times stock RLlib", FLOAT32, STOCK, least=2.2),
    Claim("times SB3's MaskablePPO", FLOAT32, SB3, least=1.0),
)
FASTER = Claim("bfloat16 times our float32", BFLOAT16, FLOAT32, least=1.8)
PARTS = {
    "playing": "the network's forward in playing",
    "forward": "its forward in learning",
    "backward": "its backward",
    "optimiser": "the optimiser's step",
}


def measure(plan: Plan) -> Row:
    """Race whole updates, and tell where the time of ours goes."""
    from lanista.cores import fast_bfloat16

    copies = QUICK_COPIES if plan.quick else COPIES
    precisions = {FLOAT32: "float32", **({BFLOAT16: "bfloat16"} if fast_bfloat16() else {})}
    ours = [
        Side(name, "lanista.bench.ours.training", settings(copies, precision), packages=("torch", "ray"))
        for name, precision in precisions.items()
    ]
    lanes = race([*ours, *peers(copies)], plan)
    notes = [
        f"Updates of {copies * PLIES:,} moves, {EPOCHS} epochs in minibatches of {copies * PLIES // MINIBATCHES:,}; "
        f"a 3x3 convolution and {NETWORK['blocks']} residual block of {NETWORK['channels']} channels, a linear layer "
        f"of {NETWORK['dim']}; one thread. A slice is one update or more. The peers have {ENVS} environments each."
    ]
    claims = list(CLAIMS)
    if BFLOAT16 in precisions:
        claims.append(FASTER)
    else:
        notes.append("This chip does not compute in bfloat16, so that was not measured.")
    notes += [shares(copies, precision, plan) for precision in precisions.values()]
    title = "PPO self-play on Connect Four in float32 with the same network, batch and epochs: moves learned from."
    return Row("training", title, "moves", [judge(claim, lanes) for claim in claims], lanes, notes)


def settings(copies: int, precision: str) -> dict[str, Any]:
    """What our trainer is opened with."""
    options = ",".join(f"{name}={value}" for name, value in NETWORK.items())
    return {
        "game": "connect_four",
        "copies": copies,
        "plies": PLIES,
        "epochs": EPOCHS,
        "minibatch_size": copies * PLIES // MINIBATCHES,
        "learning_rate": LEARNING_RATE,
        "learning_rate_end": LEARNING_RATE,
        "encoder": f"board_resnet:{options}",
        "precision": precision,
    }


def peers(copies: int) -> list[Side]:
    """Who learns the same otherwise."""
    rows = copies * PLIES
    same = {"epochs": EPOCHS, "minibatch": rows // MINIBATCHES, "learning_rate": LEARNING_RATE, **NETWORK}
    stock = {"envs": ENVS, "batch": rows, **same}
    bound = {"copies": copies, "plies": PLIES, "micro_batch": MICRO_BATCH, **same}
    return [
        Side(BOUND, "lanista.bench.peers.torch_training", bound, packages=("torch",)),
        Side(STOCK, "lanista.bench.peers.rllib_training", stock, packages=("ray", "pettingzoo", "torch")),
        Side(
            SB3,
            "lanista.bench.peers.sb3_training",
            stock,
            environment="sb3",
            packages=("sb3-contrib", "stable-baselines3", "pettingzoo", "torch"),
        ),
    ]


def shares(copies: int, precision: str, plan: Plan) -> str:
    """Where the time of our updates goes, in a sentence."""
    plan.report(f"where the time goes in {precision}")
    try:
        running = start(Side("shares", "lanista.bench.ours.training_shares", settings(copies, precision)), plan)
        try:
            running.run(plan.seconds / 4)
            told = running.run(2 * plan.seconds).told
        finally:
            running.stop()
    except SideError as error:
        return f"Where our {precision} time goes was not measured: {error}"
    parts = [f"{words} {100 * told[name]:.1f} %" for name, words in PARTS.items()]
    rest = 1 - sum(told[name] for name in PARTS)
    return f"Of the CPU time of our {precision} training: {', '.join(parts)}; all else {100 * rest:.1f} %."
