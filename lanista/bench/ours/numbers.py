"""The numbers that peers share, in our settings' words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def in_our_words(same: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run that learns with the numbers that `peers.torch_ppo.bare_loop` takes, at a constant rate."""
    return {
        "epochs": same["epochs"],
        "minibatch_size": same["minibatch"],
        "learning_rate": same["learning_rate"],
        "learning_rate_end": same["learning_rate"],
        "entropy_coefficient": same["entropy"],
        "entropy_coefficient_end": same["entropy"],
        "gamma": same["gamma"],
        "gae_lambda": same["gae_lambda"],
        "clip_range": same["clip"],
        "value_coefficient": same["value"],
        "max_grad_norm": same["norm"],
        "symmetry": False,
    }
