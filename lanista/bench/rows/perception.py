"""What each task of pretraining reaches, over several seeds, beside a simple method on the same examples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from lanista.bench.claims import Claim, Interval, Verdict, decided
from lanista.bench.race import Plan
from lanista.bench.results import Row, figure
from lanista.errors import UsageError

ALONE = True  # it works in this process: a quick look has no other row beside it
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
QUICK_MINUTES = 0.05
SHARES = (
    "accuracy",
    "macro_f1",
    "average_precision",
    "roc_auc",
    "exact_match",
    "plate_accuracy",
    "words_right",
    "phrase_accuracy",
    "board_accuracy",
    "cell_accuracy",
    "view_accuracy",
    "thing_accuracy",
    "mission_accuracy",
    "verb_accuracy",
)


@dataclass(frozen=True)
class Goal:
    """What a task should reach on a part of its tests.

    Attributes:
        task: its string.
        part: of its tests.
        measure: one of that part's measures.
        least: the value should be at least this, if any.
        above: the value should exceed the baseline's by at least this, if any.
        baseline_most: the baseline should be at most this, if any: otherwise the test is too easy.
    """

    task: str
    part: str
    measure: str = "accuracy"
    least: float | None = None
    above: float | None = None
    baseline_most: float | None = None


GOALS = (
    Goal("pictures:data=digits", "test", above=0.0),
    Goal("pictures:data=mnist", "test", least=0.992, above=0.0),
    Goal("pictures:data=fashion_mnist", "test", least=0.92, above=0.0),
    Goal("pictures:data=drawings", "test", above=0.0),
    Goal("faces", "test", "average_precision", above=0.0),
    Goal("faces", "photographs", "average_precision", above=0.0),
    Goal("face_verification", "test", above=0.0),
    Goal("plates", "unseen fonts", "plate_accuracy", least=0.9, baseline_most=0.5),
    Goal("spoken_words", "unseen voices", least=0.95, above=0.0),
    Goal("spoken_words", "real recordings", least=0.85, above=0.0),
    Goal("spoken_moves", "unseen voices", "phrase_accuracy", above=0.0),
    Goal("spoken_moves", "real words, joined", "phrase_accuracy", above=0.0),
    Goal("spoken_instructions", "unseen voices", "phrase_accuracy", above=0.0),
    Goal("boards", "straight", "board_accuracy", least=0.95, above=0.0),
    Goal("boards", "photographed", "board_accuracy", least=0.9, above=0.0),
    Goal("minigrid_views", "unseen levels", "view_accuracy", least=0.99),
    Goal("minigrid_views", "dimmed", "view_accuracy", least=0.95, above=0.0, baseline_most=0.5),
    Goal("missions", "test", "thing_accuracy", least=0.95, above=0.0),
    Goal("missions", "unseen phrasings", "thing_accuracy", above=0.0),
    Goal("spelling", "unseen words", "character_error_rate", above=0.0),
    Goal("spelling", "real recordings", "character_error_rate", above=0.0),
    Goal("sentiment", "test", above=-0.01),
    Goal("sentiment", "unseen domain", above=-0.01),
    Goal("topics:data=newsgroups", "test", above=-0.01),
    Goal("topics:data=reuters", "test", above=-0.01),
    Goal("topics:data=spam", "test", above=-0.01),
    Goal("intents", "unseen phrasings", above=-0.01),
    Goal("translation", "test", "chrf", above=0.0),
    Goal("translation", "unseen campaign", "chrf", above=0.0),
    Goal("questions", "unseen phrasings", "exact_match", least=0.9, above=0.0),
)
LOWER_IS_BETTER = ("character_error_rate", "word_error_rate")
MINUTES = 15.0


def measure(plan: Plan) -> Row:
    """Train what is not there yet, and put together what all runs reached."""
    seeds = QUICK_SEEDS if plan.quick else SEEDS
    assert plan.encoders is not None
    verdicts, notes, table = list[Verdict](), list[str](), list[dict[str, Any]]()
    for task in dict.fromkeys(goal.task for goal in GOALS):
        goals = [goal for goal in GOALS if goal.task == task]
        try:
            runs = [run_of(task, seed, plan.encoders, plan) for seed in seeds]
        except UsageError as error:
            verdicts += [Verdict(Claim(_words(goal), task), None, None, str(error)) for goal in goals]
            continue
        for goal in goals:
            verdicts += judged(goal, runs)
        longest = Claim(f"{task}: minutes of the longest run", task, most=MINUTES, unit="min")
        minutes = [run["seconds"] / 60 for run in runs]
        verdicts.append(decided(longest, Interval(max(minutes), min(minutes), max(minutes), 1.0)))
        table += rows_of(task, runs)
        notes += [f"{task}: {line}" for line in runs[0]["data"]]
    title = (
        f"Encoders trained by `lanista pretrain TASK --seed` {', '.join(map(str, seeds))}: the mean of the seeds, and "
        "between the least and the greatest of them. The tests were looked at once a run, at its end."
    )
    return Row("perception", title, "examples", verdicts, [], notes, table, between="least to greatest")


def run_of(task: str, seed: int, folder: Path, plan: Plan) -> dict[str, Any]:
    """What a run says of itself; trained now, or gone on with, if it is not done.

    Raises:
        UsageError: its data is not on this machine.
    """
    from lanista.files import read_json
    from lanista.perception.pretrain import pretrain, resume
    from lanista.perception.pretrain_settings import Settings

    out = folder / f"{task.replace(':', '-').replace('=', '-').replace(',', '-')}-{seed}"
    if not (out / "encoder.json").exists():
        plan.report(f"training {task}, seed {seed}")
        if (out / "pretrain.json").exists():
            resume(out)
        else:
            pretrain(Settings(task, seed=seed, minutes=QUICK_MINUTES if plan.quick else None), out)
    about: dict[str, Any] = read_json(out / "encoder.json", "encoder folder")["training"]
    return about


def judged(goal: Goal, runs: Sequence[dict[str, Any]]) -> list[Verdict]:
    """A goal's claims over the runs."""
    unit, name = _unit(goal.measure), runs[0]["baseline"]["name"]
    scores = [float(run["tests"][goal.part][goal.measure]) for run in runs]
    simple = [run["baseline"]["scores"].get(goal.part, {}).get(goal.measure) for run in runs]
    verdicts = [decided(Claim(_words(goal), goal.task, least=goal.least, unit=unit), spread(scores))]
    if None in simple:
        return verdicts
    if goal.above is not None:
        lower = goal.measure in LOWER_IS_BETTER
        more = [(theirs - mine) if lower else (mine - theirs) for mine, theirs in zip(scores, simple, strict=True)]
        claim = Claim(f"{_words(goal)}, better than {name}", goal.task, least=goal.above, unit=unit)
        verdicts.append(decided(claim, spread(more)))
    if goal.baseline_most is not None:
        claim = Claim(f"{_words(goal)}, of {name}", goal.task, most=goal.baseline_most, unit=unit)
        verdicts.append(decided(claim, spread(simple)))
    return verdicts


def spread(values: Sequence[float]) -> Interval:
    """Their mean, least and greatest, as the bench's tables take it."""
    return Interval(mean(values), min(values), max(values), 1.0)


def rows_of(task: str, runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for each measure of each part."""
    lines = []
    for part, measures in runs[0]["tests"].items():
        for name in measures:
            scores = spread([float(run["tests"][part][name]) for run in runs])
            unit = _unit(name)
            simple = [run["baseline"]["scores"].get(part, {}).get(name) for run in runs]
            between = f"{figure(scores.low, unit)} to {figure(scores.high, unit)}"
            lines.append(
                {
                    "task": task,
                    "examples": part,
                    "measure": name.replace("_", " "),
                    "encoder": f"{figure(scores.median, unit)} ({between})",
                    "baseline": "" if None in simple else figure(mean(simple), unit),
                    "learnt from": runs[0]["examples"],
                    "tested on": runs[0]["examples_tested"][part],
                    "minutes": round(mean(run["seconds"] / 60 for run in runs), 1),
                }
            )
    return lines


def _unit(measure: str) -> str:
    return "%" if measure in (*SHARES, *LOWER_IS_BETTER) else ""


def _words(goal: Goal) -> str:
    return f"{goal.task}, {goal.part}: {goal.measure.replace('_', ' ')}"
