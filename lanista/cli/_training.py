"""A training run on the terminal: the progress bar, and what is said at its end."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.text import Text

from lanista.cli._printing import called, console
from lanista.training.anchor_rating import Rating
from lanista.training.run import Progress as RunProgress
from lanista.training.run import Run


class TrainingView:
    """Shows how a run stands: a bar on a terminal; elsewhere a line whenever the agent was measured."""

    def __init__(self, game: str, *, exact: bool = True) -> None:
        """Begin to show.

        Args:
            game: what is trained on, for the title.
            exact: also show what best responses gain on it; of one that responds to a single player that says nothing.
        """
        self.game, self.exact = game, exact
        self.console = console(errors=True)  # standard output is for the result
        self.bar = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(24), _Standing(), console=self.console
        )
        self.task = self.bar.add_task(f"{game}: starting", total=1.0)
        self.scores = Text("")
        self._told: object = None

    @contextmanager
    def shown(self) -> Iterator[TrainingView]:
        """Show it while the run goes on."""
        if not self.console.is_terminal:
            yield self
            return
        with Live(Group(self.bar, self.scores), console=self.console, refresh_per_second=4):
            yield self

    def report(self, progress: RunProgress) -> None:
        """Show how the run stands now; `training.run.train` calls it after each update."""
        progress = progress if self.exact else replace(progress, nash_conv=None)
        self.bar.update(self.task, description=self.game, completed=progress.share, standing=standing(progress))
        scores = score_line(progress)
        self.scores.plain = scores
        measured = (dict(progress.scores), dict(progress.returns), progress.nash_conv)
        if not self.console.is_terminal and (measured != self._told or progress.share >= 1.0):
            self._told = measured
            self.console.print(f"{self.game}  {standing(progress)}  {scores}".rstrip())


class _Standing(ProgressColumn):
    """Steps, speed and time left, as the report of the last update said."""

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get("standing", "")))


def standing(progress: RunProgress) -> str:
    """Share, steps, speed and time left in words."""
    left = progress.seconds * (1 - progress.share) / progress.share if progress.share else 0.0
    return f"{progress.share:.0%}  {progress.steps:,} steps  {progress.steps_a_second:,.0f} steps/s  {clock(left)} left"


def score_line(progress: RunProgress) -> str:
    """Points against each opponent, rating, returns on levels, exploitability, in words; empty before any."""
    scores = ", ".join(f"{score:.1%} against {anchor}" for anchor, score in progress.scores.items())
    returns = ", ".join(
        f"{found.mean:.3g} ({found.low:.3g} to {found.high:.3g}) on {found.games} {kind} levels"
        for kind, found in progress.returns.items()
    )
    said = [f"points: {scores}"] if scores else []
    if progress.rating is not None:
        said.append(f"rating {rating_words(progress.rating)}")
    if "league_score" in progress.metrics:
        members, least = progress.metrics["league_members"], progress.metrics["league_least_score"]
        said.append(f"league of {members:.0f}: {progress.metrics['league_score']:.1%} on average, {least:.1%} at least")
    if returns:
        said.append(f"mean return: {returns}")
    if "ep_rew_mean" in progress.metrics:
        said.append(f"mean reward {progress.metrics['ep_rew_mean']:.4g} of the last games")
    if progress.nash_conv is not None:
        said.append(f"best responses gain {progress.nash_conv:.4f} (0 is an equilibrium)")
    return "; ".join(said)


def rating_words(rating: Rating) -> str:
    """A rating in Elo above random play, with its interval."""
    return f"{rating.elo:+.0f} ({rating.low:+.0f} to {rating.high:+.0f})"


def clock(seconds: float) -> str:
    """Seconds as 1:05 or 2:03:04."""
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


def closing_lines(run: Run) -> str:
    """What is said when a run is over: what was done, and what to do with it."""
    folder, game, progress = shlex.quote(str(run.folder)), shlex.quote(run.settings.game), run.progress
    done = f"{progress.steps:,} steps in {clock(progress.seconds)}" if progress else "no steps"
    if run.interrupted:
        return f"stopped after {done}; a checkpoint is saved. Go on with:\n  {called()} train --resume {folder}"
    if progress is None:
        return f"{run.folder} has already reached its bound; give it more --steps or --minutes"
    scores = score_line(progress)
    lines = [
        f"trained {done}{'; ' if scores else ''}{scores}",
        f"the agent is {run.agent}",
        f"  play against it:  {called()} play --terminal --game {game} --against {folder}",
    ]
    if progress.scores:  # then it is a game for two, which those can play
        others = " ".join(progress.scores)
        lines.append(f"  rank it:          {called()} tournament --game {game} {folder} {others}")
    if progress.returns:
        drawn = shlex.quote(f"{run.folder}?temperature=1")
        lines.append(f"  score it:         {called()} match {drawn} --game {game} --games 100")
    return "\n".join(lines)


def run_json(run: Run) -> dict[str, Any]:
    """A run for a script."""
    progress = run.progress
    return {
        "run": str(run.folder),
        "agent": run.agent,
        "game": run.settings.game,
        "checkpoints": [str(path) for path in run.checkpoints()],
        "interrupted": run.interrupted,
        "steps": progress.steps if progress else None,
        "seconds": round(progress.seconds, 3) if progress else None,
        "steps_a_second": round(progress.steps_a_second, 1) if progress else None,
        "scores": dict(progress.scores) if progress else {},
        "rating": asdict(progress.rating) if progress and progress.rating else None,
        "nash_conv": progress.nash_conv if progress else None,
        "returns": {kind: asdict(found) for kind, found in progress.returns.items()} if progress else {},
    }
