"""Lanista: train game agents, rate them honestly, play against them, reuse what they learned.

The names below are the public face. Each is imported when it is first used, so that `import lanista` costs nothing and
a command waits only for what it needs.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lanista.agents.contestant import agents as agent_kinds
    from lanista.agents.contestant import load_agent
    from lanista.agents.match import play_games, score
    from lanista.agents.trust import trusting
    from lanista.arena.tournament import tournament
    from lanista.envs.catalogue import doors, games, make
    from lanista.envs.core import Agent, Choice, Game, GameSpec, Outcome, Turn
    from lanista.envs.loop import play
    from lanista.errors import UsageError
    from lanista.perception.encoder import Encoder, build_encoder, encoders
    from lanista.perception.fusion import Fusion
    from lanista.perception.pretrain_settings import Pretrained
    from lanista.perception.pretrain_settings import Progress as PretrainProgress
    from lanista.perception.pretrained import load_recogniser
    from lanista.training.run import Progress, Run

# Read when torch loads its thread pool, so it is said before anything can import torch. By default a thread that has
# nothing to do spins; when anything else runs on the machine that makes training on two threads over twice as slow.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

_HOMES = {
    "Agent": "lanista.envs.core",
    "Choice": "lanista.envs.core",
    "Game": "lanista.envs.core",
    "GameSpec": "lanista.envs.core",
    "Outcome": "lanista.envs.core",
    "Progress": "lanista.training.run",
    "Run": "lanista.training.run",
    "Turn": "lanista.envs.core",
    "UsageError": "lanista.errors",
    "agent_kinds": "lanista.agents.contestant:agents",  # `lanista.agents` is the room
    "build_encoder": "lanista.perception.encoder",
    "doors": "lanista.envs.catalogue",
    "encoders": "lanista.perception.encoder",
    "games": "lanista.envs.catalogue",
    "load_agent": "lanista.agents.contestant",
    "load_recogniser": "lanista.perception.pretrained",
    "make": "lanista.envs.catalogue",
    "play": "lanista.envs.loop",
    "play_games": "lanista.agents.match",
    "score": "lanista.agents.match",
    "tournament": "lanista.arena.tournament",
    "trusting": "lanista.agents.trust",
}

__all__ = [
    "Agent",
    "Choice",
    "Game",
    "GameSpec",
    "Outcome",
    "Progress",
    "Run",
    "Turn",
    "UsageError",
    "agent_kinds",
    "build_encoder",
    "doors",
    "encoders",
    "games",
    "load_agent",
    "load_encoder",
    "load_recogniser",
    "make",
    "play",
    "play_games",
    "pretrain",
    "resume",
    "resume_pretraining",
    "score",
    "tournament",
    "train",
    "trusting",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lanista' has no attribute '{name}'")
    module, _, called = _HOMES[name].partition(":")
    value = getattr(importlib.import_module(module), called or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def train(
    game: str,
    *,
    steps: int = 0,
    minutes: float = 0.0,
    out: str | Path | None = None,
    config: str | Path | None = None,
    report: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
    **settings: Any,
) -> Run:
    """Train an agent by self-play.

    Args:
        game: the game's string.
        steps: stop after this many moves.
        minutes: stop after this many minutes; one of the two must be given.
        out: the run's folder; by default one under `runs` that names the game and the time.
        config: a TOML file of settings.
        report: called after each update with how the run stands.
        callbacks: with trainer="sb3", callbacks of Stable-Baselines3.
        **settings: any setting of `lanista.training.settings.TrainSettings`.

    Returns:
        The run; `run.agent` is the new agent, a contestant's string.

    Raises:
        UsageError: a game, setting or value that cannot be; a folder that cannot be written or holds a run.
    """
    from lanista.training.run import create_run
    from lanista.training.run import train as go
    from lanista.training.settings import read_settings

    bounds = {name: value for name, value in (("steps", steps), ("minutes", minutes)) if value}
    chosen = read_settings(game, None if config is None else Path(config), {**settings, **bounds})
    if not chosen.steps and not chosen.minutes:
        raise _no_bound()
    return go(create_run(new_run_folder(game) if out is None else out, chosen), report=report, callbacks=callbacks)


def resume(
    folder: str | Path,
    *,
    steps: int = 0,
    minutes: float = 0.0,
    report: Callable[[Progress], None] | None = None,
    callbacks: Sequence[Any] = (),
) -> Run:
    """Go on with a run from its last checkpoint.

    Args:
        folder: the run's.
        steps, minutes: new bounds for the whole run, what is done included; they take the place of the old ones.
        report: called after each update with how the run stands.
        callbacks: as of `train`.

    Raises:
        UsageError: the folder is no run, or cannot be written.
    """
    from lanista.training.run import open_run, prolonged
    from lanista.training.run import train as go

    return go(prolonged(open_run(folder), steps, minutes), resume=True, report=report, callbacks=callbacks)


def pretrain(
    task: str,
    *,
    out: str | Path | None = None,
    report: Callable[[PretrainProgress], None] | None = None,
    **settings: Any,
) -> Pretrained:
    """Pretrain an encoder on a task of vision, speech or text.

    Args:
        task: the task's string, such as "pictures:data=fashion_mnist"; `lanista pretrain` lists the tasks.
        out: the encoder's folder; by default one under `runs` that names the task and the time.
        report: called as the run goes, with how it stands.
        **settings: any setting of `lanista.perception.pretrain_settings.Settings`, such as `minutes` or `encoder`.

    Returns:
        What was reached, on parts that were never trained on, beside a simple method.

    Raises:
        UsageError: a task, setting or value that cannot be; data that is not on this machine; a folder in use.
    """
    from lanista.perception.pretrain import pretrain as go
    from lanista.perception.pretrain_settings import settings_from

    chosen = settings_from({**settings, "task": task})
    return go(chosen, new_run_folder(task) if out is None else Path(out), report or _say_nothing)


def resume_pretraining(folder: str | Path, *, report: Callable[[PretrainProgress], None] | None = None) -> Pretrained:
    """Go on with a run of `pretrain` that was broken off, from its last epoch, as if unbroken.

    Raises:
        UsageError: the folder holds no run, or one that is done.
    """
    from lanista.perception.pretrain import resume as go

    return go(Path(folder), report or _say_nothing)


def _say_nothing(progress: object) -> None:
    return None


def new_run_folder(game: str) -> Path:
    """A folder for a run that is not there yet, by the game and the time: `runs/connect_four-20261124-211500`."""
    import re
    import time

    name = f"{re.sub(r'[^A-Za-z0-9_.]+', '_', game)}-{time.strftime('%Y%m%d-%H%M%S')}"
    folder, number = Path("runs") / name, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return folder


def load_encoder(path: str | Path) -> Encoder | Fusion:
    """Load an encoder: a `torch.nn.Module` with `dim`, the size of its features.

    Args:
        path: a pretrained encoder's folder or the name of one that comes with Lanista (`lanista encoders` lists
            them), `hf:org/name`, a trained agent's folder, a training run, or the name of an agent that comes with
            Lanista; of an agent with several modalities, the encoder takes them all as a dictionary.

    Raises:
        UsageError: the folder holds neither, is damaged, or is of a newer format.
    """
    from lanista.agents.encoder_words import load_encoder as load

    return load(path)


def _no_bound() -> UsageError:
    from lanista.errors import UsageError

    return UsageError("say how long to train: steps or minutes, as in 'lanista train connect_four --minutes 10'")
