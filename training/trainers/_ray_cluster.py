"""Ray for a run: one of its own on this machine, or an existing cluster that the run joins."""

from __future__ import annotations

import os

import ray

from lanista.errors import UsageError
from lanista.ray_cluster import join_cluster, processors, start_here
from lanista.training.settings import TrainSettings


def start_ray(settings: TrainSettings, cores: int) -> None:
    """Start Ray for this process alone, or join the cluster that the settings name.

    RLlib keeps its settings in Ray's store even when all else is in this process.

    Raises:
        UsageError: no cluster answers at the settings' address, or it has too few processors.
    """
    if settings.address:
        join_cluster(settings.address)
        wanted, there = settings.runners + settings.learners, processors()
        if wanted > there:  # Ray would wait for them for ever
            ray.shutdown()
            raise UsageError(
                f"{settings.runners} runners and {settings.learners} learners need {wanted} processors, and the "
                f"cluster at {settings.address} has {there}"
            )
        return
    embedded = settings.runners == 0 and settings.learners == 0
    if embedded:
        # Ray would start workers ahead of need, which idle beside the training.
        os.environ.setdefault("RAY_prestart_worker_first_driver", "0")
    start_here(max(cores, settings.runners + settings.learners + 1), 100 * 2**20 if embedded else None)
