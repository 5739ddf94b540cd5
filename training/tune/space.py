"""What is searched: a space of settings and how, read from a TOML file.

scheduler = "asha"
metric = "rating"
samples = 16
minutes = 5
[settings]
copies = 512
[space]
learning_rate = {log_uniform = [1e-4, 1e-2]}
encoder = {choice = ["board_resnet:channels=32", "mlp"]}
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from lanista.envs import make
from lanista.errors import UsageError, unknown
from lanista.files import read_toml
from lanista.training.ppo import PPOSettings
from lanista.training.settings import GREATEST, TrainSettings, read_settings, setting_names

Value = bool | int | float | str
Values = dict[str, Value]

SCHEDULERS = ("asha", "pbt")
METRICS = {"rating": "rating, Elo above random", "points": "share of the points against the anchors",
           "nash_conv": "what best responses gain (0: equilibrium)", "return": "mean return"}  # fmt: skip
KINDS = ("uniform", "log_uniform", "integer", "choice")
ONLY_ASHA, ONLY_PBT = ("grace", "reduction_factor"), ("interval", "quantile", "resample")
OURS = {"game": "it is the command's word", "steps": "it stands above the tables",
        "minutes": "it stands above the tables",
        "checkpoints": "each measurement is kept", "runners": "a trial is one process",
        "learners": "a trial is one process", "address": "trials are on this machine",
        "wandb_project": "trials write files only"}  # fmt: skip
MEASURING = (
    "anchors",
    "anchor_pairs",
    "measurements",
    "measured_levels",
)  # alike in all trials, or scores would not be
# Settings of the update that the network's shape, its games' state or its arithmetic depend on.
SHAPES = ("normalize_observation", "normalize_value", "memory_steps", "micro_batch_size", "precision")


@dataclass(frozen=True)
class Dimension:
    """The values that one setting can have.

    Attributes:
        kind: "uniform" or "log_uniform" (numbers between two bounds), "integer" (whole ones, both bounds included),
            "choice" (one of some values).
        values: the two bounds, or the choices.
    """

    kind: str
    values: tuple[Value, ...]

    def sample(self, random: np.random.Generator) -> Value:
        """Draw a value."""
        if self.kind == "choice":
            return self.values[int(random.integers(len(self.values)))]
        low, high = (float(value) for value in self.values)
        if self.kind == "integer":
            return int(random.integers(int(low), int(high) + 1))
        if self.kind == "log_uniform":
            return float(np.clip(math.exp(random.uniform(math.log(low), math.log(high))), low, high))
        return float(random.uniform(low, high))

    def clipped(self, value: Value) -> Value:
        """The nearest value to this one that is allowed."""
        if self.kind == "choice" or isinstance(value, str):
            return value
        low, high = (float(bound) for bound in self.values)
        near = min(max(float(value), low), high)
        return round(near) if self.kind == "integer" else near


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A search, as its file says it; shares are of a trial, in [0, 1]."""

    space: Mapping[str, Dimension]
    """Setting -> what it can be."""
    settings: Mapping[str, Value] = field(default_factory=dict)
    """Setting -> what it is in all trials."""
    scheduler: str = "asha"
    """"asha": asynchronous successive halving, which stops the worse trials early; "pbt": population-based training, in
    which they go on from a better one's weights with its settings changed a little."""
    metric: str = "rating"
    """What a trial is judged by: a key of `METRICS`. The greatest is best; of nash_conv the least."""
    samples: int = 16
    """How many trials; of pbt the population."""
    minutes: float = 0.0
    """Of each trial."""
    steps: int = 0
    """Of each trial."""
    seed: int = 0
    """Of the values that are drawn."""
    grace: float = 0.1
    """asha: the share before which no trial is stopped; further rungs are `reduction_factor` times as far each."""
    reduction_factor: float = 3.0
    """asha: of so many trials at a rung one goes on."""
    interval: float = 0.2
    """pbt: the share after which a trial may take over another's weights."""
    quantile: float = 0.25
    """pbt: this share of the population, the worst, takes over from as many, the best."""
    resample: float = 0.25
    """pbt: how likely a changed value is drawn anew, and not multiplied by 0.8 or 1.2 or moved to a neighbour."""

    @property
    def mode(self) -> str:
        """ "max" or "min"."""
        return "min" if self.metric == "nash_conv" else "max"

    def draw(self) -> list[Values]:
        """The values with which the trials begin."""
        random = np.random.default_rng(self.seed)
        return [{name: one.sample(random) for name, one in self.space.items()} for _ in range(self.samples)]

    def trial_settings(self, game: str, values: Mapping[str, Value]) -> TrainSettings:
        """The settings of a trial's run.

        Raises:
            UsageError: they cannot be.
        """
        bounds = {name: value for name, value in (("steps", self.steps), ("minutes", self.minutes)) if value}
        settings = read_settings(game, None, {"threads": 1, **self.settings, **values, **bounds})
        return replace(settings, checkpoints=settings.measurements)  # so that each measurement is kept

    def check(self, game: str) -> None:
        """See that all trials can begin and that the metric will be there.

        Raises:
            UsageError: they cannot, or it will not.
        """
        from lanista.agents.exploitability import small_tree
        from lanista.training.anchor_rating import anchors_of
        from lanista.training.run import check_settings

        drawn = self.draw()
        trials = [self.trial_settings(game, values) for values in drawn]
        first = trials[0]
        if self.scheduler == "pbt" and first.league_size:
            raise UsageError("in pbt trials take over each other's weights but not their leagues: leave league_size 0")
        if first.measurements < 2:
            raise UsageError("a search judges trials as they go: the setting 'measurements' must be at least 2")
        players = make(game).spec.players
        if self.metric in ("rating", "points") and not (players == 2 and first.anchor_pairs and anchors_of(first)):
            hint = '; metric = "return" can be measured' if players == 1 else ""
            raise UsageError(f"the metric '{self.metric}' needs anchors that play {game}, and there are none{hint}")
        if self.metric == "return" and players != 1:
            raise UsageError(f"the metric 'return' is for games of one player; for {game} write metric = \"rating\"")
        if self.metric == "nash_conv" and small_tree(game) is None:
            raise UsageError(f"what best responses gain is computed for small games only, and {game} is none")
        if self.metric == "nash_conv" and any(trial.memory for trial in trials):
            raise UsageError("what best responses gain is not computed for networks with a memory")
        choices = [name for name, one in self.space.items() if one.kind == "choice"]
        distinct = {str([values[name] for name in choices]): number for number, values in enumerate(drawn)}
        for number in distinct.values():  # numbers were checked above, words are looked up here
            check_settings(trials[number])


def read_plan(path: Path) -> Plan:
    """Read a search from its file.

    Raises:
        UsageError: it is missing or no TOML; a key, a setting or a value cannot be.
    """
    found = read_toml(path)
    known = [each.name for each in fields(Plan)]
    for name in found:
        if name not in known:
            raise unknown(f"key of {path.name}", name, known)
    for name in ("settings", "space"):
        if not isinstance(found.get(name, {}), dict):
            raise UsageError(f"[{name}] in {path.name} is a table of settings, not '{found[name]}'")
    if not found.get("space"):
        raise UsageError(f"{path.name} searches nothing: it needs a table [space], as in learning_rate = "
                         "{log_uniform = [1e-4, 1e-2]}")  # fmt: skip
    space = {name: _dimension(name, value) for name, value in found["space"].items()}
    plan = Plan(**{**found, "space": space})
    _check_keys(plan, found)
    _check_names(plan)
    return plan


def _dimension(name: str, written: Any) -> Dimension:
    """What a setting can be, from what stands in the file."""
    known = setting_names()
    if name not in known:
        raise unknown("setting", name, known)
    if not isinstance(written, dict) or len(written) != 1:
        raise UsageError(f"what '{name}' can be is written as {{uniform = [LOW, HIGH]}}, or log_uniform, integer, "
                         f"{{choice = [...]}}, not as '{written}'")  # fmt: skip
    ((kind, values),) = written.items()
    if kind not in KINDS:
        raise unknown(f"kind of space for '{name}'", kind, KINDS)
    if not isinstance(values, list) or not values or not all(isinstance(value, Value) for value in values):
        raise UsageError(f"'{name}': {kind} takes a list of values, not '{values}'")
    if kind == "choice":
        if len({str(value) for value in values}) < len(values):
            raise UsageError(f"'{name}': choice has a value twice")
        return Dimension(kind, tuple(values))
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(values) != 2 or len(numbers) != 2 or not -GREATEST <= numbers[0] < numbers[1] <= GREATEST:
        raise UsageError(f"'{name}': {kind} takes two numbers, the lesser first, not {values}")
    if kind == "log_uniform" and numbers[0] <= 0:
        raise UsageError(f"'{name}': log_uniform takes numbers above 0, not {values}")
    whole = {each.name: str(each.type) for each in fields(TrainSettings)}[name] == "int"
    if whole != (kind == "integer") or (whole and not all(isinstance(number, int) for number in numbers)):
        right = "integer = [LOW, HIGH], both whole" if whole else "uniform or log_uniform"
        raise UsageError(f"'{name}' is {'a whole number' if whole else 'no whole number'}: write {right}, not {kind}")
    return Dimension(kind, tuple(numbers))


def _check_keys(plan: Plan, found: Mapping[str, Any]) -> None:
    """Refuse values of keys that cannot be."""
    for each in fields(Plan):
        value, kind = getattr(plan, each.name), {"int": int, "float": float, "str": str}.get(str(each.type))
        if type(value) in (int, float) and not abs(value) <= GREATEST:
            raise UsageError(f"'{each.name}' must be a number, not one as {str(value)[:20]}")
        if kind is float and type(value) is int:
            object.__setattr__(plan, each.name, float(value))
        elif kind is not None and type(value) is not kind:
            raise UsageError(f"'{each.name}' must be {kind.__name__}, not '{value}'")
    if plan.scheduler not in SCHEDULERS:
        raise unknown("scheduler", plan.scheduler, SCHEDULERS)
    if plan.metric not in METRICS:
        raise unknown("metric", plan.metric, METRICS)
    others = ONLY_PBT if plan.scheduler == "asha" else ONLY_ASHA
    for name in others:
        if name in found:
            raise UsageError(f"'{name}' is for the scheduler '{'pbt' if plan.scheduler == 'asha' else 'asha'}'")
    if plan.minutes < 0 or plan.steps < 0 or not (plan.minutes or plan.steps):
        raise UsageError("say how long each trial trains: minutes or steps")
    if plan.seed < 0:
        raise UsageError(f"'seed' is at least 0, not {plan.seed}")
    if plan.samples < 2:
        raise UsageError(f"'samples' is at least 2, not {plan.samples}")
    if plan.reduction_factor <= 1:
        raise UsageError(f"'reduction_factor' is more than 1, not {plan.reduction_factor}")
    for name, most in (("grace", 1.0), ("interval", 1.0), ("quantile", 0.5), ("resample", 1.0)):
        if not 0 < getattr(plan, name) <= most:
            raise UsageError(f"'{name}' is a share above 0 and at most {most}, not {getattr(plan, name)}")


def _check_names(plan: Plan) -> None:
    """Refuse settings that a search cannot have."""
    for name in (*plan.settings, *plan.space):
        if name not in setting_names():
            raise unknown("setting", name, setting_names())
        if name in OURS:
            raise UsageError(f"'{name}' is not a setting of a search: {OURS[name]}")
    for name in plan.space:
        if name in plan.settings:
            raise UsageError(f"'{name}' is both fixed and searched")
        if name in MEASURING:
            raise UsageError(f"'{name}' is alike in all trials, or their scores would not be: write it in [settings]")
        changeable = {each.name for each in fields(PPOSettings)} - set(SHAPES)
        if plan.scheduler == "pbt" and name not in changeable:
            raise UsageError(f"in pbt trials take over each other's network and games, so '{name}' is not searched; "
                             'scheduler = "asha" can')  # fmt: skip
