"""How strong an agent is: its share of the points against fixed opponents, and how a run came there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lanista import plots
from lanista.bench import pictures
from lanista.bench.claims import Claim, Interval, decided
from lanista.bench.race import Plan
from lanista.bench.results import Row

if TYPE_CHECKING:  # whoever lists the rows need not wait for torch
    from lanista.arena.ratings import Score
    from lanista.envs.core import Agent

ALONE = True  # it works in this process: a quick look has no other row beside it
OPPONENTS = ("random", *(f"minimax:depth={depth}" for depth in (1, 2, 3, 4)))
TARGETS = {"random": 0.995, "minimax:depth=2": 0.9}  # for ten minutes of Connect Four on two cores
GAME = "connect_four"
PAIRS, QUICK_PAIRS = 200, 40
PLIES = (0, 8)
SEED = 2026


@dataclass(frozen=True)
class Point:
    """A checkpoint of a run.

    Attributes:
        steps, minutes: of training until then.
        scores: against each opponent.
    """

    steps: int
    minutes: float
    scores: dict[str, Score]


def measure(plan: Plan) -> Row:
    """Play the plan's agent against each opponent; of a run, its checkpoints too."""
    from lanista.agents.contestant import load_agent

    agent = load_agent(plan.agent)
    game = str(getattr(agent, "game", GAME))
    pairs = QUICK_PAIRS if plan.quick else PAIRS
    verdicts = []
    for opponent in OPPONENTS:
        plan.report(f"{plan.agent} against {opponent}")
        least = TARGETS.get(opponent) if game == GAME else None
        claim = Claim(f"points against {opponent}", plan.agent, opponent, least=least, unit="%")
        verdicts.append(decided(claim, interval(points(game, agent, opponent, pairs))))
    curve = checkpoints(Path(plan.agent), game, pairs, plan)
    title = (
        f"{plan.agent} in {game}: share of the points over {pairs} pairs of games, both seats of {pairs} openings of "
        f"{PLIES[0]} to {PLIES[1]} random plies; the interval is of pairs."
    )
    return Row("strength", title, "games", verdicts, [], [], [row_of(point) for point in curve])


def points(game: str, agent: Agent, opponent: str, pairs: int) -> Score:
    """The agent's share of the points against an opponent, with its interval."""
    import numpy as np

    from lanista.agents.contestant import load_agent
    from lanista.agents.match import Scheduled, play_games
    from lanista.agents.random_openings import random_openings
    from lanista.arena.ratings import Pair, pair_score

    seeds = np.random.SeedSequence(SEED).generate_state(pairs, np.uint64).tolist()
    schedule = [
        Scheduled(seats, seed, opening, label=2 * number + leg)
        for number, (seed, opening) in enumerate(zip(seeds, random_openings(game, seeds, PLIES), strict=True))
        for leg, seats in enumerate([(0, 1), (1, 0)])
    ]
    won: list[list[float | None]] = [[None, None] for _ in seeds]
    for played in play_games(game, [agent, load_agent(opponent)], schedule, seed=SEED):
        for one in played:
            number, leg = divmod(one.scheduled.label, 2)
            mine, other = one.returns[leg], one.returns[1 - leg]
            if one.reason != "broken":
                won[number][leg] = 1.0 if mine > other else 0.5 if mine == other else 0.0
    return pair_score([Pair("agent", opponent, *legs) for legs in won], "agent")


def checkpoints(folder: Path, game: str, pairs: int, plan: Plan) -> list[Point]:
    """A run's checkpoints, oldest first, each measured; none if the folder is no run."""
    if not (folder / "config.toml").is_file():
        return []
    from lanista.agents.artifact import read_description
    from lanista.agents.contestant import load_agent
    from lanista.training.run import open_run

    curve = []
    for checkpoint in open_run(folder).checkpoints():
        plan.report(f"checkpoint {checkpoint.name}")
        training = read_description(checkpoint)["training"]
        scores = {opponent: points(game, load_agent(checkpoint), opponent, pairs) for opponent in OPPONENTS}
        curve.append(Point(int(training["steps"]), float(training["seconds"]) / 60, scores))
    return curve


def interval(score: Score) -> Interval:
    """A share of the points as the bench's tables take it."""
    return Interval(score.score, score.low, score.high, 0.95)


def row_of(point: Point) -> dict[str, int | float | str | Interval]:
    """A checkpoint in the table of the curve."""
    scores = {f"against {opponent}": interval(score) for opponent, score in point.scores.items()}
    return {"steps": point.steps, "minutes": point.minutes, **scores}


@plots.drawing()
def draw(row: Row, path: Path) -> None:
    """Draw the share of the points over the minutes, a line an opponent, its interval as a band.

    Args:
        row: of a run; an agent that has no checkpoints is drawn as any row.
        path: the file.
    """
    from matplotlib.figure import Figure

    if not row.table:
        pictures.draw(row, path)
        return
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    minutes: list[float] = [point["minutes"] for point in row.table]  # type: ignore[misc]
    for opponent in OPPONENTS:
        scores: list[Interval] = [point[f"against {opponent}"] for point in row.table]  # type: ignore[misc]
        (line,) = axes.plot(minutes, [100 * score.median for score in scores], marker="o", label=opponent)
        axes.fill_between(
            minutes,
            [100 * score.low for score in scores],
            [100 * score.high for score in scores],
            color=line.get_color(),
            alpha=0.15,
        )
    steps = row.table[-1]["steps"]
    axes.set(xlabel=f"minutes of training ({steps:,} moves in all)", ylabel="share of the points, %", ylim=(0, 101))
    axes.set_title("strength as the run went on")
    axes.grid(alpha=0.3)
    axes.legend(title="against", loc="lower right")
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None, dpi=120)
