"""The loop of a run: update, measure, write, keep; and going on from what was kept."""

from __future__ import annotations

import contextlib
import platform
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lanista.agents.artifact import DESCRIPTION, WEIGHTS, load_networks, save_agent
from lanista.agents.exploitability import exploitability, policy_of, small_tree
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.levels import Return
from lanista.agents.pairs import pair_scores
from lanista.agents.role_networks import Networks, networks_from
from lanista.errors import UsageError
from lanista.files import drafted_folder, read_json, write_bytes, write_json
from lanista.perception.weights_file import load_weights, write_weights
from lanista.training import level_measure
from lanista.training.anchor_rating import Rating, anchor_scale, anchors_of, rate
from lanista.training.breakdowns import check_weights
from lanista.training.checkpoint_seal import STATE, check_seal, with_seal
from lanista.training.league_run import begin_league
from lanista.training.metrics_log import MetricsLog, writers_are_quiet
from lanista.training.run_folder import Progress, Run
from lanista.training.settings import settings_values
from lanista.training.trainer import LeagueTrainer, Trainer, TrainerState

AVERAGE_DECAY = 4
RESUMABLE = 2  # checkpoints that can be gone on from: a disk may spoil the newest


class Clockwork:
    """The loop of a run: update, measure, write, keep."""

    def __init__(self, run: Run, trainer: Trainer, resume: bool, report: Callable[[Progress], None] | None) -> None:
        self.run, self.trainer, self.report = run, trainer, report
        self.settings = run.settings
        self.steps, self.updates, self.before = 0, 0, 0.0
        self.scores: dict[str, float] = {}
        self.nash_conv: float | None = None
        self.returns: dict[str, Return] = {}
        self.rating: Rating | None = None
        self.measured_at = 0
        self.average: dict[str, Tensor] = {}
        self.league = begin_league(self.settings, run.folder, trainer.network())
        if self.league is not None:
            if not hasattr(trainer, "enter"):
                raise UsageError(f"the trainer '{self.settings.trainer}' plays no league; leave league_size 0")
            cast(LeagueTrainer, trainer).enter(self.league.league)
        self.anchors = anchors_of(self.settings)
        self.tree = None if self.settings.memory else small_tree(self.settings.game)  # its positions have no history
        self.precision = self.settings.agent_precision
        if resume:
            self._restore()
        self.measured = self.kept = self._share_done(self.before)
        self.stopping = False
        self.log = MetricsLog(run.folder, self.settings, self.steps if resume else None)
        self.recent: list[tuple[float, int]] = []

    def _share_done(self, seconds: float) -> float:
        """The share of the run that is done after so long: by steps or by time, whichever bound is nearer."""
        shares = [0.0]
        if self.settings.steps:
            shares.append(self.steps / self.settings.steps)
        if self.settings.minutes:
            shares.append(seconds / (60 * self.settings.minutes))
        return min(max(shares), 1.0)

    def go(self) -> None:
        """Run to the end."""
        with writers_are_quiet(), contextlib.closing(self.log):
            self._go()

    def _go(self) -> None:
        began = time.monotonic()
        share = self._share_done(self.before)
        try:
            while share < 1.0 and not self.stopping:
                metrics = self.trainer.update(self.updates, share)
                check_weights(self.trainer.network(), metrics, self.updates + 1, self.run.checkpoints)
                self.steps += int(metrics["steps"])
                self.updates += 1
                self._average()
                metrics |= self._go_on_with_league(share)
                seconds = self.before + time.monotonic() - began
                share = self._share_done(seconds)
                self.stopping = self.stopping or getattr(self.trainer, "stopped", False)
                if share >= self.measured + 1 / max(self.settings.measurements, 1) or share >= 1.0:
                    self.measured = share
                    self._measure()
                    self.measured_at = self.steps
                self._write(metrics, seconds, share)
                if share >= self.kept + 1 / max(self.settings.checkpoints, 1) and share < 1.0:
                    self.kept = share
                    self._keep(seconds)
                if self.report is not None and self.run.progress is not None:
                    self.report(self.run.progress)
        except KeyboardInterrupt:
            self.stopping = True
        if self.updates and self.run.progress is None and self.report is not None:
            # It was over before: whoever follows hears how it stands, as at the end that a kill may have kept from it.
            self.measured_at = self.steps
            self.report(self._standing(self.before, share, self.steps / max(self.before, 1e-9), {}))
        self.run.interrupted = self.stopping and share < 1.0
        self._keep(self.before + time.monotonic() - began)

    def _average(self) -> None:
        """Take the new weights into the mean that plays: it is stronger than the last weights, which still jump about.

        Polynomial-decay averaging (Shamir and Zhang 2013, section 4): the mean is of about the last third of the run,
        however long it has been.
        """
        if not getattr(self.trainer, "averaged", True):
            self.average = {}
            return
        share = min(1.0, (AVERAGE_DECAY + 1) / (self.updates + AVERAGE_DECAY))
        for name, value in self.trainer.network().state_dict().items():
            if name in self.average:
                self.average[name].lerp_(value, share)
            else:
                self.average[name] = value.clone()

    def _go_on_with_league(self, share: float) -> dict[str, float]:
        """What the league has to do after an update; its metrics."""
        if self.league is None:
            return {}
        history = {"steps": self.steps, "updates": self.updates, "seed": self.settings.seed, "versions": _versions()}
        return self.league.after(self.trainer.network(), self._player, share, history)

    def _player(self) -> Networks:
        """The network that plays and is kept: with the mean weights."""
        network = networks_from(self.trainer.network().describe())
        network.load_state_dict(self.average or self.trainer.network().state_dict())
        return network.eval()

    def _measure(self) -> None:
        """Points and rating against the anchors, from paired random openings; returns on levels; exploitability."""
        if not self.settings.measurements:
            return
        network = self._player()
        self.returns = level_measure.measure(self.settings, network, self.precision)
        agent = NetworkAgent(network, "learner", self.settings.game, self.precision)
        if self.tree is not None:
            self.nash_conv = exploitability(self.tree, policy_of(agent, self.tree)).nash_conv
        if not self.settings.anchor_pairs:
            return
        game, pairs, seed = self.settings.game, self.settings.anchor_pairs, self.settings.seed
        shares = {name: pair_scores(game, agent, other, pairs, seed) for name, other in self.anchors.items()}
        self.scores |= {name: float(found.mean()) for name, found in shares.items() if len(found)}
        if shares:
            self.rating = rate(shares, anchor_scale(self.run.folder, game, list(shares)), seed)

    def _write(self, metrics: Mapping[str, float], seconds: float, share: float) -> None:
        """Curves, and how the run stands."""
        self.recent = [*self.recent[-9:], (seconds, self.steps)]
        (first, first_steps), (last, last_steps) = self.recent[0], self.recent[-1]
        speed = (last_steps - first_steps) / (last - first) if last > first else self.steps / max(seconds, 1e-9)
        scores = {f"score/{name}": value for name, value in self.scores.items()}
        scores |= level_measure.curves(self.returns)
        row = {
            "steps": self.steps, "updates": self.updates, "seconds": round(seconds, 3),
            "steps_a_second": round(speed, 1), **{k: v for k, v in metrics.items() if k != "steps"}, **scores,
        }  # fmt: skip
        if self.nash_conv is not None:
            row["nash_conv"] = self.nash_conv
        if self.rating is not None:
            row |= {"rating": self.rating.elo, "rating_low": self.rating.low, "rating_high": self.rating.high}
        self.log.write(row)
        self.run.progress = self._standing(seconds, share, speed, metrics)

    def _standing(self, seconds: float, share: float, speed: float, metrics: Mapping[str, float]) -> Progress:
        return Progress(
            self.steps, seconds, share, speed, dict(self.scores), dict(metrics), self.nash_conv, dict(self.returns),
            self.rating, self.measured_at,
        )  # fmt: skip

    def _keep(self, seconds: float) -> None:
        """Write a checkpoint whole, make it the newest, and take the weight of resuming off old ones."""
        final = self.run.folder / "checkpoints" / str(self.steps)
        if (final / STATE).exists():
            return
        network = self._player()
        history = {
            "steps": self.steps, "updates": self.updates, "seconds": round(seconds, 1), "seed": self.settings.seed,
            "settings": settings_values(self.settings), "versions": _versions(), "scores": self.scores,
            **({} if self.nash_conv is None else {"nash_conv": self.nash_conv}),
            **({} if self.rating is None else {"rating": asdict(self.rating)}),
            "returns": {kind: asdict(found) for kind, found in self.returns.items()},
        }  # fmt: skip
        with drafted_folder(final) as draft:
            save_agent(draft, network, self.settings.game, self.precision, history)
            self._write_resume(draft, seconds, history["returns"])
        save_agent(self.run.folder / "agent", network, self.settings.game, self.precision, history)
        for path in self._resumable()[:-RESUMABLE]:
            shutil.rmtree(path / "resume", ignore_errors=True)

    def _resumable(self) -> list[Path]:
        """The checkpoints that can be gone on from, oldest first."""
        return [path for path in self.run.checkpoints() if (path / "resume").is_dir()]

    def _write_resume(self, checkpoint: Path, seconds: float, returns: Any) -> None:
        """What going on needs, into a checkpoint's folder."""
        state = self.trainer.state()
        resume = checkpoint / "resume"
        resume.mkdir()
        if self.league is not None:
            self.league.save(checkpoint, resume)
        write_weights(resume / "optimizer.safetensors", state.optimizer)
        write_weights(resume / "network.safetensors", self.trainer.network().state_dict())
        if state.curriculum:
            write_weights(resume / "curriculum.safetensors", state.curriculum)
        for number, games in enumerate(state.runners):
            write_bytes(resume / f"runner_{number}.npz", games)
        told = {
            "steps": self.steps, "updates": self.updates, "seconds": seconds, "runners": len(state.runners),
            "scores": self.scores, "returns": returns,
            "rating": None if self.rating is None else asdict(self.rating), "nash_conv": self.nash_conv,
        }  # fmt: skip
        write_json(checkpoint / STATE, with_seal(checkpoint, told))

    def stop(self, number: int, frame: object) -> None:
        """A signal's handler: the update under way is finished, so that the checkpoint is of a whole one.

        A second signal stops at once.
        """
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True

    def _restore(self) -> None:
        """Go on from the newest whole checkpoint."""
        whole = [path for path in self._resumable() if (path / STATE).exists()]
        if not whole:
            return
        newest = whole[-1]
        try:
            state = read_json(newest / STATE, "checkpoint")
            check_seal(newest, state)
            runners = [(newest / "resume" / f"runner_{n}.npz").read_bytes() for n in range(int(state["runners"]))]
            optimizer = load_file(newest / "resume" / "optimizer.safetensors")
            self.steps, self.updates = int(state["steps"]), int(state["updates"])
            self.before, self.scores = float(state["seconds"]), dict(state["scores"])
            self.returns = {kind: Return(**found) for kind, found in state.get("returns", {}).items()}
            self.rating = Rating(**state["rating"]) if state.get("rating") else None
            self.nash_conv = None if state.get("nash_conv") is None else float(state["nash_conv"])
            curriculum = load_file(newest / "resume" / "curriculum.safetensors") if self.settings.levels else {}
            if self.league is not None:
                self.league.load(newest, newest / "resume")
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            then = f"goes on from {whole[-2]}" if len(whole) > 1 else "begins the run again"
            raise UsageError(f"the checkpoint {newest} is damaged ({error}): remove it, and --resume {then}") from None
        player, about = load_networks(newest)
        self.average = {name: value.clone() for name, value in player.state_dict().items()}
        network = load_weights(lambda: networks_from(about["network"]), newest / "resume" / "network.safetensors")
        self.trainer.restore(network, TrainerState(optimizer, runners, curriculum, self.updates))
        if not _same_agent(newest, self.run.folder / "agent"):  # a kill came between the two
            save_agent(self.run.folder / "agent", player, about["game"], about["precision"], about["training"])


def _same_agent(one: Path, other: Path) -> bool:
    """Whether two folders hold the same agent, byte for byte."""
    files = (DESCRIPTION, WEIGHTS)
    return all((other / name).is_file() and (one / name).read_bytes() == (other / name).read_bytes() for name in files)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
