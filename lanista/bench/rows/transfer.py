"""What pretrained encoders save: levels of BabyAI by a mission that is read, heard, or not told, on maps or pixels."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from lanista.bench.claims import Claim, Verdict, decided
from lanista.bench.race import Plan
from lanista.bench.results import Row, figure
from lanista.bench.rows.perception import spread
from lanista.errors import UsageError, unknown

ALONE = True  # it works in this process: a quick look has no other row beside it
SEEDS, QUICK_SEEDS = (0, 1, 2), (0,)
LEVELS, QUICK_LEVELS = ("GoToLocalS5N2", "GoToLocalS6N2", "GoToDoor-5x5"), ("GoToLocalS5N2",)
STEPS, QUICK_STEPS = 2_000_000, 10_000
ENOUGH = 0.9  # the share of games in which the mission is done
WINDOW = 1000  # games, at least, over which that share is taken
LATER = 10  # updates that a run goes on for once it has learnt: what it reached is measured then
GAMES, QUICK_GAMES = 500, 50  # that measure an agent
NEEDED = 0.5  # of the steps that learning from scratch takes; what a pretrained encoder should need at most
NEAR, APART = 0.03, 0.25  # of the text's success; how far below it who is told nothing should stay


@dataclass(frozen=True)
class Way:
    """How a mission and what is around reach the agent.

    Attributes:
        name: in the table.
        told: the game's `mission`.
        changes: settings.
        heard: it is a sound, so that other voices can be tried.
        map: the game's `map`.
    """

    name: str
    told: str
    changes: dict[str, Any]
    heard: bool = False
    map: str = "symbols"

    def game(self, level: str) -> str:
        """A level's string."""
        return f"babyai:{level}?mission={self.told}" + ("" if self.map == "symbols" else f"&map={self.map}")


TEXT, BLANK, SCRATCH = (
    Way("text", "text", {}),
    Way("not told", "none", {}),
    # The same layers as the pretrained one's; it takes hours unless it learns in bfloat16 where the chip has it.
    Way("speech, from scratch", "speech", {"encoder": "speech=speech_crnn:step=40", "precision": "auto"}, True),
)
HEARD = "speech=spoken_instructions"
FROZEN = Way("speech, pretrained and frozen", "speech", {"encoder": HEARD, "freeze": True}, True)
TUNED = Way("speech, pretrained and tuned", "speech", {"encoder": HEARD, "precision": "auto"}, True)
WORDS = Way(
    "speech, pretrained on single words and frozen", "speech", {"encoder": "speech=spoken_words", "freeze": True}, True
)
READ, VIEWS = "mission=missions", "map=minigrid_views"
TEXT_FROZEN = Way("text, pretrained and frozen", "text", {"encoder": READ, "freeze": True})
TEXT_TUNED = Way("text, pretrained and tuned", "text", {"encoder": READ})
PIXELS = Way("pixels", "text", {}, map="pixels")
TILES = Way("pixels, tile_cnn from scratch", "text", {"encoder": "map=tile_cnn"}, map="pixels")
PIXELS_FROZEN = Way("pixels, pretrained and frozen", "text", {"encoder": VIEWS, "freeze": True}, map="pixels")
PIXELS_TUNED = Way("pixels, pretrained and tuned", "text", {"encoder": VIEWS}, map="pixels")
WAYS = (TEXT, TEXT_FROZEN, TEXT_TUNED, BLANK, FROZEN, TUNED, WORDS, SCRATCH, PIXELS_FROZEN, PIXELS_TUNED, TILES, PIXELS)
# Pretrained, the same from scratch, what is pretrained.
PAIRS = (
    (FROZEN, SCRATCH, ""),
    (PIXELS_FROZEN, PIXELS, " of pixels"),
    (PIXELS_FROZEN, TILES, " of pixels, the same layers"),
    (TEXT_FROZEN, TEXT, " of texts"),
)


@dataclass(frozen=True)
class Cell:
    """What a run reached.

    Attributes:
        steps: until `ENOUGH` of the last `WINDOW` games were done; None if they never were.
        trained: all its steps.
        success: share of the measured games that were done, of the words and voices that it learnt from.
        unseen_words, unseen_voices: the same of others; the latter None where nothing is heard.
    """

    steps: int | None
    trained: int
    success: float
    unseen_words: float | None
    unseen_voices: float | None


def measure(plan: Plan) -> Row:
    """Train what is not there yet, and put together what all runs reached."""
    assert plan.encoders is not None
    seeds = QUICK_SEEDS if plan.quick else SEEDS
    levels, ways = chosen(plan)
    verdicts, table = list[Verdict](), list[dict[str, Any]]()
    for level in levels:
        reached: dict[str, list[Cell]] = {}
        for way in ways:
            try:
                reached[way.name] = [cell_of(level, way, seed, plan.encoders, plan) for seed in seeds]
            except UsageError as error:
                verdicts.append(Verdict(Claim(f"{level}, {way.name}", way.name), None, None, str(error)))
                continue
            table.append(line_of(level, way, reached[way.name]))
        verdicts += judged(level, reached)
    title = (
        f"Levels of BabyAI by `lanista train babyai:LEVEL?mission=...`, at most {STEPS:,} steps, seeds "
        f"{', '.join(map(str, seeds))}: means, and between the least and the greatest of them."
    )
    notes = [
        f"Steps until {ENOUGH:.0%} of the last {WINDOW:,} training games were done. Success is of {GAMES} games with "
        "seeds of their own; unseen words and voices are never learnt from.",
        "A wrong object ends no game of GoToLocal: who is told nothing tries one after the other. The wrong door of "
        "GoToDoor does.",
    ]
    return Row("transfer", title, "moves", verdicts, [], notes, table, between="least to greatest")


def chosen(plan: Plan) -> tuple[Sequence[str], Sequence[Way]]:
    """The levels and the ways that were asked for; all, or of a quick look some, where none were.

    Raises:
        UsageError: there is no such way or level.
    """
    from lanista.envs.doors.babyai import ids

    for level in plan.levels:
        if level not in ids():
            raise unknown("BabyAI level", level, ids())
    by_name = {way.name: way for way in WAYS}
    for name in plan.ways:
        if name not in by_name:
            raise unknown("way to show a level", name, by_name)
    levels = plan.levels or (QUICK_LEVELS if plan.quick else LEVELS)
    return levels, [by_name[name] for name in plan.ways] or WAYS


def cell_of(level: str, way: Way, seed: int, folder: Path, plan: Plan) -> Cell:
    """What a run reached; trained now, or gone on with, if it is not done, and measured once.

    Raises:
        UsageError: something that it needs is not on this machine.
    """
    from lanista.files import read_json, write_json

    out = folder / f"{level}-{way.name.replace(', ', '-').replace(' ', '-')}-{seed}"
    known, most = out / "transfer.json", most_steps(plan)
    if known.exists():
        cell = Cell(**read_json(known, "result of a run"))
        if cell.steps is not None or cell.trained >= most:
            return cell
    plan.report(f"training {level}, {way.name}, seed {seed}")
    trained(level, way, seed, out, most)
    write_json(known, vars(measured(level, way, out, QUICK_GAMES if plan.quick else GAMES)))
    return Cell(**read_json(known, "result of a run"))


def most_steps(plan: Plan) -> int:
    """After how many steps a run that has not learnt is given up."""
    return plan.steps or (QUICK_STEPS if plan.quick else STEPS)


def trained(level: str, way: Way, seed: int, out: Path, most: int) -> None:
    """Train a run until a little after it has learnt, or its steps are over; schedules are those of all `STEPS`."""
    from lanista.training.run import Progress, create_run, open_run, train
    from lanista.training.settings import read_settings

    there = (out / "config.toml").exists()
    shares = [share_of(row) for row in updates_of(out / "metrics.jsonl")]
    since = 0

    def watch(progress: Progress) -> None:
        nonlocal since
        shares.append(share_of(progress.metrics))
        since = since + 1 if since or enough(shares) else 0
        if over(progress.steps):
            raise KeyboardInterrupt  # as a user would: a checkpoint is saved

    def over(steps: int) -> bool:
        return since > LATER or (not since and steps >= most)

    changes = {"steps": max(STEPS, most), "seed": seed, "measurements": 0, "threads": 1}
    settings = read_settings(way.game(level), None, changes | way.changes)
    run = open_run(out) if there else create_run(out, settings)
    done = train(run, resume=there and bool(run.checkpoints()), report=watch)
    if done.interrupted and (done.progress is None or not over(done.progress.steps)):
        raise KeyboardInterrupt  # by the user


def enough(shares: Sequence[tuple[float, float]]) -> bool:
    """Whether the last `WINDOW` games, as (games, share that was done) of each update, were done often enough."""
    games = done = 0.0
    for count, share in reversed(shares):
        games, done = games + count, done + count * share
        if games >= WINDOW:
            return done >= ENOUGH * games
    return False


def steps_until_enough(metrics: Path) -> int | None:
    """The steps after which a run had learnt, by its metrics; None if it never had."""
    rows = updates_of(metrics)
    shares = [share_of(row) for row in rows]
    return next((int(row["steps"]) for at, row in enumerate(rows, 1) if enough(shares[:at])), None)


def updates_of(metrics: Path) -> list[dict[str, Any]]:
    """What a run's metrics tell of each update; nothing before there is one."""
    return [json.loads(line) for line in metrics.read_text().splitlines()] if metrics.exists() else []


def share_of(metrics: Mapping[str, float]) -> tuple[float, float]:
    """The games of an update, and the share of them that was done."""
    return metrics.get("games", 0.0), metrics.get("success", 0.0)


def measured(level: str, way: Way, out: Path, games: int) -> Cell:
    """Let a run's agent play: what it learnt from, other words, other voices."""
    game = way.game(level)
    words = None if way.told == "none" else success(f"{game}&phrasing=unseen", out, games)
    voices = success(f"{game}&voices=test", out, games) if way.heard else None
    rows = out / "metrics.jsonl"
    done = int(updates_of(rows)[-1]["steps"])
    return Cell(steps_until_enough(rows), done, success(game, out, games), words, voices)


def success(game: str, out: Path, games: int) -> float:
    """The share of games that a run's agent does, drawing its moves as in training: the likeliest can go in circles."""
    from lanista.agents.contestant import load_agent
    from lanista.agents.match import Scheduled, play_games

    seeds = np.random.SeedSequence(20_000).generate_state(games, np.uint32).tolist()
    schedule = [Scheduled((0,), seed) for seed in seeds]
    played = [
        one for some in play_games(game, [load_agent(f"{out}?temperature=1")], schedule, copies=64) for one in some
    ]
    return sum(one.returns[0] > 0 for one in played) / len(played)


def line_of(level: str, way: Way, cells: Sequence[Cell]) -> dict[str, Any]:
    """A way's line of the table."""
    steps = [cell.steps for cell in cells if cell.steps is not None]
    learnt = f"{mean(steps):,.0f} ({min(steps):,} to {max(steps):,})" if steps else ""
    if len(steps) < len(cells):
        given_up = min(cell.trained for cell in cells if cell.steps is None)
        learnt = f"{learnt}; not" * bool(learnt) + f"{'' if learnt else 'not'} after {given_up:,}"
    return {
        "level": level,
        "mission": way.name,
        "learnt": f"{len(steps)} of {len(cells)}",
        "steps until learnt": learnt,
        "success": share(cells, "success"),
        "unseen words": share(cells, "unseen_words"),
        "unseen voices": share(cells, "unseen_voices"),
    }


def share(cells: Sequence[Cell], name: str) -> str:
    """The mean of a share over runs, with the least and the greatest; empty where it was not measured."""
    values = [getattr(cell, name) for cell in cells]
    if any(value is None for value in values):
        return ""
    found = spread(values)
    return f"{figure(found.median, '%')} ({figure(found.low, '%')} to {figure(found.high, '%')})"


def saved(claim: Claim, pretrained: Sequence[Cell], scratch: Sequence[Cell]) -> Verdict:
    """What share of the steps from scratch pretrained encoders need; who never learnt needed more than it had."""
    failed = sum(cell.steps is None for cell in pretrained)
    if failed:
        return Verdict(claim, None, None, f"{failed} of {len(pretrained)} never learnt it")
    # Where scratch never learnt, the ratio is at most what is told.
    pairs = zip(pretrained, scratch, strict=True)
    return decided(claim, spread([(mine.steps or 0) / (other.steps or other.trained) for mine, other in pairs]))


def judged(level: str, reached: dict[str, list[Cell]]) -> list[Verdict]:
    """The claims of a level, as far as its ways were measured."""
    verdicts = []
    text, blank = reached.get(TEXT.name), reached.get(BLANK.name)
    frozen = reached.get(FROZEN.name)
    for pretrained, fresh, what in PAIRS:
        mine, other = reached.get(pretrained.name), reached.get(fresh.name)
        if mine and other:
            told = f"{level}: steps with a pretrained encoder{what}, of those from scratch"
            verdicts.append(saved(Claim(told, pretrained.name, most=NEEDED), mine, other))
    read = reached.get(TEXT_FROZEN.name)
    if text and read:
        gained = [
            mine.unseen_words - other.unseen_words
            for mine, other in zip(read, text, strict=True)
            if mine.unseen_words is not None and other.unseen_words is not None
        ]
        claim = Claim(f"{level}: success on unseen words that a pretrained encoder adds", TEXT_FROZEN.name, unit="%")
        verdicts += [decided(claim, spread(gained))] if gained else []
    if text and frozen:
        behind = [one.success - other.success for one, other in zip(text, frozen, strict=True)]
        claim = Claim(f"{level}: success that speech lacks to text", FROZEN.name, most=NEAR, unit="%")
        verdicts.append(decided(claim, spread(behind)))
    if text and blank:
        below = [one.success - other.success for one, other in zip(text, blank, strict=True)]
        claim = Claim(f"{level}: success that is lacking where nothing is told", BLANK.name, least=APART, unit="%")
        verdicts.append(decided(claim, spread(below)))
    return verdicts
