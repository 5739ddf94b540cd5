"""Pretraining: one loop for all tasks, from examples to an encoder folder with its card.

Per epoch: shuffled batches, the task's changes to them, AdamW under a warmed-up cosine schedule, a running average of
the weights (Polyak and Juditsky 1992) that is what is validated and kept. Everything that is random comes from the
seed; a checkpoint after each epoch holds all of it, so that a resumed run goes on as if unbroken.
"""

from __future__ import annotations

import dataclasses
import json
import math
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lanista.errors import UsageError
from lanista.files import (
    check_unused,
    claim_folder,
    clear_drafts,
    disk_failures,
    held_folder,
    read_json,
    write_bytes,
    write_json,
)
from lanista.perception.card import write_card
from lanista.perception.dataset import Examples
from lanista.perception.encoder import build_encoder, encoder_from, lengthened, load_encoder
from lanista.perception.optimizer_state import optimizer_tensors, set_optimizer_tensors
from lanista.perception.pretrain_settings import Pretrained, Progress, Report, Settings, settings_from
from lanista.perception.pretrained import encoder_folder
from lanista.perception.recogniser import Recogniser
from lanista.perception.sealed_weights import check_seal, sealed
from lanista.perception.task import Splits, Task, make_task
from lanista.perception.weights_file import read_shapes

FORMAT = 1
CHECKPOINT = "checkpoint.safetensors"
WARM_UP = 0.05  # share of the run
LEAST_RATE = 0.01  # of the learning rate, at the end
BETAS = (0.9, 0.98)
PLAN_AFTER = 0.1  # of the time allowed: before, the pace is not known well
STEPS_A_PLAN = 10


def pretrain(settings: Settings, out: Path, report: Report = lambda progress: None) -> Pretrained:
    """Train an encoder on a task and save it with its card.

    Args:
        settings: what and how.
        out: the encoder's folder, new or empty.
        report: is told how it goes.

    Raises:
        UsageError: the settings or the folder will not do, or data is missing.
        DiskError: the disk was full or broke; finished epochs stay.
    """
    task = make_task(settings.task)
    settings = settings.filled(task)
    if (out / "encoder.json").exists() or (out / "pretrain.json").exists():
        raise UsageError(f"{out} holds a run already: choose another --out, or go on with it by --resume {out}")
    check_unused(out)
    claim_folder(next(folder for folder in out.absolute().parents if folder.is_dir()), megabytes=64)
    run = Run(task, settings, out, report)  # where it is refused it leaves no folder
    claim_folder(out)
    with _named_disk(out), held_folder(out, "pretraining"):
        clear_drafts(out)
        write_json(out / "pretrain.json", {"format": FORMAT, **dataclasses.asdict(settings)})
        return run.go()


def resume(folder: Path, report: Report = lambda progress: None) -> Pretrained:
    """Go on with a run that was broken off, from its last epoch.

    Raises:
        UsageError: the folder holds no run, or it is done.
        DiskError: as of `pretrain`.
    """
    about = read_json(folder / "pretrain.json", "run of lanista pretrain")
    if (folder / "encoder.json").exists():
        raise UsageError(f"the run in {folder} is done; to go on from its encoder: --encoder {folder} --out NEW")
    settings = settings_from({key: value for key, value in about.items() if key != "format"})
    task = make_task(settings.task)
    run = Run(task, settings.filled(task), folder, report, _begun(folder))
    claim_folder(folder, megabytes=64)
    with _named_disk(folder), held_folder(folder, "pretraining"):
        clear_drafts(folder)
        run.restore()
        return run.go()


def _named_disk(folder: Path) -> AbstractContextManager[None]:
    comfort = f"finished epochs are safe, and once that is mended 'lanista pretrain --resume {folder}' goes on"
    return disk_failures(folder, comfort)


class Run:
    """One run: what `pretrain` and `resume` share."""

    def __init__(
        self, task: Task, settings: Settings, folder: Path, report: Report, begun: Mapping[str, Any] | None = None
    ) -> None:
        self.task, self.settings, self.folder, self.report = task, settings, folder, report
        self.begun = time.monotonic()
        self.report(Progress("loading"))
        if settings.threads:
            torch.set_num_threads(settings.threads)
        torch.manual_seed(settings.seed)
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.splits: Splits = task.load(settings.seed)
        self.model = self._build(begun)
        self.train_x = self._inputs(self.splits.train)
        self.train_y = torch.from_numpy(self.model.head.numbers(self.splits.train.targets))
        self.valid_x = self._inputs(self.splits.valid)
        self.average = {name: value.detach().clone() for name, value in self.model.state_dict().items()}
        self.best = {name: value.clone() for name, value in self.average.items()}
        self.optimizer = self._optimizer()
        self.scheduled = [group["lr"] for group in self.optimizer.param_groups]
        self.epoch, self.step, self.since_best, self.best_score = 0, 0, 0, math.nan
        self.stopped = ""  # why the training is over
        self.curve: list[dict[str, float]] = []
        self.before = 0.0  # seconds of the runs before this one
        self.planned = self.steps_an_epoch * (settings.epochs or 1)
        # Making or reading data, once, does not shorten the training.
        self.begun = self.training_since = time.monotonic()
        self.step_at_start = 0

    def _build(self, begun: Mapping[str, Any] | None) -> Recogniser:
        """The encoder and its head.

        Args:
            begun: what the checkpoint says of the encoder, where the run goes on from one: the weights are in it, and
                the folder that they once came from may be gone.
        """
        words = self.settings.encoder or ""
        folder = encoder_folder(words) if words and begun is None else None
        self.begun_from = "" if folder is None else words
        if begun is not None:
            encoder, self.begun_from = encoder_from(begun["encoder"]), str(begun["begun_from"])
            wanted = self.task.input(self.splits) if encoder.input is None else encoder.input
        elif folder is not None:
            encoder = load_encoder(folder)
            wanted = self.task.input(self.splits) if encoder.input is None else encoder.input
            if wanted.modality != self.task.modality:
                raise UsageError(f"{words} reads {wanted.modality}s, and the task is of {self.task.modality}s")
            if encoder.any_length:
                wanted = self.task.input(self.splits)
                encoder = lengthened(encoder, wanted)
            elif wanted.space.shape != encoder.shape:
                raise UsageError(f"{words} reads arrays {encoder.shape}, and the task gives {wanted.space.shape}")
        else:
            wanted = self.task.input(self.splits)
            encoder = build_encoder(words, wanted.space)
        encoder.input = wanted
        encoder.freeze(self.settings.freeze)
        return Recogniser(encoder, self.task.head(encoder.dim, self.splits))

    def _inputs(self, examples: Examples) -> Tensor:
        """What the encoder reads of some examples: (n, *shape)."""
        reader = self.model.encoder.input
        assert reader is not None
        return torch.from_numpy(reader.fit(examples.inputs, self.splits.rate))

    def _optimizer(self) -> torch.optim.AdamW:
        settings = self.settings
        rate, decay = settings.learning_rate or 0.0, settings.weight_decay or 0.0
        layers = [] if settings.freeze else self.model.encoder.layer_groups()
        layers = [*layers, list(self.model.head.parameters())]
        groups = []
        for depth, parameters in enumerate(reversed(layers)):
            for matrices in (True, False):
                some = [value for value in parameters if (value.ndim > 1) == matrices]
                if some:
                    slower = rate * settings.layer_decay**depth
                    groups.append({"params": some, "lr": slower, "weight_decay": decay if matrices else 0.0})
        return torch.optim.AdamW(groups, betas=BETAS, fused=True)

    @property
    def seconds(self) -> float:
        return self.before + time.monotonic() - self.begun

    @property
    def steps_an_epoch(self) -> int:
        return max(1, len(self.train_x) // (self.settings.batch_size or 1))

    @property
    def share(self) -> float:
        """Of the run that is done, in [0, 1]."""
        return min(1.0, self.step / max(1, self.planned))

    def _plan(self) -> None:
        """Plan for as many steps as there is time for, at most all epochs.

        The schedule follows the plan, and not the clock, so that a run with time enough is the same on any machine.
        """
        limit = (self.settings.minutes or 1.0) * 60
        if self.step > self.step_at_start and self.seconds > PLAN_AFTER * limit:
            pace = (time.monotonic() - self.training_since) / (self.step - self.step_at_start)
            left = max(0, int((limit - self.seconds) / pace))
            self.planned = min(self.steps_an_epoch * (self.settings.epochs or 1), self.step + left)

    def go(self) -> Pretrained:
        """Train to the end, test, save."""
        self.training_since, self.step_at_start = time.monotonic(), self.step
        while not self.stopped:
            self.stopped = self._epoch()
            if not self.stopped or math.isfinite(self.best_score):
                self._save_checkpoint()
        self.model.load_state_dict(self.best)
        return self._finish()

    def _epoch(self) -> str:
        """One epoch and its validation; why the run should stop, or nothing."""
        self.model.train()
        losses, last = [], time.monotonic()
        for rows in self.batches():
            loss = self.update(rows)
            if not math.isfinite(loss):
                return f"the loss was no number at step {self.step}: the last good weights were kept"
            losses.append(loss)
            if self.step % STEPS_A_PLAN == 0:
                self._plan()
            if time.monotonic() - last > 0.5:
                last = time.monotonic()
                self._tell("training", float(np.mean(losses[-50:])))
            if self.share >= 1:
                break
        self.epoch += 1
        mean = float(np.mean(losses))
        self._tell("validating", mean)
        self._validate(mean)
        if self.share >= 1:
            done = self.epoch >= (self.settings.epochs or 0)
            return "all epochs done" if done else f"{self.settings.minutes:g} minutes were over"
        self._plan()
        return "" if self.since_best < (self.settings.patience or 1) else f"no better for {self.since_best} epochs"

    def batches(self) -> Iterator[Tensor]:
        """The rows of an epoch's batches, shuffled anew; a last one that would be too small is left out."""
        order = torch.randperm(len(self.train_x), generator=self.generator)
        size = self.settings.batch_size or 1
        for start in range(0, self.steps_an_epoch * size, size):
            yield order[start : start + size]

    def update(self, rows: Tensor) -> float:
        """One step of the optimiser on these rows of the training examples; the loss."""
        share = self.share
        warm = min(1.0, (self.step + 1) / max(1, WARM_UP * self.planned))
        cosine = LEAST_RATE + (1 - LEAST_RATE) * (1 + math.cos(math.pi * share)) / 2
        for group, rate in zip(self.optimizer.param_groups, self.scheduled, strict=True):
            group["lr"] = rate * warm * cosine
        batch = self.task.augment(self.train_x[rows], self.generator)
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(self.settings.bfloat16)):
            loss = self.model.loss(batch, self.train_y[rows])
        value = float(loss.detach())
        if not math.isfinite(value):
            return value
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        self.step += 1
        weight = 1 - min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, now in self.model.state_dict().items():
                self.average[name].lerp_(now, weight)
        return value

    def _validate(self, loss: float) -> None:
        """Score the averaged weights, and keep them if they are the best."""
        mine = {name: value.clone() for name, value in self.model.state_dict().items()}
        self.model.load_state_dict(self.average)
        with torch.autocast("cpu", torch.bfloat16, enabled=bool(self.settings.bfloat16)):
            answers = self.model.answers(self.valid_x)
        score = self.task.score(answers, self.splits.valid, self.splits)[self.task.measure]
        if not math.isfinite(self.best_score) or self.task.better(score, self.best_score):
            self.best_score, self.since_best = score, 0
            self.best = {name: value.clone() for name, value in self.average.items()}
        else:
            self.since_best += 1
        self.model.load_state_dict(mine)
        self.curve.append({"epoch": self.epoch, "seconds": self.seconds, "loss": loss, "valid": score})

    def _tell(self, stage: str, loss: float = math.nan) -> None:
        score = self.curve[-1]["valid"] if self.curve else math.nan
        numbers = (self.epoch, self.step, self.planned, self.share, loss, self.task.measure, score, self.best_score)
        self.report(Progress(stage, *numbers, self.seconds))

    def _finish(self) -> Pretrained:
        """Test the best weights and the baseline; write the encoder, its head, card and picture."""
        self._tell("testing")
        answers, scores = {}, {}
        for part, examples in self.splits.tests.items():
            answers[part] = self.model.answers(self._inputs(examples))
            scores[part] = self.task.score(answers[part], examples, self.splits)
        self._tell("baseline")
        baseline = dataclasses.asdict(self.task.baseline(self.splits))
        failed = self.stopped.startswith("the loss")
        done = Pretrained(
            self.folder, self.task.modality, scores, baseline, self.epoch, self.seconds, self.stopped, failed
        )
        about = {
            "task": self.settings.task,
            "begun_from": self.begun_from,
            "seed": self.settings.seed,
            "epochs": self.epoch,
            "steps": self.step,
            "examples": len(self.train_x),
            "examples_tested": {part: len(examples) for part, examples in self.splits.tests.items()},
            "seconds": round(self.seconds, 1),
            "measure": self.task.measure,
            "valid": self.best_score,
            "tests": scores,
            "baseline": baseline,
            "stopped": self.stopped,
            "data": list(self.splits.data),
        }
        write_card(self.folder, self.task, self.splits, self.model, self.curve, answers, about)
        self.model.requires_grad_(True).save(self.folder, **about)  # encoder.json says that the run is done
        (self.folder / CHECKPOINT).unlink(missing_ok=True)
        return done

    def _save_checkpoint(self) -> None:
        """All that the run needs to go on, as one file that is whole or not there."""
        tensors = {f"model.{name}": value for name, value in self.model.state_dict().items()}
        tensors |= {f"average.{name}": value for name, value in self.average.items()}
        tensors |= {f"best.{name}": value for name, value in self.best.items()}
        tensors |= {f"optimizer.{name}": value for name, value in optimizer_tensors(self.optimizer).items()}
        tensors["generator"] = self.generator.get_state()
        tensors["torch"] = torch.get_rng_state()
        state = {
            "epoch": self.epoch,
            "step": self.step,
            "since_best": self.since_best,
            "best_score": self.best_score,
            "planned": self.planned,
            "stopped": self.stopped,
            "seconds": self.seconds,
            "curve": self.curve,
            "encoder": self.model.encoder.describe(),
            "begun_from": self.begun_from,
        }
        plain = {name: value.detach().clone() for name, value in tensors.items()}  # no two share their memory
        write_bytes(self.folder / CHECKPOINT, sealed(plain, {"state": json.dumps(state)}))

    def restore(self) -> None:
        """Go back to the last checkpoint; without one the run begins again."""
        path = self.folder / CHECKPOINT
        if not path.exists():
            return
        try:
            read_shapes(path)
            check_seal(path)
            with safe_open(path, framework="pt") as file:
                about = json.loads(file.metadata()["state"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no dict
            self.epoch, self.step, self.since_best = about["epoch"], about["step"], about["since_best"]
            self.planned, self.stopped = about["planned"], str(about.get("stopped", ""))  # older ones lack it
            self.best_score, self.before, self.curve = about["best_score"], about["seconds"], about["curve"]
            self.model.load_state_dict(_under(tensors, "model."))
            self.average, self.best = _under(tensors, "average."), _under(tensors, "best.")
            set_optimizer_tensors(self.optimizer, _under(tensors, "optimizer."))
            self.generator.set_state(tensors["generator"])
            torch.set_rng_state(tensors["torch"])
        except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
            why = f"{path} is damaged" + ("" if isinstance(error, UsageError) else f" ({error})")
            raise UsageError(f"{why}: remove it, and --resume begins the run again") from None


def _begun(folder: Path) -> Mapping[str, Any] | None:
    """What a run's checkpoint says of its encoder; None without one, of an older Lanista, or if it is damaged.

    `Run.restore` then says so.
    """
    try:
        read_shapes(folder / CHECKPOINT)
        check_seal(folder / CHECKPOINT)
        with safe_open(folder / CHECKPOINT, framework="pt") as file:
            about = json.loads(file.metadata()["state"])
    except (SafetensorError, KeyError, TypeError, ValueError, OSError):
        return None
    return about if isinstance(about.get("encoder"), dict) and "begun_from" in about else None


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
