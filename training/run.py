"""Training: begin a run and bring it to its end. A trainer does the learning; `clockwork.py` is the loop.

The folder holds `config.toml`, `metrics.jsonl`, TensorBoard's events, `checkpoints/STEPS/` (each an agent folder; the
newest also holds what `--resume` needs), `agent/`, the newest agent, and `league/STEPS/`, the frozen past selves.
"""

from __future__ import annotations

import contextlib
import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w
import torch

from lanista.agents.contestant import load_agent
from lanista.agents.encoder_words import all_modalities, lasting
from lanista.envs import make
from lanista.errors import UsageError, unknown
from lanista.files import check_unused, claim_folder, clear_drafts, disk_failures, held_folder, write_text
from lanista.plugs import plug, plugs
from lanista.training import level_measure, promotion
from lanista.training.anchor_rating import anchors_of
from lanista.training.breakdowns import check_room, short_of_memory
from lanista.training.clockwork import Clockwork
from lanista.training.metrics_log import check_wandb
from lanista.training.run_folder import Progress, Run, open_run, prolonged
from lanista.training.settings import TrainSettings, new_networks, settings_values
from lanista.training.trainer import Trainer

__all__ = ["Progress", "Run", "create_run", "open_run", "prolonged", "train"]

TRAINERS = "lanista.training.trainers"
NEEDED_MEGABYTES = 200


def create_run(folder: str | Path, settings: TrainSettings) -> Run:
    """Begin a run's folder.

    Raises:
        UsageError: it cannot be written, or already holds a run; the settings name something that is not there.
    """
    path = Path(folder)
    if (path / "config.toml").exists():
        raise UsageError(f"{path} already holds a run; go on with --resume {path}, or choose another --out")
    check_unused(path)
    check_settings(settings)
    settings = replace(settings, encoder=lasting(all_modalities(make(settings.game).spec), settings.encoder))
    claim_folder(path / "checkpoints", NEEDED_MEGABYTES)
    write_text(path / "config.toml", tomli_w.dumps(settings_values(settings)))
    return Run(path, settings)


def check_settings(settings: TrainSettings) -> None:
    """Refuse now what training would refuse later: after a refusal no folder of a run that never was is left.

    Raises:
        UsageError: the settings name something that is not there or cannot be trained.
    """
    spec = make(settings.game).spec
    with torch.device("meta"):
        new_networks(spec, settings)
    check_room(spec, settings)
    anchors_of(settings)
    for opponent in settings.opponents.split():
        load_agent(opponent)
    level_measure.check(settings)
    promotion.check(settings)
    check_wandb(settings)
    if settings.trainer.replace("-", "_") not in plugs(TRAINERS):
        raise unknown("trainer", settings.trainer, plugs(TRAINERS))
    check = getattr(plug(TRAINERS, "trainer", settings.trainer), "check", None)
    if check is not None:
        check(settings)


def train(
    run: Run,
    *,
    resume: bool = False,
    report: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
) -> Run:
    """Train until the run's bound of steps or minutes; Ctrl-C or SIGTERM saves a checkpoint and stops.

    Args:
        run: from `create_run` or `open_run`.
        resume: go on from the last checkpoint.
        report: called after each update.
        callbacks: of the trainer's own library, such as SB3's.

    Raises:
        UsageError: there is no bound, the folder cannot be written, or the trainer takes no callbacks.
        TrainingError: weights became no numbers, or memory ran out.
        DiskError: the disk was full or broke; checkpoints stay.
    """
    settings = run.settings
    if not settings.steps and not settings.minutes:
        raise UsageError("say how long to train: --steps N or --minutes M")
    claim_folder(run.folder / "checkpoints", NEEDED_MEGABYTES)
    opener = _opener(settings.trainer, callbacks)
    comfort = f"its checkpoints are safe, and once that is mended 'lanista train --resume {run.folder}' goes on"
    with disk_failures(run.folder, comfort), held_folder(run.folder, "run"), short_of_memory(settings):
        clear_drafts(run.folder)
        trainer = opener(_findable(run) if resume else settings)
        try:
            clockwork = Clockwork(run, trainer, resume, report)
            with _signals_to(clockwork.stop):
                clockwork.go()
        finally:
            trainer.close()
    return run


def _opener(name: str, callbacks: Sequence[Any]) -> Callable[[TrainSettings], Trainer]:
    """What opens a trainer, with a user's callbacks where there are any."""
    opener: Callable[..., Trainer] = plug(TRAINERS, "trainer", name).open
    if not callbacks:
        return opener
    if "callbacks" not in inspect.signature(opener).parameters:
        raise UsageError(f"the trainer '{name}' takes no callbacks; 'sb3' does, and 'report' is called by all")
    return partial(opener, callbacks=callbacks)


def _findable(run: Run) -> TrainSettings:
    """The settings with the newest checkpoint in the place of a pretrained encoder that is gone: it has its shape."""
    kept = run.checkpoints()
    if not kept:
        return run.settings
    observation = all_modalities(make(run.settings.game).spec)
    home = dict.fromkeys(observation.spaces, str(kept[-1]))
    return replace(run.settings, encoder=lasting(observation, run.settings.encoder, home))


@contextlib.contextmanager
def _signals_to(handler: Callable[[int, object], None]) -> Iterator[None]:
    """Ctrl-C and a polite kill go to the handler meanwhile; only the main thread can have it so."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # One that is ignored, as in a shell's background job, stays ignored.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
