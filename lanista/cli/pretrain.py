"""Pretrain an encoder on a task of vision, speech or text.

Example:
    lanista pretrain pictures:data=fashion_mnist --out encoders/clothes
    lanista pretrain pictures:data=digits --minutes 1 --encoder impala_cnn --seed 1
    lanista pretrain --resume encoders/clothes
"""

from __future__ import annotations

import shlex
import sys
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

import lanista
from lanista.cli._printing import called, console, print_json, print_listing
from lanista.cli._set_words import set_values
from lanista.errors import UsageError
from lanista.plugs import first_lines

if TYPE_CHECKING:
    from lanista.perception.pretrain_settings import Pretrained, Progress

TASKS = "lanista.perception.tasks"  # named here, since `perception.task` would import torch


@dataclass(frozen=True)
class Options:
    """What to pretrain, and how long."""

    task: Annotated[Positional[str], arg(metavar="TASK", help_behavior_hint="")] = ""
    """The task with its options, such as pictures:data=mnist; nothing lists them. Not with --resume."""
    minutes: Annotated[float | None, arg(metavar="M", help_behavior_hint="(default: the task's)")] = None
    """Train for at most this many minutes."""
    epochs: Annotated[int | None, arg(metavar="N", help_behavior_hint="(default: the task's)")] = None
    """Go at most so often through the examples."""
    encoder: Annotated[str | None, arg(metavar="ID|DIR", help_behavior_hint="(default: the task's)")] = None
    """The encoder, such as small_resnet:channels=16, or an encoder's folder to go on from."""
    freeze: bool = False
    """Train a new head alone on the encoder as it is."""
    seed: Annotated[int | None, arg(metavar="S", help_behavior_hint="(default: 0)")] = None
    """Of splits, weights and order."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: runs/TASK-TIME)")] = None
    """The encoder's new folder."""
    resume: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="")] = None
    """Go on with a run that was broken off."""
    set: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="KEY=VALUE ...")] = ()
    """Single settings, such as learning_rate=1e-3 batch_size=64."""
    json: bool = False
    """Print the result as JSON on standard output; progress goes to standard error."""


def run(options: Options) -> int:
    """Train, show how it goes, say what was reached and what to do with it."""
    if options.resume is None and not options.task:
        print_listing("tasks (lanista pretrain TASK)", first_lines(TASKS).items())
        return 0
    if options.resume is not None and _given(options):
        raise UsageError(f"--resume goes on with the run as it began: {_given(options)[0]} is for a new run")
    folder = options.resume or options.out or lanista.new_run_folder(options.task)
    view = _View(options.task or str(options.resume))
    try:
        with view.shown():
            if options.resume is not None:
                done = lanista.resume_pretraining(options.resume, report=view.report)
            else:
                done = lanista.pretrain(options.task, out=folder, report=view.report, **_settings(options))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped; go on with: {called()} pretrain --resume {shlex.quote(str(folder))}"
        ) from None
    if options.json:
        print_json(_json(done))
    print(_closing(done), file=sys.stderr if options.json else sys.stdout)
    return 1 if done.failed else 0


def _given(options: Options) -> list[str]:
    given = {"TASK": options.task, "--out": options.out, "--set": options.set, "--freeze": options.freeze}
    given |= {f"--{name}": getattr(options, name) for name in ("minutes", "epochs", "encoder", "seed")}
    return [name for name, value in given.items() if value not in (None, "", (), False)]


def _settings(options: Options) -> dict[str, Any]:
    """Setting -> value, as the options give them."""
    changed: dict[str, Any] = dict(set_values(options.set))
    for name in ("minutes", "epochs", "encoder", "seed"):
        value = getattr(options, name)
        if value is not None:
            changed[name] = value
    return changed | ({"freeze": True} if options.freeze else {})


class _View:
    """Shows how a run stands: a bar on a terminal; elsewhere a line an epoch."""

    def __init__(self, task: str) -> None:
        from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self.console = console(errors=True)
        words = TextColumn("{task.description}")
        self.bar = Bar(
            words, BarColumn(24), TimeElapsedColumn(), TextColumn("{task.fields[standing]}"), console=self.console
        )
        self.name = task
        self.task = self.bar.add_task(f"{task}: loading", total=1.0, standing="")
        self.epoch = 0

    def shown(self) -> Any:
        return self.bar if self.console.is_terminal else nullcontext()

    def report(self, progress: Progress) -> None:
        measure = progress.measure.replace("_", " ")
        standing = f"epoch {progress.epoch}, step {progress.step:,}" if progress.step else ""
        if progress.loss == progress.loss:
            standing += f", loss {progress.loss:.3f}"
        if progress.score == progress.score:
            standing += f", {measure} {progress.score:.4f} (best {progress.best:.4f})"
        doing = f"{self.name}: {progress.stage}"
        self.bar.update(self.task, description=doing, completed=progress.share, standing=standing)
        new = progress.epoch != self.epoch or progress.stage in ("loading", "testing", "baseline")
        if not self.console.is_terminal and new:
            self.epoch = progress.epoch
            self.console.print(f"{doing}  {progress.seconds:.0f} s  {standing}".rstrip())


def _closing(done: Pretrained) -> str:
    folder = shlex.quote(str(done.folder))
    lines = [f"{done.stopped}: {done.epochs} epochs in {done.seconds / 60:.1f} minutes"]
    for part, scores in done.scores.items():
        simple = done.baseline["scores"].get(part, {})
        for name, value in scores.items():
            beside = f"   ({done.baseline['name']}: {simple[name]:.4f})" if name in simple else ""
            lines.append(f"  {part}: {name.replace('_', ' ')} {value:.4f}{beside}")
    what = "FILE ..." if done.modality != "text" else "TEXT ..."
    return "\n".join(
        [
            *lines,
            f"the encoder is {folder}; its card: {folder}/README.md, its picture: {folder}/picture.png",
            f"  use it:       {called()} recognise {folder} {what}",
            f"  in an agent:  {called()} train GAME --encoder {folder} --freeze --minutes 10",
        ]
    )


def _json(done: Pretrained) -> dict[str, Any]:
    return {
        "encoder": str(done.folder),
        "scores": done.scores,
        "baseline": done.baseline,
        "epochs": done.epochs,
        "seconds": round(done.seconds, 1),
        "stopped": done.stopped,
        "failed": done.failed,
    }
