"""A training run: its folder, its clock, its checkpoints and curves. A trainer does the learning.

The folder holds `config.toml`, `metrics.jsonl`, TensorBoard's events, `checkpoints/STEPS/` (each an agent folder; the
newest also holds what `--resume` needs), `agent/`, the newest agent, and `league/STEPS/`, the frozen past selves.
"""

from __future__ import annotations

import contextlib
import inspect
import platform
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, cast

import numpy as np
import tomli_w
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from lanista.agents.artifact import load_networks, save_agent
from lanista.agents.contestant import load_agent
from lanista.agents.encoder_words import all_modalities, lasting
from lanista.agents.exploitability import exploitability, policy_of, small_tree
from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.levels import Return
from lanista.agents.pairs import pair_scores
from lanista.agents.role_networks import Networks, networks_from
from lanista.envs import Agent, make
from lanista.envs.core import start_agent
from lanista.errors import UsageError, unknown
from lanista.files import claim_folder, drafted_folder, held_folder, read_json, write_bytes, write_json, write_text
from lanista.perception.encoder import load_weights, write_weights
from lanista.plugs import plug, plugs
from lanista.training import level_measure, promotion
from lanista.training.anchor_rating import Rating, anchor_scale, rate
from lanista.training.breakdowns import check_room, check_weights, short_of_memory
from lanista.training.league import League
from lanista.training.league_run import begin_league
from lanista.training.metrics_log import MetricsLog, check_wandb
from lanista.training.settings import TrainSettings, new_networks, read_toml, settings_from, settings_values

TRAINERS = "lanista.training.trainers"
NEEDED_MEGABYTES = 200
AVERAGE_DECAY = 4


@dataclass(frozen=True)
class TrainerState:
    """All that a trainer needs to go on as if never stopped, as plain data.

    Attributes:
        optimizer: name -> tensor.
        runners: the games each runner has in hand.
        curriculum: see `Curriculum.state`; empty where there is none.
    """

    optimizer: dict[str, Tensor]
    runners: list[bytes]
    curriculum: dict[str, Tensor] = field(default_factory=dict)


class Trainer(Protocol):
    """What a file of `training/trainers` opens.

    The file's `open(settings)` makes it; `check(settings)`, where there is one, refuses what it cannot train. A trainer
    may have `averaged = False`, if its last weights are to play and not the mean of the run's, and `stopped`, which is
    True once it wants to end the run. An `open` with a parameter `callbacks` takes callbacks of its own library.
    """

    def update(self, number: int, progress: float) -> dict[str, float]:
        """Collect one batch and learn from it.

        Args:
            number: of the update, from 0: seeds the shuffling.
            progress: the share of the run that is done, in [0, 1].

        Returns:
            Metrics by name; `steps` is how many moves were learned from.
        """
        ...

    def network(self) -> Networks:
        """The network, or all roles' networks, as it stands, for reading only, until the next `update`."""
        ...

    def state(self) -> TrainerState:
        """What `restore` needs, the network's weights aside."""
        ...

    def restore(self, network: Networks, state: TrainerState) -> None:
        """Go on from a checkpoint."""
        ...

    def close(self) -> None:
        """Release processes."""
        ...


class LeagueTrainer(Trainer, Protocol):
    """A trainer whose games have room for other players than the network."""

    def enter(self, league: League) -> None:
        """From now on members of this league, as it stands at each update, are played too, and it is told how."""
        ...


@dataclass(frozen=True)
class Progress:
    """How a run stands, told after every update.

    Attributes:
        steps: moves learned from so far.
        seconds: of training so far.
        share: of the run that is done, in [0, 1].
        steps_a_second: over the last updates.
        scores: anchor -> share of points against it, at the last measurement.
        metrics: of the last update, by name.
        nash_conv: what best responses would gain, both together, at the last measurement; None where it is not exact.
        returns: "training" and "held-out" -> mean return on such levels, at the last measurement.
        rating: on the anchors' scale, `random` at 0, at the last measurement; None where there are no anchors.
        measured_at: the steps of the last measurement; 0 before the first of this process.
    """

    steps: int
    seconds: float
    share: float
    steps_a_second: float
    scores: Mapping[str, float]
    metrics: Mapping[str, float]
    nash_conv: float | None = None
    returns: Mapping[str, Return] = field(default_factory=dict)
    rating: Rating | None = None
    measured_at: int = 0


@dataclass
class Run:
    """A run's folder.

    Attributes:
        folder: where it lies.
        settings: what it does.
        interrupted: it was stopped by Ctrl-C and can be resumed.
    """

    folder: Path
    settings: TrainSettings
    interrupted: bool = False
    progress: Progress | None = field(default=None, repr=False)

    @property
    def agent(self) -> str:
        """The newest agent's folder, a contestant string."""
        return str(self.folder / "agent")

    def checkpoints(self) -> list[Path]:
        """Checkpoints, oldest first; each is an agent folder."""
        folder = self.folder / "checkpoints"
        return sorted((path for path in folder.glob("*") if path.name.isdecimal()), key=lambda path: int(path.name))


def create_run(folder: str | Path, settings: TrainSettings) -> Run:
    """Begin a run's folder.

    Raises:
        UsageError: it cannot be written, or already holds a run; the settings name something that is not there.
    """
    path = Path(folder)
    if (path / "config.toml").exists():
        raise UsageError(f"{path} already holds a run; go on with --resume {path}, or choose another --out")
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
    level_measure.check(settings)
    promotion.check(settings)
    check_wandb(settings)
    if settings.trainer.replace("-", "_") not in plugs(TRAINERS):
        raise unknown("trainer", settings.trainer, plugs(TRAINERS))
    check = getattr(plug(TRAINERS, "trainer", settings.trainer), "check", None)
    if check is not None:
        check(settings)


def anchors_of(settings: TrainSettings) -> dict[str, Agent]:
    """The fixed opponents of a run; of the default ones those that can play its game, which has two players.

    Raises:
        UsageError: one that was asked for is unknown or cannot play the game.
    """
    spec = make(settings.game).spec
    wished = settings.anchors != TrainSettings(game=settings.game).anchors
    agents: dict[str, Agent] = {}
    if len(spec.roles) > 1 and not spec.zero_sum and not wished:
        return agents  # who gets more than the other role tells nothing of who plays better
    for anchor in settings.anchors.split():
        agent = load_agent(anchor)
        try:
            if spec.players != 2:
                raise UsageError(f"{settings.game} is not for two players, so there is nobody to be an anchor")
            start_agent(agent, spec, 0)
        except UsageError:
            if wished:
                raise
            continue
        agents[anchor] = agent
    return agents


def open_run(folder: str | Path) -> Run:
    """Open a run's folder to go on with it or to read it.

    Raises:
        UsageError: it is no run.
    """
    path = Path(folder)
    if not (path / "config.toml").is_file():
        raise UsageError(f"{path} is no run: it holds no config.toml")
    return Run(path, settings_from(read_toml(path / "config.toml")))


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
    """
    settings = run.settings
    if not settings.steps and not settings.minutes:
        raise UsageError("say how long to train: --steps N or --minutes M")
    claim_folder(run.folder / "checkpoints", NEEDED_MEGABYTES)
    opener = _opener(settings.trainer, callbacks)
    with held_folder(run.folder, "run"), short_of_memory(settings):
        trainer = opener(_findable(run) if resume else settings)
        try:
            clockwork = _Clockwork(run, trainer, resume, report)
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


class _Clockwork:
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
        with contextlib.closing(self.log):
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
        self.run.progress = Progress(
            self.steps, seconds, share, speed, dict(self.scores), dict(metrics), self.nash_conv, dict(self.returns),
            self.rating, self.measured_at,
        )  # fmt: skip

    def _keep(self, seconds: float) -> None:
        """Write a checkpoint whole, make it the newest, and take the weight of resuming off the older ones."""
        final = self.run.folder / "checkpoints" / str(self.steps)
        if (final / "resume" / "state.json").exists():
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
        for path in self.run.checkpoints():
            if path != final:
                shutil.rmtree(path / "resume", ignore_errors=True)

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
        write_json(
            resume / "state.json",
            {"steps": self.steps, "updates": self.updates, "seconds": seconds, "runners": len(state.runners),
             "scores": self.scores, "returns": returns,
             "rating": None if self.rating is None else asdict(self.rating)},
        )  # fmt: skip

    def stop(self, number: int, frame: object) -> None:
        """A signal's handler: the update under way is finished, so that the checkpoint is of a whole one.

        A second signal stops at once.
        """
        if self.stopping:
            raise KeyboardInterrupt
        self.stopping = True

    def _restore(self) -> None:
        """Go on from the newest whole checkpoint."""
        whole = [path for path in self.run.checkpoints() if (path / "resume" / "state.json").exists()]
        if not whole:
            return
        newest = whole[-1]
        state = read_json(newest / "resume" / "state.json", "checkpoint")
        try:
            runners = [(newest / "resume" / f"runner_{n}.npz").read_bytes() for n in range(int(state["runners"]))]
            optimizer = load_file(newest / "resume" / "optimizer.safetensors")
            self.steps, self.updates = int(state["steps"]), int(state["updates"])
            self.before, self.scores = float(state["seconds"]), dict(state["scores"])
            self.returns = {kind: Return(**found) for kind, found in state.get("returns", {}).items()}
            self.rating = Rating(**state["rating"]) if state.get("rating") else None
            curriculum = load_file(newest / "resume" / "curriculum.safetensors") if self.settings.levels else {}
            if self.league is not None:
                self.league.load(newest, newest / "resume")
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"the checkpoint {newest} is damaged ({error}); remove it to resume an older one"
            ) from None
        player, about = load_networks(newest)
        self.average = {name: value.clone() for name, value in player.state_dict().items()}
        network = load_weights(lambda: networks_from(about["network"]), newest / "resume" / "network.safetensors")
        self.trainer.restore(network, TrainerState(optimizer, runners, curriculum))


def prolonged(run: Run, steps: int, minutes: float) -> Run:
    """The same run with new bounds, kept in its `config.toml`; they take the place of both old ones."""
    if not steps and not minutes:
        return run
    settings = replace(run.settings, steps=steps, minutes=float(minutes))
    write_text(run.folder / "config.toml", tomli_w.dumps(settings_values(settings)))
    return replace(run, settings=settings)


def _versions() -> dict[str, str]:
    return {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__}
