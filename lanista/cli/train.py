"""Train an agent by self-play.

Example:
    lanista train connect_four --minutes 10 --out runs/first
    lanista train connect_four --steps 2_000_000 --set learning_rate=1e-3 encoder=board_resnet:channels=64
    lanista train connect_four --minutes 10 --encoder runs/first --freeze
    lanista train envpool:BabyAI-GoToLocal-v0 --levels 200 --curriculum plr --minutes 10
    lanista train gym:CartPole-v1 --trainer sb3 --algorithm dqn --steps 50_000
    lanista train --resume runs/first --minutes 20
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from tyro.conf import Positional, UseAppendAction, arg

import lanista
from lanista.cli._printing import print_json
from lanista.cli._set_words import set_values
from lanista.errors import UsageError

INTERRUPTED = 130


@dataclass(frozen=True)
class Options:
    """What to train, and how long."""

    game: Annotated[Positional[str], arg(metavar="GAME", help_behavior_hint="")] = ""
    """The game, such as connect_four; `lanista games` lists them. Not with --resume."""
    steps: Annotated[int, arg(metavar="N", help_behavior_hint="")] = 0
    """Train for this many moves of all seats."""
    minutes: Annotated[float, arg(metavar="M", help_behavior_hint="")] = 0.0
    """Train for this many minutes."""
    out: Annotated[Path | None, arg(metavar="DIR", help_behavior_hint="(default: runs/GAME-TIME)")] = None
    """The run's new folder."""
    resume: Annotated[Path | None, arg(metavar="RUN", help_behavior_hint="")] = None
    """Go on with this run's folder from its last checkpoint; --steps and --minutes are then new bounds of the whole."""
    runners: Annotated[int | None, arg(metavar="K", help_behavior_hint="(default: 0)")] = None
    """Processes that play; with 0 one process plays and learns."""
    learners: Annotated[int | None, arg(metavar="L", help_behavior_hint="(default: 0)")] = None
    """Processes that learn, each on its share of every batch; with 0 this one does."""
    address: Annotated[str | None, arg(metavar="HOST:PORT", help_behavior_hint="")] = None
    """Join the Ray cluster whose head is there; runners and learners are then on all of its machines."""
    trainer: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: rllib)")] = None
    """Which trainer: rllib, or sb3 (Stable-Baselines3)."""
    algorithm: Annotated[str | None, arg(metavar="NAME", help_behavior_hint="(default: ppo)")] = None
    """What it learns by; with sb3 ppo, a2c, dqn, trpo, qrdqn or maskable_ppo, options as in dqn:buffer_size=50_000."""
    encoder: Annotated[str | None, arg(metavar="WORDS", help_behavior_hint="(default: auto)")] = None
    """The network's encoder: an id, or a pretrained one's folder or name; map=ID mission=DIR gives each its own."""
    freeze: bool = False
    """Pretrained encoders stay as they are."""
    memory: Annotated[str | None, arg(metavar="gru|lstm", help_behavior_hint="")] = None
    """Remember each seat's own steps, for games that do not show all at once; gru:dim=128 sets the size."""
    levels: Annotated[int | None, arg(metavar="N", help_behavior_hint="")] = None
    """Train on N levels of a procedurally generated game, and measure on levels that are held out."""
    curriculum: Annotated[str | None, arg(metavar="WORDS", help_behavior_hint="(default: uniform)")] = None
    """Which of the levels is played next: uniform, or plr, prioritised level replay."""
    seed: Annotated[int | None, arg(metavar="S", help_behavior_hint="(default: 0)")] = None
    """Of weights, games and shuffling."""
    config: Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """A TOML file of settings, such as the config.toml of another run."""
    set: Annotated[UseAppendAction[tuple[tuple[str, ...], ...]], arg(metavar="KEY=VALUE ...")] = ()
    """Single settings; they win over --config, and that over the game's preset."""
    json: bool = False
    """Print the result as JSON on standard output; progress goes to standard error."""


def run(options: Options) -> int:
    """Train, show how it goes, say what to do with the agent."""
    check(options)
    from lanista.cli._training import TrainingView, closing_lines, run_json  # imports torch: after the words are right

    with TrainingView(options.game or str(options.resume)).shown() as view:
        if options.resume is not None:
            done = lanista.resume(options.resume, steps=options.steps, minutes=options.minutes, report=view.report)
        else:
            done = lanista.train(
                options.game,
                steps=options.steps,
                minutes=options.minutes,
                out=options.out,
                config=options.config,
                report=view.report,
                **changes(options),
            )
    if options.json:
        print_json(run_json(done))
    if done.interrupted or not options.json:
        print(closing_lines(done), file=sys.stderr if options.json else sys.stdout)
    return INTERRUPTED if done.interrupted else 0


def check(options: Options) -> None:
    """Refuse options that do not go together.

    Raises:
        UsageError: they do not.
    """
    if options.steps < 0 or options.minutes < 0:
        raise UsageError("--steps and --minutes must be more than 0")
    if options.resume is None:
        if not options.game:
            raise UsageError("say what to train on, as in 'lanista train connect_four --minutes 10'")
        return
    given: dict[str, object] = {
        "GAME": options.game,
        "--out": options.out,
        "--config": options.config,
        "--set": options.set,
    }
    given |= {"--encoder": options.encoder, "--freeze": options.freeze or None, "--memory": options.memory}
    given |= {"--learners": options.learners, "--address": options.address}
    given |= {"--levels": options.levels, "--curriculum": options.curriculum}
    given |= {"--runners": options.runners, "--trainer": options.trainer, "--seed": options.seed}
    given |= {"--algorithm": options.algorithm}
    for name, value in given.items():
        if value not in (None, "", ()):
            raise UsageError(f"--resume goes on with the run as it began: {name} is for a new run")


def changes(options: Options) -> dict[str, Any]:
    """Setting -> value, as the options give them.

    Raises:
        UsageError: a word of --set is no key=value.
    """
    changed: dict[str, Any] = dict(set_values(options.set))
    for key in ("game", "steps", "minutes"):
        if key in changed:
            raise UsageError(f"'{key}' is not set with --set: write lanista train GAME --steps N or --minutes M")
    for name in (
        "encoder",
        "memory",
        "runners",
        "learners",
        "address",
        "trainer",
        "algorithm",
        "levels",
        "curriculum",
        "seed",
    ):
        value = getattr(options, name)
        if value is not None:
            changed[name] = value
    if options.freeze:
        changed["freeze"] = True
    return changed
