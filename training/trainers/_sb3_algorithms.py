"""SB3's algorithms by name, and which of their settings are ours.

Settings that mean the same in both are ours: `learning_rate` and `entropy_coefficient` with their ends, `gamma`,
`gae_lambda`, `clip_range`, `epochs` (`n_epochs`; `n_critic_updates` of trpo), `minibatch_size` (`batch_size`), `plies`
(`n_steps`; `train_freq` of dqn and qrdqn), `value_coefficient`, `max_grad_norm`, `normalize_advantage`, `seed`.
dqn and qrdqn draw `epochs` times as many rows from their buffer as they put in, unless `gradient_steps` says otherwise.
What only an algorithm has is an option of its name, as in `dqn:buffer_size=50_000,exploration_fraction=0.2`.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lanista.errors import UsageError, unknown
from lanista.plugs import Value, call, one_line, parse_options, required
from lanista.training.settings import TrainSettings


def _clipped(clip_range_vf: float = 0.0, target_kl: float = 0.0) -> dict[str, Value | None]:
    """Of ppo and maskable_ppo; 0 is no such bound."""
    return {"clip_range_vf": clip_range_vf or None, "target_kl": target_kl or None}


def _synchronous(use_rms_prop: bool = True, rms_prop_eps: float = 1e-5) -> dict[str, Value | None]:
    """Of a2c."""
    return {"use_rms_prop": use_rms_prop, "rms_prop_eps": rms_prop_eps}


def _trust_region(
    target_kl: float = 0.01,
    cg_max_steps: int = 15,
    cg_damping: float = 0.1,
    line_search_shrinking_factor: float = 0.8,
    line_search_max_iter: int = 10,
) -> dict[str, Value | None]:
    """Of trpo."""
    return dict(locals())


def _replayed(
    buffer_size: int = 100_000,
    learning_starts: int = 1000,
    gradient_steps: int = 0,
    target_update_interval: int = 500,
    tau: float = 1.0,
    exploration_fraction: float = 0.2,
    exploration_initial_eps: float = 1.0,
    exploration_final_eps: float = 0.05,
) -> dict[str, Value | None]:
    """Of dqn and qrdqn. SB3's own buffer of a million rows and target of 10,000 steps are for long Atari runs."""
    return dict(locals())


@dataclass(frozen=True)
class Algorithm:
    """One of SB3's algorithms.

    Attributes:
        package: what it is imported from.
        kind: the name of its class there.
        options: checks a user's options and gives all of them.
        replays: it learns action values from a buffer, and not a policy from what was just played.
        masks: it knows that some actions are illegal.
    """

    package: str
    kind: str
    options: Callable[..., dict[str, Value | None]]
    replays: bool = False
    masks: bool = False


ALGORITHMS = {
    "ppo": Algorithm("stable_baselines3", "PPO", _clipped),
    "a2c": Algorithm("stable_baselines3", "A2C", _synchronous),
    "dqn": Algorithm("stable_baselines3", "DQN", _replayed, replays=True),
    "trpo": Algorithm("sb3_contrib", "TRPO", _trust_region),
    "qrdqn": Algorithm("sb3_contrib", "QRDQN", _replayed, replays=True),
    "maskable_ppo": Algorithm("sb3_contrib", "MaskablePPO", _clipped, masks=True),
}

# Ours -> SB3's, where an algorithm's constructor knows it.
SAME = {
    "gamma": ("gamma",),
    "gae_lambda": ("gae_lambda",),
    "clip_range": ("clip_range",),
    "epochs": ("n_epochs", "n_critic_updates"),
    "value_coefficient": ("vf_coef",),
    "entropy_coefficient": ("ent_coef",),
    "max_grad_norm": ("max_grad_norm",),
    "normalize_advantage": ("normalize_advantage",),
    "seed": ("seed",),
}


def algorithm_of(settings: TrainSettings) -> tuple[str, Algorithm, dict[str, Value | None]]:
    """The algorithm that a run asks for: its name, what it is, and all its options.

    Raises:
        UsageError: it or an option of it is unknown, an option is one of ours, or its package is not installed.
    """
    written, _, rest = settings.algorithm.partition(":")
    name = written.replace("-", "_").lower()
    if name not in ALGORITHMS:
        raise unknown("algorithm of the trainer 'sb3'", written, ALGORITHMS)
    algorithm = ALGORITHMS[name]
    given = parse_options(rest, settings.algorithm)
    ours = {"learning_rate": "learning_rate", "batch_size": "minibatch_size", "n_steps": "plies", "train_freq": "plies"}
    ours |= {theirs: our for our, names in SAME.items() for theirs in (our, *names)}
    for option in given:
        if option in ours:
            raise UsageError(f"'{option}' of {name} is the setting '{ours[option]}': write --set {ours[option]}=VALUE")
    options: dict[str, Value | None] = call(algorithm.options, f"the algorithm '{name}'", {**given})
    if algorithm.package != "stable_baselines3":
        required(algorithm.package, "sb3", f"--algorithm {name}")
    return name, algorithm, options


def make_model(settings: TrainSettings, environments: Any, policy: dict[str, Any]) -> Any:
    """An SB3 model of the run's algorithm.

    Args:
        settings: of the run.
        environments: a `VecEnv` with dictionary observations.
        policy: `policy_kwargs`, as of `sb3_policy`.

    Raises:
        UsageError: see `algorithm_of`; SB3 refuses the actions or the settings.
    """
    name, algorithm, options = algorithm_of(settings)
    kind = getattr(importlib.import_module(algorithm.package), algorithm.kind)
    known = inspect.signature(kind).parameters
    rows = settings.copies * settings.plies
    values: dict[str, Any] = {
        theirs: getattr(settings, ours) for ours, names in SAME.items() for theirs in names if theirs in known
    }
    values["learning_rate"] = lambda remaining: settings.at(1 - remaining)[0]
    if "batch_size" in known:
        values["batch_size"] = min(settings.minibatch_size, rows)
    if algorithm.replays:
        values["train_freq"] = settings.plies
        options["gradient_steps"] = options["gradient_steps"] or max(1, settings.epochs * rows // values["batch_size"])
    else:
        values["n_steps"] = settings.plies
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*truncated mini-batch.*")
            return kind(
                "MultiInputPolicy", environments, **values, **options, policy_kwargs=policy, device="cpu", verbose=0
            )
    except (AssertionError, ValueError) as error:
        raise UsageError(f"SB3's {name} cannot learn {settings.game}: {one_line(error)}") from error
