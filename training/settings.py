"""The settings of a training run: a dataclass from which the command line, presets and config files are made."""

from __future__ import annotations

import dataclasses
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from lanista.agents.encoder_words import fusions_of_words
from lanista.agents.policy_network import PolicyNetwork
from lanista.agents.role_networks import Networks, build_networks, the_only
from lanista.envs.core import GameSpec
from lanista.errors import UsageError, unknown
from lanista.files import read_toml
from lanista.perception.fusion import Fusion
from lanista.training.league import LeagueSettings, check_league
from lanista.training.ppo import SCHEDULES, PPOSettings

PRESETS = Path(__file__).parent / "presets"
GREATEST = 2.0**127  # of a number among the settings: what float32 holds


@dataclass(frozen=True, kw_only=True)
class TrainSettings(PPOSettings, LeagueSettings):
    """What a run does. A game's preset (`training/presets/GAME.toml`) changes defaults; every value can be set.

    The preset of a door, such as `gym.toml`, is for all its games; a table in it is for the game of that name.
    """

    game: str
    """The game's string."""
    steps: int = 0
    """Stop after this many moves of all seats; 0 is no bound."""
    minutes: float = 0.0
    """Stop after this many minutes of training; 0 is no bound."""
    seed: int = 0
    """Of weights, games and shuffling."""
    trainer: str = "rllib"
    """Which trainer: a file of `training/trainers`."""
    algorithm: str = "ppo"
    """What the trainer learns by. rllib knows ppo; sb3 also a2c, dqn, trpo, qrdqn and maskable_ppo, with options as in
    "dqn:buffer_size=50_000"."""
    copies: int = 512
    """Games each runner plays at once."""
    plies: int = 16
    """Moves of each game between updates: a batch has `copies` x `plies` rows of each runner."""
    random_share: float = 0.0
    """Share of self-play games that start after random legal plies (native games)."""
    random_plies: int = 0
    """Such a game starts after 0 to this many of them."""
    seats_in_turn: bool = False
    """Each update learns from the moves of one seat alone, the next from the other's: each side answers how the other
    plays now, as alternating gradient steps do, which do not spiral away from an equilibrium as steps of both at once
    do (Bailey, Gidel and Piliouras 2020, arXiv:1907.04392)."""
    exact_advantages: bool = False
    """How much better than expected each move is comes from the whole tree of a small native game with hidden hands
    (one that has `nash_conv`), and not from how its game ended; `gae_lambda` then tells nothing."""
    opponents: str = ""
    """Fixed opponents in training, by contestant strings with spaces between, such as "minimax:depth=2 random"."""
    opponent_share: float = 0.0
    """Share of the games in which one of them, drawn evenly, has a seat; the rest is self-play. With a league they are
    its members, and this is 0."""
    levels: int = 0
    """Train on the levels 0 to this many, less one, of a procedurally generated game of one player; 0: its games begin
    as they come."""
    curriculum: str = "uniform"
    """Which training level is played next: a file of `training/curricula`, with options, such as
    "plr:temperature=0.3"."""
    measured_levels: int = 100
    """Held-out levels, and as many training levels, that each measurement plays once; the agent draws from its policy,
    as in training."""
    encoder: str = "auto"
    """The network's encoder, such as "board_resnet:channels=64", or a pretrained one by its folder or name; "auto"
    chooses by the observation's shape; "map=impala_cnn mission=words" gives each modality its own."""
    joint: str = "auto"
    """How several modalities act on each other: "film" (what is seen is scaled and shifted by what the rest says),
    "film_maps" (so are the channels of the encoder's maps), "mlp", each with a size as in "film:dim=256", or "none",
    side by side; "auto" is film where something is seen and something else is said, of maps where they are offered."""
    separate_value: bool = False
    """The value has encoders of its own, as SB3's and CleanRL's networks of small observations have; not with a
    memory."""
    freeze: bool = False
    """Pretrained encoders stay as they are."""
    memory: str = ""
    """What each seat remembers of its own steps: "gru" or "lstm", with a size such as "gru:dim=128"; empty is
    nothing."""
    runners: int = 0
    """Processes that play; 0 plays and learns in this process."""
    learners: int = 0
    """Processes that learn; 0 learns in this process."""
    address: str = ""
    """HOST:PORT of the head of a Ray cluster whose machines play and learn too, or "auto" for one on this machine;
    empty starts Ray here for this run alone."""
    threads: int = 0
    """Threads of the network's arithmetic; 0 is all cores that the runners leave."""
    anchors: str = "random minimax:depth=1"
    """Fixed opponents, by contestant strings with spaces between, against which the run is measured as it goes."""
    anchor_pairs: int = 64
    """Pairs of games against each anchor at each measurement."""
    measurements: int = 20
    """How many times the run is measured."""
    checkpoints: int = 10
    """How many checkpoints are kept over the run; one more is made at its end."""
    wandb_project: str = ""
    """Curves and settings also go to this project of Weights & Biases; empty sends nothing. Needs the extra `wandb`."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            kind: type = {"int": int, "float": float, "bool": bool, "str": str}[str(field.type)]
            if type(value) in (int, float) and not abs(value) <= GREATEST:  # nor what is no number at all
                raise UsageError(f"the setting '{field.name}' must be a number, not one as {str(value)[:20]}")
            if kind is float and type(value) is int:
                object.__setattr__(self, field.name, float(value))
            elif type(value) is not kind:
                raise UsageError(f"the setting '{field.name}' must be {kind.__name__}, not '{value}'")
            elif isinstance(value, int | float) and value < 0:
                raise UsageError(f"the setting '{field.name}' must not be negative, but is {value}")
            elif type(value) is int and value >= 2**63:
                raise UsageError(f"the setting '{field.name}' must be less than 2^63, but is {value}")
        for name in ("copies", "plies", "epochs", "minibatch_size", "learning_rate", "memory_steps"):
            if getattr(self, name) == 0:
                raise UsageError(f"the setting '{name}' must be more than 0")
        for name in ("gamma", "gae_lambda", "random_share", "opponent_share"):
            if getattr(self, name) > 1:
                raise UsageError(f"the setting '{name}' must be at most 1, but is {getattr(self, name)}")
        if self.adam_beta1 >= 1:
            raise UsageError(f"the setting 'adam_beta1' must be less than 1, but is {self.adam_beta1}")
        check_league(self, self.opponent_share)
        if self.curriculum != "uniform" and not self.levels:
            raise UsageError(f"the curriculum '{self.curriculum}' chooses among training levels: say --levels N")
        if self.separate_value and self.memory:
            raise UsageError("with a memory policy and value share it: leave separate_value false, or memory empty")
        if self.schedule not in SCHEDULES:
            raise unknown("schedule", self.schedule, SCHEDULES)
        for name in ("learning_rate", "entropy_coefficient"):
            start, end = getattr(self, name), getattr(self, f"{name}_end")
            if self.schedule == "exponential" and start != end and not start * end:
                raise UsageError(f"an exponential schedule never reaches 0: give {name} and {name}_end more than 0")
        if self.precision not in ("auto", "float32", "bfloat16"):
            raise UsageError(f"the setting 'precision' must be auto, float32 or bfloat16, not '{self.precision}'")


def setting_names() -> list[str]:
    """All settings, in the order they are defined."""
    return [field.name for field in fields(TrainSettings)]


def read_settings(game: str, config: Path | None = None, changes: Mapping[str, Any] | None = None) -> TrainSettings:
    """The settings of a run: defaults, the game's preset, the trainer's, then a file, then single changes.

    Args:
        game: the game's string; its preset is found by its id, and a table of a door's preset by what follows. For a
            trainer's see `trainer_values`.
        config: a TOML file of settings.
        changes: setting -> value.

    Raises:
        UsageError: a setting is unknown or its value cannot be.
    """
    wished = ({} if config is None else read_toml(config)) | dict(changes or {})
    values = preset_values(game)
    trainer = str(wished.get("trainer", values.get("trainer", TrainSettings.trainer)))
    algorithm = str(wished.get("algorithm", values.get("algorithm", TrainSettings.algorithm)))
    chosen = trainer_values(trainer, algorithm, game)
    values |= chosen | wished
    if "algorithm" in chosen:
        values["algorithm"] = chosen["algorithm"]
    return settings_from({**values, "game": game})


def preset_values(game: str) -> dict[str, Any]:
    """What the preset of a game changes, such as `gym.toml`, and in it the tables "MiniGrid-*" and "CartPole-v1".

    A table is for the games of that name, or of names like that, by the shell's rules; later ones win.
    """
    door, _, rest = game.partition(":")
    path = PRESETS / f"{door.replace('-', '_')}.toml"
    found = read_toml(path) if path.exists() else {}
    own = rest.partition("?")[0].rpartition(":")[2]  # without the module that registers it
    special = [table for name, table in found.items() if isinstance(table, dict) and fnmatchcase(own, name)]
    values = {name: value for name, value in found.items() if not isinstance(value, dict)}
    return dict(ChainMap(*reversed(special), values))


def trainer_values(trainer: str, algorithm: str, game: str) -> dict[str, Any]:
    """What a trainer's preset changes, such as `sb3.toml`: for all, in the algorithm's table, in this in the game's.

    If one of them gives the algorithm options, those that were asked for follow, and win.
    """
    name, _, options = algorithm.partition(":")
    found = preset_values(f"{trainer}:{name.replace('-', '_').lower()}")
    special: dict[str, Any] = found.get(game.partition("?")[0], {})
    values = {name: value for name, value in found.items() if not isinstance(value, dict)} | special
    if "algorithm" in values and options:
        values["algorithm"] = f"{values['algorithm']},{options}"
    return values


def new_networks(spec: GameSpec, settings: TrainSettings) -> Networks:
    """A fresh network for a game, or one for each of its roles, as the settings want it.

    Raises:
        UsageError: no network plays this game.
    """
    own: Sequence[Fusion | None] = [None] * len(spec.roles)
    if settings.separate_value:
        own = fusions_of_words(spec, settings.encoder, settings.freeze, settings.joint)
    return build_networks(
        spec,
        fusions_of_words(spec, settings.encoder, settings.freeze, settings.joint),
        normalize_observation=settings.normalize_observation,
        normalize_value=settings.normalize_value,
        memory=settings.memory,
        value_encoders=own,
    )


def new_network(spec: GameSpec, settings: TrainSettings) -> PolicyNetwork:
    """As `new_networks`, where one plays all roles.

    Raises:
        UsageError: no one network plays this game.
    """
    return the_only(new_networks(spec, settings), f"{spec.name} is for no one network")


def settings_from(values: Mapping[str, Any]) -> TrainSettings:
    """Settings from plain values; unknown names are refused with the nearest known one."""
    known = setting_names()
    for name in values:
        if name not in known:
            raise unknown("setting", name, known)
    if "game" not in values:
        raise UsageError('the settings name no game, as in game = "connect_four"')
    return TrainSettings(**values)


def settings_values(settings: TrainSettings) -> dict[str, Any]:
    """Plain values, as `settings_from` takes them."""
    return dataclasses.asdict(settings)
