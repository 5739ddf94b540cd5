"""Hidden hands: how exploitable our agents and OpenSpiel's are after the same number of steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

from lanista.bench.claims import Claim, Interval, Verdict, decided
from lanista.bench.race import Lane, Plan, Side, SideError, start
from lanista.bench.results import Row

GAME = "leduc_poker"
BUDGETS, QUICK_BUDGETS = (100_000, 300_000, 1_000_000), (10_000,)
LONGER = 30  # times the last budget: what ours learns in about the CPU time that NFSP takes
PATIENCE = 3 * 3600.0  # seconds for a budget: the longer ones take a quarter of an hour on a machine that is busy
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
OURS, EXACT = "Lanista, PPO with a magnet", "Lanista, exact advantages"
# What learns from the hands that are played and sees no tree; else it is as the game's preset says.
SAMPLED = {
    "exact_advantages": False, "seats_in_turn": False, "adam_beta1": 0.9, "normalize_advantage": True, "copies": 1024,
    "epochs": 2, "learning_rate": 1e-3, "learning_rate_end": 1.8e-5, "entropy_coefficient": 0.15,
    "entropy_coefficient_end": 0.03,
}  # fmt: skip
PEERS = {"cfr": "OpenSpiel CFR", "nfsp": "OpenSpiel NFSP", "psro": "OpenSpiel PSRO"}
LEAST_EXPLOITABLE = 0.1
PACKAGES = ("open_spiel", "torch")


def measure(plan: Plan) -> Row:
    """Train all sides, one after the other, each seed anew."""
    budgets, seeds = (QUICK_BUDGETS, QUICK_SEEDS) if plan.quick else (BUDGETS, SEEDS)
    table, verdicts, failed = list[dict[str, Any]](), list[Verdict](), list[Lane]()
    last = dict[str, list[dict[str, float]]]()
    mine = [*budgets, *([] if plan.quick else [LONGER * budgets[-1]])]
    own = [(OURS, ours(OURS, SAMPLED), mine), (EXACT, ours(EXACT, {}), mine)]
    for name, side, marks in [*own, *((PEERS[key], peer(key), budgets) for key in PEERS)]:
        found: dict[int, list[dict[str, float]]] = {mark: [] for mark in marks}
        try:
            for seed in seeds:
                plan.report(f"{name}, seed {seed}")
                for mark, told in reached(side(seed), marks, plan).items():
                    found[mark].append(told)
        except SideError as error:
            verdicts.append(Verdict(Claim(f"{name}: NashConv", name), None, None, str(error)))
            failed.append(Lane(side(seeds[0]), trouble=str(error)))
            continue
        last[name] = found[budgets[-1]]
        table += [line(name, mark, runs) for mark, runs in found.items()]
        if name in (OURS, EXACT) and not plan.quick:
            claim = Claim(f"{name}: NashConv after {mine[-1]:,} steps", name, most=LEAST_EXPLOITABLE, unit="")
            verdicts.append(decided(claim, spread([told["nash_conv"] for told in found[mine[-1]]])))
    verdicts += [judged(name, last, budgets[-1]) for name in PEERS.values() if {name, OURS} <= set(last)]
    title = (
        f"{GAME} with two players: NashConv (what best responses of both would gain together, in chips a hand) after "
        "the same number of decisions; the median of the seeds, and between the least and the greatest."
    )
    notes = [
        "A step is a move of a simulated hand; for CFR, and for PSRO's exact best responses, a decision of the tree at "
        "which the algorithm stands. CFR, PSRO and exact advantages walk the whole tree, which PPO with a magnet and "
        "NFSP never see; what exact advantages walk beside the hands that are played is not counted.",
        "Ours is trained anew for each budget, since its schedules follow the length of a run; the others go on. "
        "OpenSpiel's NFSP has the values of its example for Leduc, PSRO those of its own with exact oracles.",
    ]
    return Row("hidden_hands", title, "steps", verdicts, failed, notes, table, between="least to greatest")


def ours(name: str, changes: Mapping[str, Any]) -> Callable[[int], Side]:
    """What makes a side of ours of a seed.

    Args:
        name: of the side.
        changes: settings other than the preset's.
    """

    def side(seed: int) -> Side:
        options = {"game": GAME, "seed": seed, **changes}
        return Side(name, "lanista.bench.ours.hidden_hands", options, packages=("torch",))

    return side


def peer(algorithm: str) -> Callable[[int], Side]:
    """What makes a peer's side of a seed."""

    def side(seed: int) -> Side:
        options = {"game": GAME, "algorithm": algorithm, "seed": seed}
        module = "lanista.bench.peers.openspiel_hidden_hands"
        return Side(PEERS[algorithm], module, options, environment="openspiel_learning", packages=PACKAGES)

    return side


def reached(side: Side, marks: tuple[int, ...] | list[int], plan: Plan) -> dict[int, dict[str, float]]:
    """What a side tells at each budget: mark -> steps, NashConv, CPU seconds.

    Raises:
        SideError: it failed.
    """
    running, told, steps = start(side, plan), dict[int, dict[str, float]](), 0.0
    try:
        for mark in marks:
            piece = running.run(mark if side.ours else mark - steps, PATIENCE)
            steps = piece.steps
            told[mark] = {"steps": piece.steps, **piece.told}
    finally:
        running.stop()
    return told


def spread(values: list[float]) -> Interval:
    """Their median, least and greatest, as the bench's tables take it."""
    return Interval(median(values), min(values), max(values), 1.0)


def judged(name: str, last: dict[str, list[dict[str, float]]], budget: int) -> Verdict:
    """A peer's NashConv as a multiple of ours, seed by seed."""
    claim = Claim(f"{name}: NashConv after {budget:,} steps, times ours", name, OURS)
    pairs = zip(last[name], last[OURS], strict=True)
    return decided(claim, spread([theirs["nash_conv"] / mine["nash_conv"] for theirs, mine in pairs]))


def line(name: str, mark: int, runs: list[dict[str, float]]) -> dict[str, Any]:
    """A side at a budget, in the table."""
    conv = spread([told["nash_conv"] for told in runs])
    return {
        "learner": name,
        "steps": f"{mark:,}",
        "NashConv": f"{conv.median:.3f} ({conv.low:.3f} to {conv.high:.3f})",
        "CPU seconds": f"{median(told['seconds'] for told in runs):.1f}",
    }
