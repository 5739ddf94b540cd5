"""How a run on training levels is checked before it begins, and measured as it goes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from lanista.agents.kinds.network import NetworkAgent
from lanista.agents.levels import (
    MOST_TRAINING,
    Return,
    check_levels,
    held_out_levels,
    mean_return,
    returns_on,
    training_levels,
)
from lanista.agents.role_networks import Networks
from lanista.errors import UsageError
from lanista.training.curriculum import open_curriculum
from lanista.training.settings import TrainSettings


def check(settings: TrainSettings) -> None:
    """See that the levels of a run can be trained on.

    Raises:
        UsageError: the game has none, there are too many, or there is no such curriculum.
    """
    if not settings.levels:
        return
    if settings.levels > MOST_TRAINING:  # before anything is made of that size
        raise UsageError(f"--levels is at most {MOST_TRAINING:,}, not {settings.levels:,}")
    open_curriculum(settings.curriculum, settings.levels)
    held_out_levels(settings.measured_levels)
    check_levels(settings.game)


def measure(settings: TrainSettings, network: Networks, precision: str) -> dict[str, Return]:
    """Mean returns on "training" and on "held-out" levels, each played once, by draws from the policy.

    Drawn, since a policy that always plays its likeliest move turns in circles where it cannot see what it did.
    """
    count, game = settings.measured_levels, settings.game
    if not settings.levels or not count:
        return {}
    agent = NetworkAgent(network, "learner", game, precision, temperature=1.0)
    found = {}
    for kind, levels in (("training", training_levels(settings.levels, count)), ("held-out", held_out_levels(count))):
        seeds = np.random.SeedSequence([settings.seed, int(levels[0])]).generate_state(len(levels), np.uint64)
        found[kind] = mean_return(returns_on(game, agent, levels, seeds))
    return found


def curves(returns: Mapping[str, Return]) -> dict[str, float]:
    """Mean returns as a run's curves name them: `return/held_out_levels`, with `_low` and `_high`."""
    told: dict[str, float] = {}
    for kind, found in returns.items():
        name = f"return/{kind.replace('-', '_')}_levels"
        told |= {name: found.mean, f"{name}_low": found.low, f"{name}_high": found.high}
    return told
